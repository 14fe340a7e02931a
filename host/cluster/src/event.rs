//! What a controller is told, and what it wants done.

use std::sync::Arc;
use tg_model::{DdlEvent, Position, SlotId, TableId, TableVersion, Ts};

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A table of the schema at the start: subscribe its physical ids. Only before the first [`Event::Started`].
    Table(Arc<TableVersion>),
    /// All tables of the start are known.
    Started,
    /// A DDL that was begun before this controller was made. Only before [`Event::Started`].
    Began {
        /// Its commit-ts.
        ts: Ts,
        /// Its place within the job.
        seq: u32,
        /// It has run; else it may have.
        done: bool,
        /// The slots that had finished exactly the rows before it.
        slots: Vec<SlotId>,
    },
    /// A slot that another controller let run may be this far already.
    Adopt {
        /// Which.
        slot: SlotId,
        /// The cap it holds, or what was found durable.
        upto: Position,
    },
    /// A slot's progress: `resolved` is the minimum over its spans.
    Slot {
        /// Which.
        slot: SlotId,
        /// How many AddSpan and RemoveSpan effects it has applied: a minimum over another set of spans does not count.
        applied: u64,
        /// Its spans' minimum.
        resolved: Ts,
        /// Everything up to here is durable.
        checkpoint: Position,
    },
    /// A DDL arrived; it is final only when `DdlResolved` passes its commit-ts.
    Ddl(Arc<DdlEvent>),
    /// Every DDL at or below this has been handed in.
    DdlResolved(Ts),
    /// The DDL named (or the syncpoint, by [`crate::SYNCPOINT_SEQ`]) has run or was skipped, and its outcome is recorded.
    DdlDone {
        /// Its commit-ts.
        ts: Ts,
        /// Its place within the job.
        seq: u32,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Subscribe a physical table and give its rows above `start` to the slot.
    AddSpan {
        /// Receiver.
        slot: SlotId,
        /// Physical id.
        table: TableId,
        /// How its rows look.
        version: Arc<TableVersion>,
        /// Rows with a commit-ts above this.
        start: Ts,
    },
    /// Rows of a physical table look different from here on.
    SetVersion {
        /// Receiver.
        slot: SlotId,
        /// Physical id.
        table: TableId,
        /// How its rows look.
        version: Arc<TableVersion>,
    },
    /// Drop a subscription; all its rows are durable.
    RemoveSpan {
        /// Owner.
        slot: SlotId,
        /// Physical id.
        table: TableId,
    },
    /// A slot may emit rows up to this position (always at stage rows), as far as its own spans are resolved.
    Emit {
        /// Receiver.
        slot: SlotId,
        /// How far.
        upto: Position,
    },
    /// Run this DDL downstream and answer [`Event::DdlDone`].
    Execute(Arc<DdlEvent>),
    /// Every slot is at this ts exactly: mark it downstream and answer [`Event::DdlDone`].
    Syncpoint(Ts),
    /// The changefeed's checkpoint moved.
    Checkpoint(Position),
    /// The target-ts is reached and durable.
    Finished,
}
