//! Calls that another node has to answer: about a changefeed, who runs it; about the schedule, the owner.

use super::{Cluster, ClusterError};
use crate::node::Node;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;
use tg_api::ApiError;
use tg_model::ChangefeedId;

/// Where the schedule is shown.
const SCHEDULE: &str = "/api/v2/tidegate/schedule";
/// Says that a call was passed on once: it is not passed on again.
const PASSED_ON: &str = "x-tidegate-passed-on";
/// Largest body that is passed on, as much as the API takes.
const BODY_MAX_BYTES: usize = 4 << 20;
/// Longest wait for another node's answer; it may wait for a downstream.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Headers that belong to one connection.
const OF_A_CONNECTION: &[&str] = &["host", "connection", "transfer-encoding", "content-length", "upgrade", "te"];

impl Node {
    /// What this node answers on its address: the API; in a cluster also calls that other nodes answer, and their streams.
    pub fn serve(self: &Arc<Self>, api: Router) -> Router {
        let Some(cluster) = &self.cluster else {
            let alone = || async { axum::Json(serde_json::json!({ "owner": null })) };
            return api.merge(Router::new().route(SCHEDULE, get(alone)));
        };
        let streams = cluster.transport.router();
        let schedule = Router::new().route(SCHEDULE, get(schedule)).with_state(Arc::clone(cluster));
        let api = api.merge(schedule);
        api.layer(axum::middleware::from_fn_with_state(Arc::clone(cluster), pass_on)).merge(streams)
    }
}

async fn schedule(State(cluster): State<Arc<Cluster>>) -> Response {
    match cluster.schedule().await {
        Ok(schedule) => axum::Json(schedule).into_response(),
        Err(e) => ApiError::failed(&e).into_response(),
    }
}

async fn pass_on(State(cluster): State<Arc<Cluster>>, request: Request, next: Next) -> Response {
    if request.headers().contains_key(PASSED_ON) {
        return next.run(request).await;
    }
    let to = match about(&request) {
        About::Changefeed(id) => cluster.elsewhere(&id).map(|run| run.address),
        About::Schedule => {
            let me = cluster.me.capture_text();
            cluster.world().owner().filter(|o| o.capture != me).map(|o| o.address.clone())
        }
        About::Else => None,
    };
    let Some(to) = to else { return next.run(request).await };
    match send(&cluster, &to, request).await {
        Ok(answer) => answer,
        Err(cause) => ApiError::failed(&ClusterError::NoAnswer { address: to, cause }).into_response(),
    }
}

/// What a call is about.
enum About {
    Changefeed(ChangefeedId),
    Schedule,
    Else,
}

fn about(request: &Request) -> About {
    let path: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
    let name = match path.as_slice() {
        ["api", "v2", "tidegate", "schedule"] => return About::Schedule,
        ["api", "v1" | "v2", "changefeeds", name, ..] | ["api", "v2", "tidegate", "changefeeds", name, ..] => name,
        _ => return About::Else,
    };
    let query = request.uri().query().unwrap_or_default();
    let given = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    let namespace =
        given("keyspace").filter(|s| !s.is_empty()).or_else(|| given("namespace").filter(|s| !s.is_empty()));
    // Names have no characters that a URL would have to escape.
    let id = ChangefeedId::new(namespace.unwrap_or(ChangefeedId::DEFAULT_NAMESPACE), name);
    id.map_or(About::Else, About::Changefeed)
}

async fn send(cluster: &Cluster, to: &str, request: Request) -> Result<Response, String> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_MAX_BYTES).await.map_err(|e| e.to_string())?;
    let (http, tls) = &cluster.http;
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let url = format!("{}://{to}{path}", if *tls { "https" } else { "http" });
    let mut headers = parts.headers;
    OF_A_CONNECTION.iter().for_each(|name| _ = headers.remove(*name));
    headers.insert(HeaderName::from_static(PASSED_ON), HeaderValue::from_static("1"));
    let sent = http.request(parts.method, url).headers(headers).body(body).timeout(ANSWER_MAX).send();
    let answer = sent.await.map_err(|e| e.without_url().to_string())?;
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.extend(answer.headers().iter().map(|(k, v)| (k.clone(), v.clone())));
        OF_A_CONNECTION.iter().for_each(|name| _ = headers.remove(*name));
    }
    let body = answer.bytes().await.map_err(|e| e.without_url().to_string())?;
    response.body(Body::from(body)).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> String {
        match about(&Request::builder().uri(uri).body(Body::empty()).unwrap()) {
            About::Changefeed(id) => id.to_string(),
            About::Schedule => "schedule".to_owned(),
            About::Else => "else".to_owned(),
        }
    }

    #[test]
    fn calls_say_what_they_are_about() {
        for (uri, about) in [
            ("/api/v2/changefeeds/a", "default/a"),
            ("/api/v2/changefeeds/a/pause?namespace=n", "n/a"),
            ("/api/v1/changefeeds/a?keyspace=k&namespace=n", "k/a"),
            ("/api/v2/tidegate/changefeeds/a/why?keyspace=&namespace=n", "n/a"),
            ("/api/v2/tidegate/schedule", "schedule"),
            ("/api/v2/changefeeds", "else"),
            ("/api/v2/changefeeds/%00", "else"),
            ("/api/v2/captures/a/drain", "else"),
            ("/", "else"),
        ] {
            assert_eq!(of(uri), about, "{uri}");
        }
    }
}
