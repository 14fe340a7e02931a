//! What a changefeed needs from outside besides the upstream: plugins, a place for its progress, and one for rows put aside.

use crate::canary::ShadowSink;
use crate::error::PipelineError;
use crate::quarantine::{BadRow, QuarantineError};
use crate::resume::Resume;
use futures::FutureExt;
use futures::future::BoxFuture;
use tg_model::{LaneId, Position, SlotId, Ts};
use tg_plugin::{CallError, DispatcherPort, SinkPort, TransformPort};

/// A started sink with what its downstream already holds.
pub struct OpenSink {
    /// The instance.
    pub sink: Box<dyn SinkPort>,
    /// The position the downstream durably holds for this lane; `None`: it keeps none.
    pub durable: Option<Position>,
}

/// What a sink is started for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SinkStart {
    /// Slot of the lane.
    pub slot: SlotId,
    /// The lane; lane `lanes` is the one that runs DDL.
    pub lane: LaneId,
    /// Lanes of the slot.
    pub lanes: u16,
    /// Everything of the lane up to here is durable.
    pub start: Position,
    /// What the lane's sink keeps, as it was last acknowledged.
    pub state: Option<Vec<u8>>,
}

/// Starts the plugins of one changefeed, in one choice of versions and configuration.
pub trait PluginSource: Send + Sync {
    /// A sink for a lane.
    fn sink(&self, at: SinkStart) -> BoxFuture<'_, Result<OpenSink, CallError>>;

    /// A dispatcher for a slot.
    fn dispatcher(&self, slot: SlotId, lanes: u16) -> BoxFuture<'_, Result<Box<dyn DispatcherPort>, CallError>>;

    /// The transforms of a slot, in the order in which rows pass them. Those for DDL come with slot [`DDL_SLOT`].
    fn transforms(&self, slot: SlotId) -> BoxFuture<'_, Result<Vec<Box<dyn TransformPort>>, CallError>> {
        let _ = slot;
        async { Ok(Vec::new()) }.boxed()
    }

    /// Partitions of each of these targets (topics are made where there are none); empty: the sink's side knows no partitions.
    fn partition_counts<'a>(&'a self, targets: &'a [String]) -> BoxFuture<'a, Result<Vec<u32>, CallError>> {
        let _ = targets;
        async { Ok(Vec::new()) }.boxed()
    }

    /// Whether a sink may be started while the one before it on the same lane still writes: it keeps nothing of its own that the
    /// other could change. Then a swap does not wait for it.
    fn opens_warm(&self) -> bool {
        false
    }

    /// A sink for a lane whose endpoints only note what is asked of them; `None`: this source starts none.
    fn shadow_sink(&self, at: SinkStart) -> BoxFuture<'_, Result<Option<ShadowSink>, CallError>> {
        let _ = at;
        async { Ok(None) }.boxed()
    }

    /// Names this choice, for [`Resume::label`].
    fn label(&self) -> String {
        String::new()
    }
}

/// Stands for the DDL executor where a slot is asked for.
pub const DDL_SLOT: SlotId = SlotId(u16::MAX);

/// What is known of a DDL's execution downstream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DdlState {
    /// It may have been sent.
    Begun,
    /// It has run.
    Done,
}

/// Keeps a changefeed's progress over restarts.
pub trait ProgressStore: Send + Sync {
    /// Stores the checkpoint and, in the same step, what belongs to it. Never moves the checkpoint back; it may be the one that
    /// is stored already, with something else beside it.
    fn checkpoint<'a>(&'a self, at: Position, resume: &'a Resume) -> BoxFuture<'a, Result<(), PipelineError>>;

    /// What was stored of a DDL.
    fn ddl(&self, ts: Ts, seq: u32) -> BoxFuture<'_, Result<Option<DdlState>, PipelineError>>;

    /// Stores the state of a DDL; states of DDLs far below the checkpoint may be forgotten.
    fn set_ddl(&self, ts: Ts, seq: u32, state: DdlState) -> BoxFuture<'_, Result<(), PipelineError>>;
}

/// Keeps rows that are put aside.
pub trait QuarantineStore: Send + Sync {
    /// Keeps the rows, durably when it returns; those it has already are not kept twice. Answers how many are new.
    fn keep(&self, rows: Vec<BadRow>) -> BoxFuture<'_, Result<u64, QuarantineError>>;
}
