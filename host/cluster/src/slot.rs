//! What the controller knows of one slot.

use tg_model::{Position, Ts};

/// A slot as last reported.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Minimum over its spans; `Ts::MAX` without spans.
    pub(crate) resolved: Ts,
    /// Everything up to here is durable downstream.
    pub(crate) checkpoint: Position,
    /// Rows may go up to here.
    pub(crate) cap: Position,
    /// Number of spans added and not removed.
    spans: usize,
    /// Number of spans ever added or removed.
    pub(crate) commands: u64,
}

impl Slot {
    pub(crate) const fn new(start: Position) -> Self {
        Self { resolved: Ts::MAX, checkpoint: start, cap: start, spans: 0, commands: 0 }
    }

    /// A span was given to it: until the slot reports with the span in it, its minimum is at most `start`.
    pub(crate) fn added(&mut self, start: Ts) {
        self.resolved = self.gate().min(start);
        self.spans += 1;
        self.commands += 1;
    }

    /// A span was taken from it.
    pub(crate) const fn removed(&mut self) {
        assert!(self.spans > 0, "a slot loses only what it has");
        self.spans -= 1;
        self.commands += 1;
    }

    /// What the slot holds the changefeed's resolved-ts to.
    pub(crate) const fn gate(&self) -> Ts {
        if self.spans == 0 { Ts::MAX } else { self.resolved }
    }
}
