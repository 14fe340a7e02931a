//! How often and how long a sink call is tried again before the changefeed itself restarts.

use crate::stats::{Stats, add};
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

enum Verdict {
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
    fn show(&mut self, waits: &Arc<Waits>, what: String) {
        match &self.wait {
            Some(wait) => wait.now(what),
            None => self.wait = Some(waits.begin(what)),
        }
    }

    fn after(&mut self, error: &CallError) -> Verdict {
        self.tries += 1;
        if !(error.is_retryable() || error.is_unknown()) || self.tries >= TRIES_MAX {
            return Verdict::GiveUp;
        }
        let doubled = WAIT_MIN_MS << (self.tries - 1).min(16);
        let wait = error.after_ms().map_or(doubled, u64::from).min(WAIT_MAX_MS);
        Verdict::Again(Duration::from_millis(wait))
    }
}

/// Waits until a call of the sink that failed may be made again, and shows what it is for; the error when it is given up.
pub(crate) async fn wait_or_give_up(
    stats: &Stats,
    retry: &mut Retry,
    source: CallError,
    what: &str,
) -> Result<(), CallError> {
    let Verdict::Again(wait) = retry.after(&source) else { return Err(source) };
    add(&stats.retries, 1);
    tracing::warn!(wait_ms = wait.as_millis() as u64, error = %source, "{what} failed; again");
    retry.show(&stats.waits, format!("{what}: {source}"));
    tokio::time::sleep(wait).await;
    Ok(())
}
