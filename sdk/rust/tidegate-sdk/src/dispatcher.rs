//! A plugin that decides where rows go.

use crate::{Attrs, BadEvent, Context, Failure, Manifest, RowBatch, TableRef, TableSchema};
use std::sync::Arc;

/// The lane that means: leave the row out.
pub const LEAVE_OUT: u16 = u16::MAX;

/// What a dispatcher wants of one table version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DispatchPlan {
    /// Columns needed for the decision; `None`: all; empty: row headers only.
    pub columns: Option<Vec<u32>>,
    /// Names that [`Decisions::targets`] point to; empty: the table itself.
    pub targets: Vec<String>,
    /// An update whose row key changed reaches `dispatch` and the sink as a delete and an insert.
    pub split_key_updates: bool,
    /// For growth.
    pub attrs: Attrs,
}

/// Where the rows of a batch go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decisions {
    /// One per row (below `lanes`, or [`LEAVE_OUT`]), or empty: all to lane 0.
    pub lanes: Vec<u16>,
    /// One per row or empty: target 0.
    pub targets: Vec<u16>,
    /// One per row or empty: 0.
    pub partitions: Vec<u32>,
    /// Rows that cannot be decided.
    pub quarantined: Vec<BadEvent>,
}

/// Rows to places. Pure: no capabilities, the same answer for the same rows.
pub trait Dispatcher {
    /// Says what the plugin is.
    fn manifest() -> Manifest
    where
        Self: Sized;

    /// Starts.
    ///
    /// # Errors
    /// When the configuration is not understood.
    fn open(ctx: Context) -> Result<Self, Failure>
    where
        Self: Sized;

    /// Before the first row of a schema version.
    ///
    /// # Errors
    /// When rows of such a table cannot be decided.
    fn on_schema(&mut self, schema: Arc<TableSchema>) -> Result<DispatchPlan, Failure>;

    /// A schema version is not used any more.
    fn drop_schema(&mut self, table: TableRef) {
        let _ = table;
    }

    /// Partitions of each target of this table's plan, when the sink's side knows them; before the table's first rows.
    fn partition_counts(&mut self, table: TableRef, counts: &[u32]) {
        let _ = (table, counts);
    }

    /// Decides for every row. `data` is TGR1 with the columns of the plan.
    ///
    /// # Errors
    /// As [`Failure`] says.
    fn dispatch(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Decisions, Failure>;
}
