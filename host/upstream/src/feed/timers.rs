//! Pending timers of the control.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a timer is for. An outdated one does no harm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Timer {
    /// Look up the free pieces of a request.
    Load(u64),
    /// Subscribe a region again.
    Retry { request: u64, region: u64, turn: u32 },
    /// A store may be called again.
    Store(u64),
}

#[derive(Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(u64, Timer)>>);

impl Timers {
    pub(super) fn add(&mut self, at_ms: u64, timer: Timer) {
        self.0.push(Reverse((at_ms, timer)));
    }

    pub(super) fn next_ms(&self) -> Option<u64> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn pop_due(&mut self, now_ms: u64) -> Option<Timer> {
        if self.next_ms()? > now_ms {
            return None;
        }
        self.0.pop().map(|Reverse((_, timer))| timer)
    }
}
