//! Every call that the recording of `cdc cli` and a TiCDC server holds, sent to our API: status, content
//! type, TiCDC's error code, and the names and types of everything in the answer are the same.

use crate::fake::Fake;
use axum::{body::Body, http::Request};
use serde_json::Value;
use std::sync::Arc;
use tg_api::{ApiOptions, router};
use tower::ServiceExt;

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden/http/ticdc-api.json");

/// Members of TiCDC's answers that ours may have besides.
const OURS: &[&str] = &["tidegate_code", "tidegate_state", "next_step"];

/// Calls whose answer is another one here, on purpose: (entry, path, why).
const OTHERWISE: &[(usize, &str, &str)] = &[
    (9, "/api/v2/verify_table", "a start lost to GC is the caller's mistake: 400 with CDC:ErrStartTsBeforeGC"),
    (51, "/api/v2/verify_table", "as above"),
    (
        56,
        "/api/v2/changefeeds/demo",
        "TiCDC forgets the pointers that a partial update leaves out; here they get defaults",
    ),
];

/// What differs in shape between `theirs` and `ours`.
fn differences(path: &str, theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                match b.get(name) {
                    Some(own) => differences(&format!("{path}.{name}"), value, own, found),
                    None => found.push(format!("{path}.{name} is missing")),
                }
            }
            let extra = b.keys().filter(|name| !a.contains_key(*name) && !OURS.contains(&name.as_str()));
            found.extend(extra.map(|name| format!("{path}.{name} is not theirs")));
        }
        (Value::Array(a), Value::Array(b)) => match (a.first(), b.first()) {
            (Some(x), Some(y)) => differences(&format!("{path}[]"), x, y, found),
            (Some(_), None) => found.push(format!("{path} is empty")),
            _ => {}
        },
        (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        (Value::Null, Value::Null) => {}
        (a, b) => found.push(format!("{path}: {a} became {b}")),
    }
}

#[tokio::test]
async fn the_recording_is_answered_in_kind() {
    let Ok(text) = std::fs::read_to_string(RECORDING) else {
        println!("passed over: there is no {RECORDING}");
        return;
    };
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let options = ApiOptions { tz: jiff::tz::TimeZone::UTC, registry: None };
    let app = router(Arc::new(Fake::default()), options);
    let (mut calls, mut complaints) = (0, Vec::new());
    for (n, entry) in entries.iter().enumerate() {
        for call in entry["http"].as_array().unwrap() {
            let (method, path) = (call["method"].as_str().unwrap(), call["path"].as_str().unwrap());
            let body = if call["request"].is_null() { String::new() } else { call["request"].to_string() };
            let request = Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let content_type = response.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
            let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            calls += 1;
            if let Some((_, _, why)) =
                OTHERWISE.iter().find(|(i, p, _)| *i == n && path.starts_with(p) && method != "GET")
            {
                println!("{n} {method} {path}: {why}");
                continue;
            }
            let theirs = &call["response"];
            let ours = match serde_json::from_slice(&bytes) {
                Ok(json) => json,
                Err(_) => Value::from(String::from_utf8(bytes.to_vec()).unwrap()),
            };
            let mut found = Vec::new();
            if call["status"] != status {
                found.push(format!("status {} became {status}", call["status"]));
            }
            if call["content_type"] != content_type.as_str() {
                found.push(format!("{} became {content_type}", call["content_type"]));
            }
            if theirs.get("error_code").is_some_and(|code| Some(code) != ours.get("error_code")) {
                found.push(format!("{} became {ours}", theirs["error_code"]));
            }
            differences("", theirs, &ours, &mut found);
            // A changefeed that was partly updated lacks members in the recording from then on.
            found.retain(|f| !(n > 56 && f.starts_with(".config.enable_")));
            complaints.extend(found.into_iter().map(|f| format!("{n} {method} {path}: {f}")));
        }
    }
    assert_eq!(complaints, Vec::<String>::new(), "{}", complaints.join("\n"));
    assert!(calls > 100, "the recording holds many calls, not {calls}");
}
