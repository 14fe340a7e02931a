//! Where the tables of a changefeed are: calls under `/api/v2/tidegate/changefeeds/{id}/spans`.

use crate::{
    ApiError, Control, body,
    changefeeds::{Scope, id},
    router::{Handled, Shared},
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tg_model::{ChangefeedId, TableId};

/// A part of a changefeed's tables that is on one node and moves as one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SlotPlace {
    /// Its number.
    pub slot: u16,
    /// The node's process.
    pub capture: String,
    /// Where that is reached, `host:port`.
    pub address: String,
    /// Somebody said that it is to be on a certain node.
    pub pinned: bool,
    /// Tables and partitions in it.
    pub tables: u64,
}

/// A table or partition that a changefeed follows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SpanRow {
    /// Physical id.
    pub table_id: TableId,
    /// Its schema.
    pub schema: String,
    /// Its name; of a partition, the table's.
    pub table: String,
    /// The slot it is in, for ever.
    pub slot: u16,
}

/// Where everything of a changefeed is; empty when it does not run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SpanList {
    /// By number.
    pub slots: Vec<SlotPlace>,
    /// By physical id.
    pub spans: Vec<SpanRow>,
}

/// The server behind these calls.
pub trait SpanControl: Send + Sync + 'static {
    /// Where the tables of a changefeed are.
    fn spans(&self, id: &ChangefeedId) -> impl Future<Output = Result<SpanList, ApiError>> + Send;

    /// Has a slot run on the node of this capture while that is there; `None`: wherever it fits. Returns when that is stored.
    fn move_slot(
        &self,
        id: &ChangefeedId,
        slot: u16,
        to: Option<&str>,
    ) -> impl Future<Output = Result<(), ApiError>> + Send;
}

pub(crate) fn routes<C: Control>() -> Router<Shared<C>> {
    Router::new()
        .route("/changefeeds/{id}/spans", get(list::<C>))
        .route("/changefeeds/{id}/spans/move", post(move_slot::<C>))
}

async fn list<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
) -> Handled {
    Ok(body::answer(&api.control.spans(&id(&scope, &name)?).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveBody {
    slot: u16,
    to: Option<String>,
}

async fn move_slot<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
    bytes: Bytes,
) -> Handled {
    let MoveBody { slot, to } = body::read(&bytes)?;
    api.control.move_slot(&id(&scope, &name)?, slot, to.as_deref()).await?;
    Ok(body::answer(&json!({})))
}
