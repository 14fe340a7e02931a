//! What goes over the wire: requests of the library, sent by our own HTTP client, so that it can be told afterwards what became of them.

use super::fault::{Answered, Lost};
use crate::target::StoreTarget;
use futures::StreamExt;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::{ClientOptions, HeaderMap, HeaderValue};
use reqwest::{Client, Method, StatusCode, redirect};
use std::error::Error;

/// Idle connections kept to a store.
const IDLE_MAX: usize = 16;
/// Largest part of an answer that is an error which is read.
const ERROR_BYTES_MAX: usize = 64 << 10;
/// Headers that make a put conditional.
const CONDITIONS: [&str; 3] = ["if-none-match", "if-match", "x-goog-if-generation-match"];
/// Where GCS is told who may read an object.
const ACL_HEADER: &str = "x-goog-acl";

/// Makes the client of a store.
#[derive(Clone, Debug)]
pub(super) struct StoreWire {
    http: Client,
    acl: Option<HeaderValue>,
}

impl StoreWire {
    pub(super) fn new(target: &StoreTarget, acl: Option<HeaderValue>) -> Result<Self, String> {
        choose_crypto();
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(target.connect_timeout)
            .timeout(target.request_timeout)
            .pool_max_idle_per_host(IDLE_MAX)
            .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| e.without_url().to_string())?;
        Ok(Self { http, acl })
    }
}

impl HttpConnector for StoreWire {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait::async_trait]
impl HttpService for StoreWire {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        if let Some(acl) = self.acl.as_ref().filter(|_| makes_object(request.method(), &query)) {
            request.headers_mut().insert(ACL_HEADER, acl.clone());
        }
        let once = once(request.method(), &query, request.headers());
        match self.http.call(request).await {
            Ok(answer) if answer.status().is_success() => Ok(answer),
            Ok(answer) => Err(answered(answer).await),
            Err(e) if once && !not_sent(&e) => Err(HttpError::new(HttpErrorKind::Unknown, Lost(e))),
            Err(e) => Err(e),
        }
    }
}

/// Makes the client of whoever gives out credentials: the library's own, but what is to be asked again is an error.
#[derive(Debug)]
pub(super) struct IdentityWire;

#[derive(Debug)]
struct Identity(HttpClient);

impl HttpConnector for IdentityWire {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        choose_crypto();
        Ok(HttpClient::new(Identity(ReqwestConnector::default().connect(options)?)))
    }
}

#[async_trait::async_trait]
impl HttpService for Identity {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.0.execute(request).await?;
        if busy(answer.status()) { Err(answered(answer).await) } else { Ok(answer) }
    }
}

/// No client is made without. Somebody else of the process may have chosen it already.
fn choose_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Whether a request may not be sent twice: the second would find what the first made, and could not tell whose it is.
fn once(method: &Method, query: &str, headers: &HeaderMap) -> bool {
    let conditional = CONDITIONS.iter().any(|name| headers.contains_key(*name));
    let completes = (method == Method::POST && query.contains("uploadId="))
        || (method == Method::PUT && query.contains("comp=blocklist"));
    conditional || completes
}

/// Whether a request makes an object of GCS, or begins one.
fn makes_object(method: &Method, query: &str) -> bool {
    (method == Method::PUT && !query.contains("uploadId=")) || (method == Method::POST && query.contains("uploads"))
}

fn not_sent(e: &HttpError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(e);
    while let Some(e) = cause {
        if let Some(e) = e.downcast_ref::<reqwest::Error>() {
            return e.is_connect() || e.is_builder();
        }
        cause = e.source();
    }
    false
}

fn busy(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 429)
}

/// An answer that is an error. Its kind says whether it is asked again.
async fn answered(answer: HttpResponse) -> HttpError {
    let (parts, body) = answer.into_parts();
    let (mut text, mut body) = (Vec::new(), body.bytes_stream());
    while let Some(Ok(part)) = body.next().await {
        let left = ERROR_BYTES_MAX - text.len();
        text.extend_from_slice(part.get(..left).unwrap_or(&part));
        if text.len() >= ERROR_BYTES_MAX {
            break;
        }
    }
    let header = parts.headers.get("x-ms-error-code").and_then(|v| v.to_str().ok());
    let kind = if busy(parts.status) { HttpErrorKind::Request } else { HttpErrorKind::Unknown };
    HttpError::new(kind, Answered::new(parts.status.as_u16(), header, &String::from_utf8_lossy(&text)))
}

#[cfg(test)]
mod tests {
    use super::{makes_object, once};
    use object_store::{HeaderMap, HeaderValue};
    use reqwest::Method;

    #[test]
    fn what_would_find_its_own_work_is_sent_once() {
        let none = HeaderMap::new();
        assert!(!once(&Method::PUT, "", &none) && !once(&Method::PUT, "partNumber=1&uploadId=x", &none));
        assert!(once(&Method::POST, "uploadId=x", &none) && once(&Method::PUT, "comp=blocklist", &none));
        for name in ["if-none-match", "if-match", "x-goog-if-generation-match"] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static("0"));
            assert!(once(&Method::PUT, "", &headers), "{name}");
        }
    }

    #[test]
    fn whoever_makes_an_object_says_who_may_read_it() {
        assert!(makes_object(&Method::PUT, "") && makes_object(&Method::POST, "uploads="));
        for (method, query) in [
            (Method::PUT, "partNumber=1&uploadId=x"),
            (Method::POST, "uploadId=x"),
            (Method::GET, ""),
            (Method::DELETE, ""),
        ] {
            assert!(!makes_object(&method, query), "{method} {query}");
        }
    }
}
