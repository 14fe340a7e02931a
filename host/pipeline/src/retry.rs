//! How often and how long a sink call is tried again before the changefeed itself restarts.

use crate::waits::{Wait, Waits};
use std::sync::Arc;
use std::time::Duration;
use tg_plugin::CallError;

/// First wait.
const WAIT_MIN_MS: u64 = 100;
/// Longest wait.
const WAIT_MAX_MS: u64 = 5_000;
/// Tries of one call, after which the changefeed goes to `warning` and restarts from its checkpoint.
const TRIES_MAX: u32 = 8;

pub(crate) enum Verdict {
    Again(Duration),
    GiveUp,
}

/// Counts the tries of one call.
pub(crate) struct Retry {
    tries: u32,
    /// From the first failure on, people see what is waited for.
    wait: Option<Wait>,
}

impl Retry {
    pub(crate) const fn new() -> Self {
        Self { tries: 0, wait: None }
    }

    /// Shows what the call waits for until the call is given up or succeeds, which drops this.
    pub(crate) fn show(&mut self, waits: &Arc<Waits>, what: String) {
        match &self.wait {
            Some(wait) => wait.now(what),
            None => self.wait = Some(waits.begin(what)),
        }
    }

    pub(crate) fn after(&mut self, error: &CallError) -> Verdict {
        self.tries += 1;
        if !(error.is_retryable() || error.is_unknown()) || self.tries >= TRIES_MAX {
            return Verdict::GiveUp;
        }
        let doubled = WAIT_MIN_MS << (self.tries - 1).min(16);
        let wait = error.after_ms().map_or(doubled, u64::from).min(WAIT_MAX_MS);
        Verdict::Again(Duration::from_millis(wait))
    }
}
