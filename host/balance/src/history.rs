//! What was decided lately, for people.

use crate::view::Decision;
use std::collections::VecDeque;

/// Decisions that are kept.
pub const HISTORY_MAX: usize = 256;

/// The last decisions, oldest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    last: VecDeque<(u64, Decision)>,
}

impl History {
    pub(crate) fn push(&mut self, now_ms: u64, decision: Decision) {
        if self.last.len() == HISTORY_MAX {
            self.last.pop_front();
        }
        self.last.push_back((now_ms, decision));
    }

    /// When, and what.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &(u64, Decision)> {
        self.last.iter()
    }
}
