//! A plugin that makes rows of rows, before they are dispatched.

use crate::{Attrs, BadEvent, Context, DdlEvent, Failure, Manifest, RowBatch, TableRef, TableSchema};
use std::sync::Arc;

/// What a transform does with one table version.
#[derive(Clone, PartialEq, Debug)]
pub struct TransformPlan {
    /// `false`: rows of this table pass as they are, and no call is made for them.
    pub active: bool,
    /// Positions of the columns wanted in `data`; `None`: all.
    pub columns: Option<Vec<u32>>,
    /// What the table is to everyone behind, with the same id; `None`: as it was.
    pub output: Option<TableSchema>,
    /// For growth.
    pub attrs: Attrs,
}

impl TransformPlan {
    /// The table and its rows stay as they are.
    #[must_use]
    pub const fn pass() -> Self {
        Self { active: false, columns: None, output: None, attrs: Attrs::new() }
    }
}

/// The rows that a transform makes of a batch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Transformed {
    /// TGR1 with the columns of the output, rows in the order of the input; empty: no row is left.
    pub data: Vec<u8>,
    /// For each row of `data` the row of the input it came from, rising.
    pub origins: Vec<u32>,
    /// Rows that cannot be transformed.
    pub quarantined: Vec<BadEvent>,
}

/// Rows to rows. Pure: no endpoints, the same answer for the same rows.
pub trait Transform {
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
    /// When rows of such a table cannot be transformed.
    fn on_schema(&mut self, schema: Arc<TableSchema>) -> Result<TransformPlan, Failure>;

    /// A schema version is not used any more.
    fn drop_schema(&mut self, table: TableRef) {
        let _ = table;
    }

    /// Makes rows of rows. `data` is TGR1 with the columns of the plan. Op, images, flags and timestamps of a row stay as they are.
    ///
    /// # Errors
    /// As [`Failure`] says.
    fn transform(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Transformed, Failure>;

    /// The DDL as everyone behind is to see it; `None`: they are not to see it.
    ///
    /// # Errors
    /// As [`Failure`] says.
    fn on_ddl(&mut self, ddl: DdlEvent) -> Result<Option<DdlEvent>, Failure> {
        Ok(Some(ddl))
    }
}
