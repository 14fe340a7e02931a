//! A time that goes on, the first part of which another clock has measured.

use crate::id::Mono;

/// Microseconds until a moment, and that moment on this process' clock. That clock may have begun later than the time did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Elapsed {
    before: u64,
    at: Mono,
}

impl Elapsed {
    pub(crate) const fn new(before: u64, at: Mono) -> Self {
        Self { before, at }
    }

    pub(crate) const fn micros(self, now: Mono) -> u64 {
        self.before.saturating_add(now.since(self.at))
    }
}
