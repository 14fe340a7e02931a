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

/// What a lane keeps has at most so many bytes: the plugin's own state, its map, and their framing.
pub const STATE_BYTES_MAX: usize = 192 << 10;

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

/// What a transform does with one table version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TransformPlan {
    /// `false`: rows pass as they are and are not handed over.
    pub active: bool,
    /// Positions of the columns wanted; `None`: all.
    pub columns: Option<Vec<u32>>,
    /// What the table is to everyone behind, with the same id and `since`; `None`: as it was.
    pub output: Option<Arc<TableVersion>>,
}

/// The rows that a transform makes of a batch; checked against the output and the rows they came from.
#[derive(Clone, Debug, Default)]
pub struct Transformed {
    /// The rows; `None`: none is left.
    pub batch: Option<BatchBuf>,
    /// For each row of `batch` the row it came from, rising.
    pub origins: Vec<u32>,
    /// Rows that cannot be transformed; none of them is in `batch`.
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
    /// What the lane keeps, to be stored in one step with the checkpoint and given back in [`crate::InstanceSpec::state`]: at
    /// most [`STATE_BYTES_MAX`] opaque bytes. `None`: nothing has changed, what was stored stays.
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
    /// Before the first row of a table version. `targets`: the names that the target in a row's header counts; empty: the table
    /// itself.
    fn on_schema(
        &mut self,
        version: Arc<TableVersion>,
        targets: Arc<[String]>,
    ) -> BoxFuture<'_, Result<TablePlan, CallError>>;
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
    /// Everything of the whole changefeed up to `at` is durable. For the instance that runs DDL only.
    fn on_checkpoint(&mut self, at: Position) -> BoxFuture<'_, Result<(), CallError>>;
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
    /// Partitions of each target of this version's plan, when the sink's side knows them; before the version's first rows.
    fn partition_counts<'a>(
        &'a mut self,
        version: &'a TableVersion,
        counts: &'a [u32],
    ) -> BoxFuture<'a, Result<(), CallError>>;
    /// Decides for every row.
    fn dispatch<'a>(&'a mut self, batch: &'a BatchBuf) -> BoxFuture<'a, Result<Decisions, CallError>>;
}

/// A started transform. One call at a time.
pub trait TransformPort: Send {
    /// Before the first row of a table version, and for both versions of a DDL before [`TransformPort::on_ddl`] as far as they
    /// are new.
    fn on_schema(&mut self, version: Arc<TableVersion>) -> BoxFuture<'_, Result<TransformPlan, CallError>>;
    /// The version is not used any more.
    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>>;
    /// Makes rows of rows. Only for tables whose plan is active.
    fn transform<'a>(&'a mut self, batch: &'a BatchBuf) -> BoxFuture<'a, Result<Transformed, CallError>>;
    /// The DDL as everyone behind is to see it; `None`: they are not to see it.
    fn on_ddl(
        &mut self,
        event: Arc<DdlEvent>,
        maybe_done: bool,
    ) -> BoxFuture<'_, Result<Option<Arc<DdlEvent>>, CallError>>;
}
