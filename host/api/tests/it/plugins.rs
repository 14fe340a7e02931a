//! Calls on plugins and on rows that were put aside.

use crate::fake::Fake;
use axum::{Router, body::Body, http::Request};
use serde_json::{Value, json};
use std::sync::Arc;
use tg_api::{ApiOptions, TakeOver, router};
use tower::ServiceExt;

struct App {
    fake: Arc<Fake>,
    router: Router,
}

impl App {
    fn new() -> Self {
        let fake = Arc::new(Fake::default());
        let router = router(Arc::clone(&fake), ApiOptions { tz: jiff::tz::TimeZone::UTC, registry: None });
        Self { fake, router }
    }

    async fn raw(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let request = Request::builder().method(method).uri(path).header("x-tidegate-signature", "signed");
        let response = self.router.clone().oneshot(request.body(Body::from(body.to_vec())).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        (status, axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
    }

    async fn call(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let (status, bytes) = self.raw(method, path, body).await;
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

#[tokio::test]
async fn a_component_goes_in_with_its_name_and_signature() {
    let app = App::new();
    let path = "/api/v2/plugins?name=orders&version=2.0.0&canary=10%25";
    let (status, answer) = app.call("POST", path, b"\0asm").await;
    assert_eq!((status, &answer["version"], &answer["new"]), (200, &json!("2.0.0"), &json!(true)), "{answer}");
    assert_eq!(answer["changefeeds"][0]["stall_us"], 1_500);
    let pushed = app.fake.pushed.lock().unwrap()[0].clone();
    assert_eq!(pushed.take_over, TakeOver::Canary { percent: 10 });
    assert_eq!((pushed.name.as_deref(), pushed.signature.as_deref()), (Some("orders"), Some("signed")));

    let (status, answer) = app.call("POST", "/api/v2/plugins", b"text").await;
    assert_eq!((status, &answer["tidegate_code"]), (400, &json!("TG-2001")), "{answer}");
    let (status, answer) = app.call("POST", "/api/v2/plugins?canary=101", b"\0asm").await;
    assert_eq!((status, &answer["tidegate_code"]), (400, &json!("TG-6103")), "{answer}");
    let (status, _) = app.call("POST", "/api/v2/plugins", &vec![0; (1 << 20) + 2]).await;
    assert_eq!(status, 400, "what is far above the limit is not even read");
}

#[tokio::test]
async fn plugins_are_listed_inspected_rolled_back_and_removed() {
    let app = App::new();
    app.call("POST", "/api/v2/plugins?name=orders", b"\0asm").await;
    let (_, answer) = app.call("GET", "/api/v2/plugins", b"").await;
    assert_eq!((&answer["total"], &answer["items"][0]["name"]), (&json!(1), &json!("orders")));
    let (_, answer) = app.call("GET", "/api/v2/plugins/orders@2.0.0", b"").await;
    assert_eq!(answer["version"]["version"], "2.0.0");
    assert_eq!(answer["capabilities"][0]["name"], "http");
    let (_, answer) = app.call("POST", "/api/v2/plugins/orders/activate?version=2.0.0", b"").await;
    assert_eq!(answer["active"], true);
    let (_, answer) = app.call("POST", "/api/v2/plugins/orders/rollback", b"").await;
    assert_eq!(answer["version"], "1.0.0");
    let (_, answer) = app.call("GET", "/api/v2/plugins/orders/logs?after=3&limit=1", b"").await;
    assert_eq!((&answer["total"], &answer["items"][0]["seq"]), (&json!(1), &json!(4)));
    let (_, answer) = app.call("DELETE", "/api/v2/plugins/orders", b"").await;
    assert_eq!(answer["removed"], json!(["1.0.0", "2.0.0"]));
    let (status, answer) = app.call("GET", "/api/v2/plugins/orders", b"").await;
    assert_eq!((status, &answer["tidegate_code"]), (400, &json!("TG-4101")));
}

#[tokio::test]
async fn bytes_are_given_to_other_nodes() {
    let app = App::new();
    let (status, bytes) = app.raw("GET", &format!("/api/v2/plugins/blobs/{}", crate::fake::DIGEST), b"").await;
    assert_eq!((status, bytes.as_slice()), (200, &b"\0asm"[..]));
    assert_eq!(app.raw("GET", "/api/v2/plugins/blobs/sha256:00", b"").await.0, 404);
}

#[tokio::test]
async fn rows_put_aside_are_shown_replayed_and_dropped() {
    let app = App::new();
    let create = br#"{"changefeed_id":"orders","sink_uri":"print://"}"#;
    assert_eq!(app.call("POST", "/api/v2/changefeeds", create).await.0, 200);
    let base = "/api/v2/tidegate/changefeeds/orders/quarantine";
    let (_, answer) = app.call("GET", &format!("{base}?after=1&limit=1"), b"").await;
    assert_eq!((&answer["total"], &answer["items"][0]["id"]), (&json!(3), &json!(2)), "{answer}");
    let (_, answer) = app.call("GET", &format!("{base}/rows/2"), b"").await;
    assert_eq!(answer["row"]["after"]["id"], 2);
    let (_, answer) = app.call("POST", &format!("{base}/replay"), br#"{"all":true}"#).await;
    assert_eq!((&answer["written"], &answer["refused"][0][0]), (&json!(2), &json!(3)));
    let (_, answer) = app.call("POST", &format!("{base}/drop"), br#"{"ids":[1,2]}"#).await;
    assert_eq!(answer["dropped"], 2);
    for body in [&b"{}"[..], br#"{"all":true,"ids":[1]}"#, br#"{"id":[1]}"#] {
        assert_eq!(app.call("POST", &format!("{base}/drop"), body).await.0, 400);
    }
    let (_, answer) = app.call("GET", "/api/v2/tidegate/changefeeds/orders/plugins", b"").await;
    assert_eq!(answer["plugins"][0]["version"], "1.0.0");
    let (status, _) = app.call("GET", "/api/v2/tidegate/changefeeds/other/plugins", b"").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn plugins_are_measured() {
    let app = App::new();
    let (_, text) = app.raw("GET", "/metrics", b"").await;
    let text = String::from_utf8(text).unwrap();
    for line in [
        "tidegate_plugin_calls_total{plugin=\"orders\",version=\"1.0.0\"} 10",
        "tidegate_plugin_rows_total{plugin=\"orders\",version=\"1.0.0\"} 2500",
        "tidegate_plugin_traps_total{plugin=\"orders\",version=\"1.0.0\"} 1",
        "tidegate_plugin_cpu_seconds_total{plugin=\"orders\",version=\"1.0.0\"} 0.002",
        "tidegate_plugin_calls_up_to_total{plugin=\"orders\",version=\"1.0.0\",le_us=\"100\"} 9",
        "tidegate_plugin_counter_total{plugin=\"orders\",version=\"1.0.0\",name=\"sent\"} 7",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn places_of_tables_are_shown_and_changed() {
    let app = App::new();
    let create = br#"{"changefeed_id":"orders","sink_uri":"print://"}"#;
    assert_eq!(app.call("POST", "/api/v2/changefeeds", create).await.0, 200);
    let base = "/api/v2/tidegate/changefeeds/orders/spans";
    let (_, answer) = app.call("GET", base, b"").await;
    assert_eq!((&answer["slots"][1]["address"], &answer["spans"][0]["slot"]), (&json!("h:1"), &json!(1)), "{answer}");
    for (body, status) in [
        (&br#"{"slot":1,"to":"c0"}"#[..], 200),
        (br#"{"slot":1}"#, 200),
        (br#"{"slot":1,"to":"c9"}"#, 400),
        (br#"{"slot":"one"}"#, 400),
        (br#"{"slot":1,"where":"c0"}"#, 400),
    ] {
        assert_eq!(app.call("POST", &format!("{base}/move"), body).await.0, status);
    }
}
