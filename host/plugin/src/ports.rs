//! What the pipeline sees of a plugin, however it runs.

use crate::CallError;
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_model::{DdlEvent, Position, TableVersion};
use tgr1::BatchBuf;

/// The lane that means: leave the row out.
pub const LEAVE_OUT: u16 = tgr1::LANE_DROP;

/// One event a plugin will not take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadEvent {
    /// Index in the batch; checked.
    pub row: u32,
    /// The plugin's name of the reason.
    pub code: String,
    /// The reason.
    pub message: String,
}

/// What a sink wants of one table version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TablePlan {
    /// Positions of the columns wanted; `None`: all.
    pub columns: Option<Vec<u32>>,
    /// `false`: only the handle crosses.
    pub deliver: bool,
    /// Rows the sink would like before a flush.
    pub batch_rows: Option<u32>,
    /// Bytes the sink would like before a flush.
    pub batch_bytes: Option<u32>,
}

/// What a dispatcher wants of one table version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DispatchPlan {
    /// Positions of the columns wanted; `None`: all.
    pub columns: Option<Vec<u32>>,
    /// Names that targets point to.
    pub targets: Vec<String>,
    /// An update whose row key changed is to come as a delete and an insert.
    pub split_key_updates: bool,
}

/// Where the rows of a batch go; checked against lanes, targets and the number of rows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decisions {
    /// One per row, or empty: all to lane 0.
    pub lanes: Vec<u16>,
    /// One per row, or empty: target 0.
    pub targets: Vec<u16>,
    /// One per row, or empty: partition 0.
    pub partitions: Vec<u32>,
    /// Rows that cannot be decided.
    pub quarantined: Vec<BadEvent>,
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
    /// Names it in the acknowledgement.
    pub id: u32,
    /// Why it comes.
    pub kind: BarrierKind,
    /// What becomes durable with it.
    pub at: Position,
}

/// The answer to a barrier; it names the barrier that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ack {
    /// `false`: flush again.
    pub complete: bool,
    /// To be saved in one step with the checkpoint.
    pub state: Option<Vec<u8>>,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WriteOutcome {
    /// Rows the sink will not take.
    pub quarantined: Vec<BadEvent>,
    /// Bytes held and not durable.
    pub buffered_bytes: u64,
}

/// A started sink. One call at a time; after an error that says so the port is dead.
pub trait SinkPort: Send {
    /// Before the first row of a table version.
    fn on_schema(&mut self, version: Arc<TableVersion>) -> BoxFuture<'_, Result<TablePlan, CallError>>;
    /// The version is not used any more.
    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>>;
    /// Runs a DDL; `maybe_done`: an earlier try had an unknown outcome.
    fn on_ddl(&mut self, event: Arc<DdlEvent>, maybe_done: bool) -> BoxFuture<'_, Result<(), CallError>>;
    /// Rows of one table version in commit order.
    fn write(&mut self, batch: Arc<BatchBuf>) -> BoxFuture<'_, Result<WriteOutcome, CallError>>;
    /// Makes everything written durable.
    fn flush(&mut self, barrier: Barrier) -> BoxFuture<'_, Result<Ack, CallError>>;
    /// What is durable: the plugin's own answer or its endpoints', whichever is greater.
    fn status(&mut self) -> BoxFuture<'_, Result<Option<Position>, CallError>>;
    /// A second has passed.
    fn on_tick(&mut self) -> BoxFuture<'_, Result<(), CallError>>;
    /// The last call. Failures are only logged.
    fn close(&mut self) -> BoxFuture<'_, ()>;
}

/// A started dispatcher. One call at a time.
pub trait DispatcherPort: Send {
    /// Before the first row of a table version.
    fn on_schema(&mut self, version: Arc<TableVersion>) -> BoxFuture<'_, Result<DispatchPlan, CallError>>;
    /// The version is not used any more.
    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>>;
    /// Decides for every row.
    fn dispatch<'a>(&'a mut self, batch: &'a BatchBuf) -> BoxFuture<'a, Result<Decisions, CallError>>;
}
