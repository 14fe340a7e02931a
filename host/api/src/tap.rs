//! `GET /api/v2/tidegate/changefeeds/{id}/tap`: rows as they pass, one line of JSON each, until the changefeed or the client ends.

use crate::{
    ApiError, Control,
    changefeeds::{Scope, id},
    router::{Handled, Shared},
};
use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State},
    http::header,
    response::IntoResponse,
    routing::get,
};
use serde::Deserialize;
use std::{convert::Infallible, future::Future};
use tg_model::ChangefeedId;
use tokio::sync::mpsc;

/// Which rows are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TapQuery {
    /// Table rules; none: all tables.
    pub tables: Vec<String>,
    /// A condition in the words of event filters.
    pub condition: Option<String>,
}

/// Lines of JSON, each with its line feed.
pub type TapLines = mpsc::Receiver<String>;

/// The streams of a server's changefeeds behind the API.
pub trait TapControl: Send + Sync + 'static {
    /// Rows of a changefeed from now on. It is never slowed down: what is not read in time is dropped, and a line says how much.
    fn tap(&self, id: &ChangefeedId, query: TapQuery) -> impl Future<Output = Result<TapLines, ApiError>> + Send;
}

pub(crate) fn routes<C: Control>() -> Router<Shared<C>> {
    Router::new().route("/changefeeds/{id}/tap", get(tap::<C>))
}

#[derive(Deserialize, Default)]
struct RawQuery {
    /// Rules, separated by commas.
    tables: Option<String>,
    #[serde(rename = "where")]
    condition: Option<String>,
}

async fn tap<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
    Query(query): Query<RawQuery>,
) -> Handled {
    let tables = query.tables.iter().flat_map(|t| t.split(',')).filter(|t| !t.is_empty()).map(str::to_owned).collect();
    let query = TapQuery { tables, condition: query.condition.filter(|c| !c.is_empty()) };
    let lines = api.control.tap(&id(&scope, &name)?, query).await?;
    let next = |mut lines: TapLines| async { lines.recv().await.map(|line| (Ok::<_, Infallible>(line), lines)) };
    let body = Body::from_stream(futures::stream::unfold(lines, next));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}
