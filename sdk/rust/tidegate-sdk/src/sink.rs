//! A plugin that writes somewhere.

use crate::{Attrs, Context, DdlEvent, Failure, Manifest, Position, TableRef, TableSchema};
use std::sync::Arc;

/// The batch as it lives in the host: what was not asked for in the plan can be had from here.
pub trait RowBatch {
    /// Which version of which table.
    fn table(&self) -> TableRef;
    /// Rows.
    fn row_count(&self) -> u32;
    /// Bytes of the whole batch with all columns.
    fn byte_size(&self) -> u32;
    /// The rows from `start` on, at most `count`, as TGR1 with these columns; `None`: all columns.
    ///
    /// # Errors
    /// When a column or row does not exist.
    fn read(&self, columns: Option<&[u32]>, start: u32, count: u32) -> Result<Vec<u8>, String>;
}

/// What a sink wants of one table version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TablePlan {
    /// Positions of the columns wanted in `data`; `None`: all; empty: row headers only.
    pub columns: Option<Vec<u32>>,
    /// `false`: `data` comes empty.
    pub deliver: bool,
    /// Rows this sink would like before a flush.
    pub batch_rows: Option<u32>,
    /// Bytes this sink would like before a flush.
    pub batch_bytes: Option<u32>,
    /// For growth.
    pub attrs: Attrs,
}

/// All columns, delivered.
impl Default for TablePlan {
    fn default() -> Self {
        Self { columns: None, deliver: true, batch_rows: None, batch_bytes: None, attrs: Attrs::new() }
    }
}

/// Why a barrier comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BarrierKind {
    /// Progress.
    Checkpoint,
    /// A DDL follows.
    Ddl,
    /// Another version of the plugin takes over.
    Swap,
    /// The instance ends.
    Stop,
}

/// A demand to make everything written durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Barrier {
    /// Names the barrier in the acknowledgement.
    pub id: u32,
    /// Why it comes.
    pub kind: BarrierKind,
    /// What becomes durable with it.
    pub at: Position,
}

/// The answer to a barrier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ack {
    /// The barrier's id.
    pub barrier: u32,
    /// `false`: not everything is durable yet; the host flushes again.
    pub complete: bool,
    /// Saved by the host in one step with the checkpoint; at most 64 KiB. `None`: what was saved before stays.
    pub state: Option<Vec<u8>>,
}

impl Ack {
    /// Everything is durable.
    #[must_use]
    pub const fn complete(barrier: &Barrier) -> Self {
        Self { barrier: barrier.id, complete: true, state: None }
    }
}

/// One event a plugin will not take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadEvent {
    /// Index in the batch.
    pub row: u32,
    /// Short name of the reason, stable for this plugin.
    pub code: String,
    /// The reason.
    pub message: String,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WriteOutcome {
    /// Rows the sink will not take.
    pub quarantined: Vec<BadEvent>,
    /// Bytes held and not durable: the host may flush early.
    pub buffered_bytes: u64,
}

/// A plugin that writes somewhere. One instance serves one lane of one slot.
pub trait Sink {
    /// Says what the plugin is.
    fn manifest() -> Manifest
    where
        Self: Sized;

    /// Starts. Returns the position its own store already holds, if the plugin keeps one.
    ///
    /// # Errors
    /// When the configuration or the downstream do not allow a start.
    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure>
    where
        Self: Sized;

    /// Before the first row of a schema version. `targets`: the names that the target in a row's header counts, as the dispatcher
    /// gave them; empty: the table itself.
    ///
    /// # Errors
    /// When such a table cannot be written.
    fn on_schema(&mut self, schema: Arc<TableSchema>, targets: &[String]) -> Result<TablePlan, Failure>;

    /// A schema version is not used any more.
    fn drop_schema(&mut self, table: TableRef) {
        let _ = table;
    }

    /// Only between barriers: everything below is flushed in every lane.
    ///
    /// # Errors
    /// As [`Failure`] says.
    fn on_ddl(&mut self, ddl: &DdlEvent) -> Result<(), Failure> {
        let _ = ddl;
        Ok(())
    }

    /// Rows of one table version in commit order. `Ok`: the sink has them (not yet durable), but for those it quarantines.
    /// `data` is TGR1 with the columns of the plan.
    ///
    /// # Errors
    /// As [`Failure`] says; nothing of the batch counts as taken.
    fn write(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure>;

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// As [`Failure`] says.
    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure>;

    /// After a failure of unknown outcome: what is durable? `None`: the plugin keeps no position, the host decides.
    ///
    /// # Errors
    /// As [`Failure`] says.
    fn status(&mut self) -> Result<Option<Position>, Failure> {
        Ok(None)
    }

    /// Everything of the whole changefeed up to `at` is durable. Called on the instance that runs DDL, and on no other, when it
    /// has moved, about once a second. Stage 3 is a sync point: nothing beyond `at` is written anywhere until this has succeeded, so
    /// what the downstream holds now is the source at `at.ts`.
    ///
    /// # Errors
    /// As [`Failure`] says.
    fn on_checkpoint(&mut self, at: Position) -> Result<(), Failure> {
        let _ = at;
        Ok(())
    }

    /// Time passes without rows; called every second.
    ///
    /// # Errors
    /// As [`Failure`] says.
    fn on_tick(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// The last call.
    fn close(&mut self) {}
}
