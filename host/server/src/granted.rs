//! `[tidegate.grants]` opened: endpoints by name, and secrets.

use crate::{ServerError, secrets, storage};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tg_config::changefeed::{GrantsConfig, HttpGrant};
use tg_config::{Secret, SinkUri, StoragePlace};
use tg_http::{HttpOrigin, HttpTarget};
use tg_object_store::StoreEndpoint;
use tg_plugin::Grants;
use tg_plugin::grant::{self, HttpEndpoint, HttpError, HttpMethod, HttpRequest, HttpResponse, LaneContext};

/// Opens everything that is granted.
pub(crate) async fn open(config: &GrantsConfig, folder: &Path) -> Result<Grants, ServerError> {
    let secrets = secrets::read(&config.secret, folder)?;
    let mut grants = Grants::default();
    for (name, granted) in &config.sql {
        let endpoint = Box::pin(crate::postgres::granted(&SinkUri::parse(granted.url.expose())?)).await?;
        grants.sql.insert(name.clone(), endpoint);
    }
    for (name, granted) in &config.http {
        grants.http.insert(name.clone(), http(name, granted, &secrets)?);
    }
    for (name, granted) in &config.producer {
        let endpoint = crate::kafka::granted(&SinkUri::parse(granted.url.expose())?)?;
        grants.producers.insert(name.clone(), Arc::new(endpoint));
    }
    for (name, granted) in &config.object_store {
        let uri = SinkUri::parse(granted.url.expose())?;
        let endpoint = StoreEndpoint::connect(&storage::target(&StoragePlace::new(&uri))?).await?;
        grants.object_stores.insert(name.clone(), Arc::new(endpoint));
    }
    let secret = |(name, secret): (&String, &Secret)| (name.clone(), grant::Secret::new(secret.expose()));
    grants.secrets = secrets.iter().map(secret).collect();
    Ok(grants)
}

fn http(
    name: &str,
    granted: &HttpGrant,
    secrets: &BTreeMap<String, Secret>,
) -> Result<Arc<dyn HttpEndpoint>, ServerError> {
    let header = |(name, value): (&String, &Secret)| {
        (name.clone(), grant::Secret::new(&secrets::filled(value.expose(), secrets)))
    };
    let target = HttpTarget {
        headers: granted.headers.iter().map(header).collect(),
        timeout: granted.timeout.get(),
        response_bytes_max: granted.max_response_size.get(),
        ca: granted.ca.as_ref().map(PathBuf::from),
        ..HttpTarget::new(granted.url.expose())
    };
    let bad =
        |e: tg_http::HttpTargetError| ServerError::BadGrant { grant: format!("http.{name}"), reason: e.to_string() };
    let origin = HttpOrigin::new(&target).map_err(bad)?;
    Ok(Arc::new(SomeMethods { origin, allowed: granted.methods.clone() }))
}

/// An origin that takes some methods only.
struct SomeMethods {
    origin: HttpOrigin,
    /// Empty: all.
    allowed: Vec<String>,
}

const fn method_name(method: HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Head => "HEAD",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Delete => "DELETE",
    }
}

impl HttpEndpoint for SomeMethods {
    fn send(&self, lane: &LaneContext, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let name = method_name(request.method);
        if self.allowed.is_empty() || self.allowed.iter().any(|m| m == name) {
            return self.origin.send(lane, request);
        }
        async move { Err(HttpError::Refused(format!("the changefeed's grant does not allow {name}"))) }.boxed()
    }
}

/// Names of everything in grants, as a changefeed's file has them.
pub(crate) fn names(grants: &Grants) -> Vec<String> {
    let of = |kind: &str, names: Vec<&String>| names.into_iter().map(|n| format!("{kind}.{n}")).collect::<Vec<_>>();
    [
        of("sql", grants.sql.keys().collect()),
        of("producer", grants.producers.keys().collect()),
        of("object-store", grants.object_stores.keys().collect()),
        of("http", grants.http.keys().collect()),
        of("secret", grants.secrets.keys().collect()),
    ]
    .concat()
}

/// Those of the grants that are named.
pub(crate) fn only(all: &Grants, named: &[String]) -> Grants {
    let mut out = all.clone();
    let has = |kind: &str, name: &String| named.iter().any(|n| n.split_once('.') == Some((kind, name.as_str())));
    out.sql.retain(|name, _| has("sql", name));
    out.producers.retain(|name, _| has("producer", name));
    out.object_stores.retain(|name, _| has("object-store", name));
    out.http.retain(|name, _| has("http", name));
    out.secrets.retain(|name, _| has("secret", name));
    out
}

#[cfg(test)]
mod tests {
    use super::{names, only};
    use tg_plugin::{Grants, grant::Secret};

    #[test]
    fn a_plugin_gets_what_it_is_named_for_and_no_more() {
        let mut all = Grants::default();
        for name in ["a", "b"] {
            all.secrets.insert(name.to_owned(), Secret::new("hunter2"));
        }
        let got = only(&all, &["secret.b".to_owned(), "http.a".to_owned(), "a".to_owned()]);
        assert_eq!(names(&got), ["secret.b"]);
        assert!(names(&only(&all, &[])).is_empty());
    }
}
