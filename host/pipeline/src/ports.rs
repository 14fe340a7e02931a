//! What a changefeed needs from outside besides the upstream: plugins and a place for its progress.

use crate::error::PipelineError;
use futures::future::BoxFuture;
use tg_model::{LaneId, Position, SlotId, Ts};
use tg_plugin::{CallError, DispatcherPort, SinkPort};

/// A started sink with what its downstream already holds.
pub struct OpenSink {
    /// The instance.
    pub sink: Box<dyn SinkPort>,
    /// The position the downstream durably holds for this lane; `None`: it keeps none.
    pub durable: Option<Position>,
}

/// Starts the plugins of one changefeed.
pub trait PluginSource: Send + Sync {
    /// A sink for a lane. Lane `lanes` is the one that runs DDL.
    fn sink(
        &self,
        slot: SlotId,
        lane: LaneId,
        lanes: u16,
        start: Position,
    ) -> BoxFuture<'_, Result<OpenSink, CallError>>;

    /// A dispatcher for a slot.
    fn dispatcher(&self, slot: SlotId, lanes: u16) -> BoxFuture<'_, Result<Box<dyn DispatcherPort>, CallError>>;
}

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
    /// Stores the checkpoint. Never moves it back.
    fn checkpoint(&self, at: Position) -> BoxFuture<'_, Result<(), PipelineError>>;

    /// What was stored of a DDL.
    fn ddl(&self, ts: Ts, seq: u32) -> BoxFuture<'_, Result<Option<DdlState>, PipelineError>>;

    /// Stores the state of a DDL; states of DDLs far below the checkpoint may be forgotten.
    fn set_ddl(&self, ts: Ts, seq: u32, state: DdlState) -> BoxFuture<'_, Result<(), PipelineError>>;
}
