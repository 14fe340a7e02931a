//! Calls on nodes and the cluster.

use crate::{
    ApiError, Control, body,
    objects::{LogBody, TsoAnswer},
    router::{Handled, Shared, done},
};
use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    response::Response,
};
use serde_json::{Value, json};
use tg_config::server::LOG_LEVELS;

pub(crate) async fn status<C: Control>(State(api): State<Shared<C>>) -> Response {
    body::answer(&api.control.status())
}

pub(crate) async fn health<C: Control>(State(api): State<Shared<C>>) -> Handled {
    api.control.health().await?;
    done()
}

pub(crate) async fn tso<C: Control>(State(api): State<Shared<C>>) -> Handled {
    let ts = api.control.tso().await?;
    Ok(body::answer(&TsoAnswer { timestamp: ts.physical_ms(), logic_time: ts.logical() }))
}

pub(crate) async fn log<C: Control>(State(api): State<Shared<C>>, bytes: Bytes) -> Handled {
    let request: LogBody = body::read(&bytes)?;
    let level = request.log_level.to_ascii_lowercase();
    let level = if level == "warning" { "warn" } else { level.as_str() };
    if !LOG_LEVELS.contains(&level) {
        let reason = format!("fail to change log level: {}", request.log_level);
        return Err(ApiError::InvalidParam { reason });
    }
    api.control.set_log_level(level).await?;
    done()
}

pub(crate) async fn captures<C: Control>(State(api): State<Shared<C>>) -> Handled {
    Ok(body::list(&api.control.captures().await?))
}

pub(crate) async fn drain<C: Control>(State(api): State<Shared<C>>, Path(capture): Path<String>) -> Handled {
    drained(&*api.control, &capture).await
}

pub(crate) async fn drained<C: Control>(control: &C, capture: &str) -> Handled {
    let spans = control.drain(capture).await?;
    let mut response = body::answer(&json!({ "current_table_count": spans }));
    *response.status_mut() = axum::http::StatusCode::ACCEPTED;
    Ok(response)
}

#[derive(serde::Deserialize)]
pub(crate) struct Away {
    /// For how many milliseconds the node may be away.
    away_max_ms: Option<u64>,
}

/// How long a node in maintenance may be away when nothing is said.
const AWAY_MAX_MS: u64 = 60_000;

pub(crate) async fn maintain<C: Control>(
    State(api): State<Shared<C>>,
    Path(node): Path<String>,
    Query(away): Query<Away>,
) -> Handled {
    Ok(body::answer(&api.control.maintain(&node, Some(away.away_max_ms.unwrap_or(AWAY_MAX_MS))).await?))
}

pub(crate) async fn end_maintenance<C: Control>(State(api): State<Shared<C>>, Path(node): Path<String>) -> Handled {
    Ok(body::answer(&api.control.maintain(&node, None).await?))
}

pub(crate) async fn resign<C: Control>(State(api): State<Shared<C>>) -> Handled {
    api.control.resign().await?;
    done()
}

/// There are no processors; TiCDC's new architecture answers with an empty list too.
pub(crate) async fn processors() -> Response {
    body::list::<Value>(&[])
}

pub(crate) async fn processor() -> Response {
    body::answer(&json!({ "table_ids": [] }))
}

pub(crate) async fn metadata<C: Control>(State(api): State<Shared<C>>) -> Handled {
    let pairs = api.control.metadata().await?;
    let items: Vec<Value> = pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    Ok(body::answer(&items))
}
