//! Calls on plugins, under `/api/v2/plugins`.

use crate::{
    ApiError, Control, NewPlugin, TakeOver, body,
    router::{Handled, Shared},
};
use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

/// Header that carries the signature of a component.
const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("x-tidegate-signature");
/// Most lines in one answer.
const LINES_MAX: usize = 1_000;
/// Longest time an answer waits for lines.
const WAIT_MAX_MS: u64 = 30_000;

pub(crate) fn routes<C: Control>() -> Router<Shared<C>> {
    Router::new()
        .route("/", get(list::<C>).post(push::<C>))
        .route("/{plugin}", get(inspect::<C>).delete(remove::<C>))
        .route("/{plugin}/activate", post(activate::<C>))
        .route("/{plugin}/rollback", post(roll_back::<C>))
        .route("/{plugin}/logs", get(logs::<C>))
        .route("/blobs/{digest}", get(blob::<C>))
}

/// How a version is named and takes over.
#[derive(Deserialize, Default)]
struct PushQuery {
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    activate: bool,
    canary: Option<String>,
}

fn take_over(activate: bool, canary: Option<&str>) -> Result<TakeOver, ApiError> {
    let Some(text) = canary.filter(|c| !c.is_empty()) else {
        return Ok(if activate { TakeOver::Swap } else { TakeOver::No });
    };
    match text.trim_end_matches('%').parse::<u8>() {
        Ok(percent) if (1..=100).contains(&percent) => Ok(TakeOver::Canary { percent }),
        _ => Err(ApiError::InvalidParam { reason: format!("canary: `{text}` is no share of 1% to 100%") }),
    }
}

async fn list<C: Control>(State(api): State<Shared<C>>) -> Handled {
    Ok(body::list(&api.control.plugins().await?))
}

async fn push<C: Control>(
    State(api): State<Shared<C>>,
    Query(query): Query<PushQuery>,
    headers: HeaderMap,
    body: Body,
) -> Handled {
    let take_over = take_over(query.activate, query.canary.as_deref())?;
    let limit = api.control.plugin_size_max();
    // One byte more than the limit, so that the registry says what is too large.
    let bytes = axum::body::to_bytes(body, limit + 1).await;
    let bytes = bytes.map_err(|e| ApiError::InvalidParam {
        reason: format!("the component could not be read, or has more than {limit} bytes: {e}"),
    })?;
    let signature = headers.get(SIGNATURE_HEADER).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let given = |text: Option<String>| text.filter(|t| !t.is_empty());
    let new = NewPlugin {
        bytes: bytes.to_vec(),
        name: given(query.name),
        version: given(query.version),
        signature,
        take_over,
    };
    Ok(body::answer(&api.control.push(new).await?))
}

async fn inspect<C: Control>(State(api): State<Shared<C>>, Path(plugin): Path<String>) -> Handled {
    Ok(body::answer(&api.control.inspect(&plugin).await?))
}

async fn remove<C: Control>(State(api): State<Shared<C>>, Path(plugin): Path<String>) -> Handled {
    let versions = api.control.remove_plugin(&plugin).await?;
    Ok(body::answer(&json!({ "removed": versions })))
}

#[derive(Deserialize)]
struct ActivateQuery {
    version: String,
    canary: Option<String>,
}

async fn activate<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(query): Query<ActivateQuery>,
) -> Handled {
    let take_over = take_over(true, query.canary.as_deref())?;
    Ok(body::answer(&api.control.activate(&name, &query.version, take_over).await?))
}

async fn roll_back<C: Control>(State(api): State<Shared<C>>, Path(name): Path<String>) -> Handled {
    Ok(body::answer(&api.control.roll_back(&name).await?))
}

#[derive(Deserialize, Default)]
struct LogsQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
    #[serde(default)]
    wait_ms: u64,
}

async fn logs<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(query): Query<LogsQuery>,
) -> Handled {
    let limit = query.limit.unwrap_or(LINES_MAX).min(LINES_MAX);
    Ok(body::list(&api.control.plugin_lines(&name, query.after, limit, query.wait_ms.min(WAIT_MAX_MS)).await?))
}

/// What another node asks for. It checks what it gets.
async fn blob<C: Control>(State(api): State<Shared<C>>, Path(digest): Path<String>) -> Result<Response, ApiError> {
    match api.control.blob(&digest).await? {
        Some(bytes) => Ok(([(header::CONTENT_TYPE, "application/wasm")], bytes).into_response()),
        None => Ok(axum::http::StatusCode::NOT_FOUND.into_response()),
    }
}

/// The plugins of a changefeed.
pub(crate) async fn of_changefeed<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<crate::changefeeds::Scope>,
) -> Handled {
    let id = crate::changefeeds::id(&scope, &name)?;
    Ok(body::answer(&api.control.feed_plugins(&id).await?))
}
