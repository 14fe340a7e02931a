//! Parts of calls that are alike on every server.

use crate::{Executed, Fault, FaultKind};
use std::future::Future;
use std::time::Duration;

/// Tries to connect before the caller hears of it.
const TRIES_MAX: u32 = 5;
/// Pause after the first failure; doubles with each.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// Longest piece of a statement that a message repeats.
const SHOWN_CHARS_MAX: usize = 200;

/// Connects, trying again while the server cannot be reached.
///
/// # Errors
/// Those of `once`.
pub async fn patiently<T, F>(once: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut pause = PAUSE_FIRST;
    let mut tries = 1;
    loop {
        match Box::pin(once()).await {
            Err(e) if e.kind == FaultKind::Retryable && tries < TRIES_MAX => {
                tracing::debug!(error = %e, tries, "connecting failed");
                tokio::time::sleep(pause).await;
                pause *= 2;
                tries += 1;
            }
            other => return other,
        }
    }
}

/// Waits so long for an answer.
///
/// # Errors
/// Those of `run`, and one of this kind when the time is over.
pub async fn within<T>(
    limit: Duration,
    late: FaultKind,
    doing: &str,
    run: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let too_late = || Err(Fault::own(late, doing, format!("no answer within {limit:?}")));
    tokio::time::timeout(limit, run).await.unwrap_or_else(|_| too_late())
}

/// A statement as messages repeat it.
#[must_use]
pub fn shown(statement: &str) -> String {
    let mut text: String = statement.chars().take(SHOWN_CHARS_MAX).collect();
    if text.len() < statement.len() {
        text.push('…');
    }
    text
}

/// Answers to the statements of a transaction, in their order: BEGIN, the guard if there is one, the rest.
#[derive(Clone, Copy, Debug)]
pub struct Answers {
    guarded: bool,
    number: usize,
    /// Rows that the guard matched, once it has answered.
    pub matched: Option<u64>,
    /// What all others did.
    pub executed: Executed,
}

impl Answers {
    /// None has come yet.
    #[must_use]
    pub const fn new(guarded: bool) -> Self {
        Self { guarded, number: 0, matched: None, executed: Executed { affected: 0, warnings: 0 } }
    }

    /// Notes the next one.
    pub const fn note(&mut self, affected: u64, warnings: u32) {
        if self.guarded && self.number == 1 {
            self.matched = Some(affected);
        } else {
            self.executed.affected += affected;
            self.executed.warnings += warnings;
        }
        self.number += 1;
    }

    /// Whether the guard has answered that the lane is another's.
    #[must_use]
    pub const fn is_fenced(&self) -> bool {
        matches!(self.matched, Some(n) if n != 1)
    }
}
