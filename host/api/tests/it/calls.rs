//! Calls that the recording does not hold: bad bodies, masked secrets, our own paths, metrics, the console.

use crate::fake::Fake;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tg_api::{ApiError, ApiOptions, CODES, router};
use tg_model::{Coded, Ts};
use tower::ServiceExt;

fn app() -> Router {
    router(Arc::new(Fake::default()), ApiOptions { tz: jiff::tz::TimeZone::UTC, registry: None })
}

async fn call(app: &Router, method: &str, path: &str, body: &str) -> (u16, HeaderMap, String) {
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, headers, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn bad_bodies_name_the_member() {
    let app = app();
    for (method, path, body, error_code, message) in [
        (
            "POST",
            "/api/v2/changefeeds",
            "{",
            "CDC:ErrAPIInvalidParam",
            "the body is not what this path takes: EOF while parsing",
        ),
        ("POST", "/api/v2/changefeeds", "{} {}", "CDC:ErrAPIInvalidParam", "the body has more than one JSON value"),
        (
            "POST",
            "/api/v2/changefeeds",
            r#"{"sink_uri":"print://","start_ts":"now"}"#,
            "CDC:ErrAPIInvalidParam",
            "`start_ts`: invalid type: string \"now\", expected u64",
        ),
        (
            "POST",
            "/api/v2/changefeeds",
            r#"{"sink_uri":"print://","start_ts":470609059287662600,"target_ts":470609059287662600}"#,
            "CDC:ErrTargetTsBeforeStartTs",
            "target ts 470609059287662600 is not above start ts 470609059287662600",
        ),
        (
            "POST",
            "/api/v2/changefeeds",
            r#"{"sink_uri":"print://","replica_config":{"sync_point_interval":"1s"}}"#,
            "CDC:ErrInvalidReplicaConfig",
            "option `sync_point_interval`: 1s is too short; at least 30s",
        ),
        (
            "POST",
            "/api/v2/changefeeds",
            r#"{"sink_uri":"mysql://root:hunter2@h/?worker-cuont=1"}"#,
            "CDC:ErrSinkURIInvalid",
            "sink URI `mysql://root:xxxxx@h/?worker-cuont=1`: mysql has no parameter `worker-cuont`; did you mean `worker-count`?",
        ),
        ("POST", "/api/v2/captures/nobody/drain", "", "CDC:ErrCaptureNotExist", "capture not exists, nobody"),
        ("GET", "/api/v2/changefeeds/a%20b", "", "CDC:ErrAPIInvalidParam", "invalid changefeed_id: a b"),
    ] {
        let (status, _, text) = call(&app, method, path, body).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, answer["error_code"].as_str().unwrap()), (400, error_code), "{text}");
        assert!(answer["error_msg"].as_str().unwrap().contains(message), "{text}\n{message}");
        assert!(!answer["next_step"].as_str().unwrap().is_empty());
        assert!(!text.contains("hunter2"));
    }
}

#[tokio::test]
async fn secrets_stay_and_do_not_show() {
    let fake = Arc::new(Fake::default());
    let app = router(Arc::clone(&fake), ApiOptions::default());
    let body = json!({
        "changefeed_id": "k", "sink_uri": "kafka://h:9092/t?protocol=canal-json&sasl-password=hunter2",
        "replica_config": {"sink": {"kafka_config": {"sasl_password": "hunter3"}}},
    });
    assert_eq!(call(&app, "POST", "/api/v2/changefeeds", &body.to_string()).await.0, 200);
    let (_, _, shown) = call(&app, "GET", "/api/v2/changefeeds/k", "").await;
    assert!(!shown.contains("hunter") && shown.contains("xxxxx"), "{shown}");
    assert_eq!(call(&app, "POST", "/api/v2/changefeeds/k/pause", "").await.0, 200);
    // A client sends back what it read.
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let back = json!({"sink_uri": shown["sink_uri"], "replica_config": shown["config"]});
    assert_eq!(call(&app, "PUT", "/api/v2/changefeeds/k", &back.to_string()).await.0, 200);
    let feeds = fake.feeds.lock().unwrap();
    let feed = feeds.values().next().unwrap();
    assert!(feed.sink_uri.expose().contains("hunter2"));
    assert!(feed.config.to_stored().to_string().contains("hunter3"));
}

#[tokio::test]
async fn what_has_no_effect_is_said() {
    let body =
        r#"{"changefeed_id":"w","sink_uri":"mysql://h/?where-clause=v1","colour":1,"replica_config":{"sinkk":{}}}"#;
    let (status, headers, _) = call(&app(), "POST", "/api/v2/changefeeds", body).await;
    let said: Vec<&str> = headers.get_all("x-tidegate-warning").iter().map(|v| v.to_str().unwrap()).collect();
    assert_eq!(status, 200);
    assert_eq!(
        said,
        [
            "`sinkk` does not exist and was passed over; did you mean `sink`?",
            "`colour` does not exist and was passed over",
            "`where-clause` is accepted without effect",
        ]
    );
}

#[tokio::test]
async fn our_own_paths() {
    let app = app();
    call(&app, "POST", "/api/v2/changefeeds", r#"{"changefeed_id":"a","sink_uri":"print://"}"#).await;
    let (_, _, overview) = call(&app, "GET", "/api/v2/tidegate/overview", "").await;
    let overview: Value = serde_json::from_str(&overview).unwrap();
    let progress = &overview["changefeeds"][0]["progress"];
    assert_eq!((&progress["rows_total"], &progress["syncpoints_total"]), (&json!(1_234_567), &json!(3)));
    let (status, headers, page) = call(&app, "GET", "/", "").await;
    assert_eq!(status, 200);
    assert!(headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(!page.contains("https://") && page.contains("/api/v2/tidegate/overview"), "the page needs nobody else");
    let (_, _, metrics) = call(&app, "GET", "/metrics", "").await;
    for line in [
        "ticdc_owner_status{namespace=\"default\",changefeed=\"a\"} 0",
        "tidegate_rows_total{namespace=\"default\",changefeed=\"a\"} 1234567",
        "tidegate_syncpoints_total{namespace=\"default\",changefeed=\"a\"} 3",
        "ticdc_sink_dml_event_count{namespace=\"default\",changefeed=\"a\"} 1234567",
        "ticdc_coordinator_changefeed_state{state=\"normal\"} 1",
        "tidegate_is_owner 1",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line}\n{metrics}");
    }
    let request = Request::builder().uri("/api/v2/changefeeds/a").header("accept", "application/toml");
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let toml = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let (config, _) = tg_config::ChangefeedConfig::from_toml("x", std::str::from_utf8(&toml).unwrap()).unwrap();
    assert_eq!(config, tg_config::ChangefeedConfig::default(), "an export can be used to create");
}

#[tokio::test]
async fn v1_changes_with_202() {
    let app = app();
    let (status, ..) =
        call(&app, "POST", "/api/v1/changefeeds", r#"{"changefeed_id":"a","sink_uri":"print://"}"#).await;
    assert_eq!(status, 202);
    let (status, _, body) = call(&app, "PUT", "/api/v1/captures/drain", r#"{"capture_id":"node-1"}"#).await;
    assert_eq!((status, body.as_str()), (202, r#"{"current_table_count":2}"#));
    assert_eq!(call(&app, "GET", "/api/v1/changefeeds/none", "").await.0, 400);
}

#[test]
fn every_error_has_a_page() {
    let text = String::new;
    let ts = Ts::ZERO;
    for error in [
        ApiError::NotFound { name: text() },
        ApiError::AlreadyExists { name: text() },
        ApiError::InvalidParam { reason: text() },
        ApiError::SinkUri { uri: text(), reason: text() },
        ApiError::UpdateRefused { reason: text() },
        ApiError::TargetBeforeStart { start_ts: ts, target_ts: ts },
        ApiError::StartBeforeGc { start_ts: ts, safepoint_ts: ts },
        ApiError::TableIneligible { count: 1, first: text() },
        ApiError::CaptureNotFound { name: text() },
        ApiError::Unhealthy { reason: text() },
    ] {
        assert!(CODES.iter().any(|p| p.code == error.code()), "{error:?}");
    }
}

#[tokio::test]
async fn limits_of_the_scheduler_are_shown_and_set() {
    let (app, path) = (app(), "/api/v2/tidegate/schedule/limits");
    let (status, _, text) = call(&app, "GET", path, "").await;
    let value = |text: &str| {
        let answer: Value = serde_json::from_str(text).unwrap();
        answer["limits"][0]["value"].as_u64()
    };
    assert_eq!((status, value(&text)), (200, Some(64)), "{text}");
    let (status, _, text) = call(&app, "PUT", path, r#"{"moves":8}"#).await;
    assert_eq!((status, value(&text)), (200, Some(8)), "{text}");
    for (body, why) in [
        (r#"{"moves":9,"colour":1}"#, "no limit `colour`"),
        (r#"{"moves":-1}"#, "`moves`: invalid value"),
        (r#"{"moves":"9"}"#, "`moves`: invalid type"),
        ("[]", "invalid type"),
    ] {
        let (status, _, text) = call(&app, "PUT", path, body).await;
        assert!(status == 400 && text.contains(why), "{status} {text}");
    }
    assert_eq!(value(&call(&app, "GET", path, "").await.2), Some(8), "what is refused changes nothing");
    let (_, _, text) = call(&app, "PUT", path, r#"{"moves":null}"#).await;
    assert_eq!(value(&text), Some(64), "{text}");
}
