//! Our own calls, under `/api/v2/tidegate`.

use crate::{
    ApiError, Changefeed, Control, body,
    changefeeds::{Scope, id, listed},
    limits, objects, plugin_calls, quarantine_calls,
    router::{Handled, Shared},
    server_calls, spans, tap,
};
use axum::{
    Router,
    extract::{Path, Query, State},
    routing::{get, post},
};
use serde_json::{Value, json};

pub(crate) fn routes<C: Control>() -> Router<Shared<C>> {
    Router::new()
        .route("/overview", get(overview::<C>))
        .route(
            "/captures/{node}/maintenance",
            post(server_calls::maintain::<C>).delete(server_calls::end_maintenance::<C>),
        )
        .route("/changefeeds/{id}/progress", get(progress::<C>))
        .route("/changefeeds/{id}/why", get(why::<C>))
        .route("/changefeeds/{id}/plugins", get(plugin_calls::of_changefeed::<C>))
        .merge(quarantine_calls::routes::<C>())
        .merge(limits::routes::<C>())
        .merge(spans::routes::<C>())
        .merge(tap::routes::<C>())
}

/// One changefeed with its progress.
async fn row<C: Control>(api: &Shared<C>, feed: &Changefeed) -> Result<Value, ApiError> {
    let mut info = objects::common_info(feed, &api.options.tz);
    if let Some(members) = info.as_object_mut() {
        members.insert("sink_uri".to_owned(), feed.sink_uri.to_string().into());
        members.insert("resolved_ts".to_owned(), json!(feed.resolved_ts));
        members.insert("progress".to_owned(), json!(api.control.progress(&feed.id).await?));
    }
    Ok(info)
}

/// What the console shows: the node, the cluster, every changefeed with its progress.
async fn overview<C: Control>(State(api): State<Shared<C>>, Query(scope): Query<Scope>) -> Handled {
    let mut rows = Vec::new();
    for feed in listed(&*api.control, &scope).await? {
        match row(&api, &feed).await {
            Ok(row) => rows.push(row),
            // Removed since the list was made.
            Err(ApiError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let captures = api.control.captures().await?;
    Ok(body::answer(&json!({ "status": api.control.status(), "captures": captures, "changefeeds": rows })))
}

async fn progress<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
) -> Handled {
    let feed = api.control.get(&id(&scope, &name)?).await?;
    Ok(body::answer(&row(&api, &feed).await?))
}

/// Why a changefeed does not move: its error, and what it waits for.
async fn why<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
) -> Handled {
    let feed = api.control.get(&id(&scope, &name)?).await?;
    let progress = api.control.progress(&feed.id).await?;
    Ok(body::answer(&json!({
        "id": feed.id.name,
        "state": feed.state.name(),
        "checkpoint_lag_ms": progress.checkpoint_lag_ms,
        "error": feed.error.as_ref().map(objects::running_error),
        "waiting": progress.waiting,
        "plugins": progress.plugins,
        "quarantined": progress.quarantined,
    })))
}
