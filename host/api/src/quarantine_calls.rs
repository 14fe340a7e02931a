//! Calls on rows that were put aside, under `/api/v2/tidegate/changefeeds/{id}/quarantine`.

use crate::{
    ApiError, Chosen, Control, body,
    changefeeds::{Scope, id},
    router::{Handled, Shared},
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

/// Most rows in one answer.
const ROWS_MAX: usize = 1_000;
/// Most rows chosen by id.
const CHOSEN_MAX: usize = 10_000;

pub(crate) fn routes<C: Control>() -> Router<Shared<C>> {
    Router::new()
        .route("/changefeeds/{id}/quarantine", get(list::<C>))
        .route("/changefeeds/{id}/quarantine/rows/{row}", get(show::<C>))
        .route("/changefeeds/{id}/quarantine/replay", post(replay::<C>))
        .route("/changefeeds/{id}/quarantine/drop", post(drop_rows::<C>))
}

#[derive(Deserialize, Default)]
struct ListQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

async fn list<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
    Query(query): Query<ListQuery>,
) -> Handled {
    let limit = query.limit.unwrap_or(ROWS_MAX).min(ROWS_MAX);
    Ok(body::answer(&api.control.quarantined(&id(&scope, &name)?, query.after, limit).await?))
}

async fn show<C: Control>(
    State(api): State<Shared<C>>,
    Path((name, row)): Path<(String, u64)>,
    Query(scope): Query<Scope>,
) -> Handled {
    Ok(body::answer(&api.control.quarantined_row(&id(&scope, &name)?, row).await?))
}

/// Names rows by id, or says that all are meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChosenBody {
    #[serde(default)]
    all: bool,
    #[serde(default)]
    ids: Vec<u64>,
}

fn chosen(bytes: &[u8]) -> Result<Chosen, ApiError> {
    let bad = |reason: String| ApiError::InvalidParam { reason };
    let body: ChosenBody = body::read(bytes)?;
    match (body.all, body.ids) {
        (true, ids) if ids.is_empty() => Ok(Chosen::All),
        (false, ids) if ids.is_empty() => Err(bad("give `ids`, or `all`: true".to_owned())),
        (true, _) => Err(bad("give `ids` or `all`, not both".to_owned())),
        (false, ids) if ids.len() > CHOSEN_MAX => Err(bad(format!("`ids`: at most {CHOSEN_MAX} at a time"))),
        (false, ids) => Ok(Chosen::Ids(ids)),
    }
}

async fn replay<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
    bytes: Bytes,
) -> Handled {
    Ok(body::answer(&api.control.replay(&id(&scope, &name)?, chosen(&bytes)?).await?))
}

async fn drop_rows<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
    bytes: Bytes,
) -> Handled {
    let dropped = api.control.drop_rows(&id(&scope, &name)?, chosen(&bytes)?).await?;
    Ok(body::answer(&json!({ "dropped": dropped })))
}
