//! What the API asks of the server about rows that were put aside.

use crate::ApiError;
use std::future::Future;
use tg_model::{ChangefeedId, Ts};

type Answer<T> = Result<T, ApiError>;

/// A row that was put aside.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct QuarantinedRow {
    /// Names it within the changefeed.
    pub id: u64,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// Schema of its table.
    pub schema: String,
    /// Its table.
    pub table: String,
    /// Commit-ts of the row.
    pub commit_ts: Ts,
    /// `insert`, `update` or `delete`.
    pub op: String,
    /// Who refused it: a plugin, or `mounter`.
    pub by: String,
    /// The reason's name.
    pub code: String,
    /// The reason.
    pub message: String,
    /// The row's values by column, when it was asked for and can be read.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub row: serde_json::Value,
}

/// Rows of a quarantine.
#[derive(Clone, PartialEq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct QuarantineList {
    /// How many there are in all.
    pub total: u64,
    /// The ones asked for, by id.
    pub items: Vec<QuarantinedRow>,
}

/// What became of rows that were handed to the sink again.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Replayed {
    /// Written, and out of the quarantine.
    pub written: u64,
    /// Refused again, and still there: id and reason.
    pub refused: Vec<(u64, String)>,
}

/// Which rows are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Chosen {
    /// All.
    All,
    /// These.
    Ids(Vec<u64>),
}

/// The server's quarantines behind the API.
pub trait QuarantineControl: Send + Sync + 'static {
    /// Rows with an id above `after`, at most `limit`; without their values.
    fn quarantined(
        &self,
        id: &ChangefeedId,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Answer<QuarantineList>> + Send;

    /// One row with its values.
    fn quarantined_row(&self, id: &ChangefeedId, row: u64) -> impl Future<Output = Answer<QuarantinedRow>> + Send;

    /// Hands rows to the changefeed's sink again.
    fn replay(&self, id: &ChangefeedId, chosen: Chosen) -> impl Future<Output = Answer<Replayed>> + Send;

    /// Deletes rows; how many.
    fn drop_rows(&self, id: &ChangefeedId, chosen: Chosen) -> impl Future<Output = Answer<u64>> + Send;
}
