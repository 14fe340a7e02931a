//! Joins prewrites and commits of one subscription of one region into changes.
//!
//! Until INITIALIZED, live rows and rows of the scan come in any order: a commit may precede the
//! prewrite it belongs to, or have no prewrite at all because the scan delivers the version whole.

use super::budget::{Budget, Share};
use super::early::EarlyList;
use super::held::{Found, Held, HoldError};
use super::prewrite::cut;
use super::spill::Tape;
use super::wire::RowRef;
use bytes::Bytes;
use std::sync::Arc;
use tg_model::{ChangeOp, RawChange, Ts};
use tg_proto::cdcpb::{LogType, OpType};

/// Why a subscription cannot go on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MatchError {
    /// A new subscription heals this: its scan delivers the version whole.
    #[error("a commit at {commit_ts} of transaction {start_ts} has no prewrite")]
    NoPrewrite { start_ts: u64, commit_ts: u64 },
    #[error("a change at {commit_ts} came after resolved-ts {resolved_ts}")]
    BelowResolved { commit_ts: u64, resolved_ts: u64 },
    #[error("a change at {commit_ts} does not lie above its start {start_ts}")]
    Order { start_ts: u64, commit_ts: u64 },
    #[error(transparent)]
    Hold(#[from] HoldError),
}

/// Changes on their way out, and what they weigh.
#[derive(Default)]
pub(super) struct Output {
    pub(super) changes: Vec<RawChange>,
    pub(super) weight_bytes: usize,
}

/// State of one (request, region). Before it is dropped, [`Matcher::discard`] must be called, unless its tape
/// is dropped as well.
pub(super) struct Matcher {
    checkpoint: u64,
    resolved: u64,
    initialized: bool,
    replaying: bool,
    prefix_len: usize,
    held: Held,
    early_commits: EarlyList,
    early_rollbacks: EarlyList,
    share: Share,
}

impl Matcher {
    /// `checkpoint`: what the subscription asked for. `prefix_len`: bytes of keyspace prefix to cut off keys.
    pub(super) fn new(checkpoint: Ts, prefix_len: usize, budget: Arc<Budget>) -> Self {
        Self {
            checkpoint: checkpoint.get(),
            resolved: checkpoint.get(),
            initialized: false,
            replaying: false,
            prefix_len,
            held: Held::new(),
            early_commits: EarlyList::default(),
            early_rollbacks: EarlyList::default(),
            share: Share::new(budget),
        }
    }

    /// The scan is over; [`Matcher::replay`] has to be called until it is done before another row is taken.
    pub(super) fn is_replaying(&self) -> bool {
        self.replaying
    }

    /// Prewrites that wait for their end.
    #[cfg(test)]
    pub(super) fn pending(&self) -> usize {
        self.held.len()
    }

    /// Prewrites in messages, copied out, on disk.
    #[cfg(test)]
    pub(super) fn places(&self) -> [usize; 3] {
        self.held.places()
    }

    /// Something is held that keeps its message.
    pub(super) fn has_young(&self) -> bool {
        self.held.has_young()
    }

    /// Tells the budget what is held; to be called now and then.
    pub(super) fn account(&mut self) {
        self.share.set(self.held.bytes() + self.early_commits.bytes() + self.early_rollbacks.bytes());
    }

    /// Makes what has been held for long independent of its message. After an error the subscription must end.
    pub(super) fn sweep(&mut self, tape: &mut Tape) -> Result<(), HoldError> {
        let early_bytes = self.early_commits.bytes() + self.early_rollbacks.bytes();
        self.held.sweep(&mut self.share, early_bytes, tape)
    }

    /// Gives up what lies on disk.
    pub(super) fn discard(&mut self, tape: &mut Tape) {
        self.held.discard(tape);
        self.early_commits.discard(tape);
        self.early_rollbacks.discard(tape);
    }

    /// Takes a resolved-ts; `true` when it is news.
    pub(super) fn resolve(&mut self, ts: u64) -> bool {
        let news = self.initialized && ts > self.resolved;
        if news {
            self.resolved = ts;
        }
        news
    }

    /// Takes a row of `message`. A change may be appended to `out`.
    #[inline]
    pub(super) fn row(
        &mut self,
        row: &RowRef,
        message: &Bytes,
        tape: &mut Tape,
        out: &mut Output,
    ) -> Result<(), MatchError> {
        match LogType::try_from(row.kind).unwrap_or(LogType::Unknown) {
            // The placeholder of a committed record that changes nothing: not even its key is there.
            LogType::Unknown => Ok(()),
            LogType::Prewrite => Ok(self.held.put(row, message, tape)?),
            LogType::Commit => self.commit(row, row.key.of(message), tape, out),
            LogType::Rollback => self.rollback(row, row.key.of(message), tape),
            LogType::Committed => {
                let parts = (cut(message, row.key), cut(message, row.value), cut(message, row.old_value));
                self.emit((row.start_ts, row.commit_ts, row.op), parts, out)
            }
            LogType::Initialized => {
                (self.initialized, self.replaying) = (true, true);
                Ok(())
            }
        }
    }

    fn commit(&mut self, row: &RowRef, key: &[u8], tape: &mut Tape, out: &mut Output) -> Result<(), MatchError> {
        let (start_ts, commit_ts, initialized) = (row.start_ts, row.commit_ts, self.initialized);
        // During the scan, a prewrite without value, or of a generation, may be followed by a better one.
        let sure = self.held.take(start_ts, key, |p| initialized || (p.has_value() && p.generation() == 0), tape)?;
        match sure {
            Found::Taken(p) => self.emit((start_ts, commit_ts, row.op), p.into_parts(), out),
            _ if initialized => Err(MatchError::NoPrewrite { start_ts, commit_ts }),
            _ => Ok(self.early_commits.push((start_ts, commit_ts, row.op), key, &self.share, tape)?),
        }
    }

    fn rollback(&mut self, row: &RowRef, key: &[u8], tape: &mut Tape) -> Result<(), MatchError> {
        if self.initialized {
            self.held.take(row.start_ts, key, |_| true, tape)?;
        } else {
            self.early_rollbacks.push((row.start_ts, 0, 0), key, &self.share, tape)?;
        }
        Ok(())
    }

    /// Brings together what came before the end of the scan, until `out` weighs `enough_bytes`; `true`: all of it.
    pub(super) fn replay(
        &mut self,
        enough_bytes: usize,
        tape: &mut Tape,
        out: &mut Output,
    ) -> Result<bool, MatchError> {
        while let Some(c) = self.early_commits.pop(tape)? {
            // Without a prewrite by now, the scan has delivered the version whole.
            if let Found::Taken(p) = self.held.take(c.start_ts, &c.key, |_| true, tape)? {
                self.emit((c.start_ts, c.commit_ts, c.op), p.into_parts(), out)?;
            }
            if out.weight_bytes >= enough_bytes {
                return Ok(false);
            }
        }
        while let Some(r) = self.early_rollbacks.pop(tape)? {
            self.held.take(r.start_ts, &r.key, |_| true, tape)?;
        }
        self.replaying = false;
        Ok(true)
    }

    fn emit(
        &self,
        (start_ts, commit_ts, op): (u64, u64, i32),
        (key, value, old_value): (Bytes, Bytes, Bytes),
        out: &mut Output,
    ) -> Result<(), MatchError> {
        if commit_ts <= self.checkpoint {
            return Ok(());
        }
        if commit_ts <= self.resolved {
            return Err(MatchError::BelowResolved { commit_ts, resolved_ts: self.resolved });
        }
        if commit_ts <= start_ts {
            return Err(MatchError::Order { start_ts, commit_ts });
        }
        let (op, value) = match (OpType::try_from(op).unwrap_or(OpType::Unknown), old_value.is_empty()) {
            (OpType::Put, true) => (ChangeOp::Insert, value),
            (OpType::Put, false) => (ChangeOp::Update, value),
            (OpType::Delete, false) => (ChangeOp::Delete, Bytes::new()),
            // Nothing was there to delete.
            (OpType::Delete, true) | (OpType::Unknown, _) => return Ok(()),
        };
        if key.len() <= self.prefix_len {
            return Ok(());
        }
        let key = if self.prefix_len == 0 { key } else { key.slice(self.prefix_len..) };
        let (commit_ts, start_ts) = (Ts::new(commit_ts), Ts::new(start_ts));
        let change = RawChange { commit_ts, start_ts, op, key, value, old_value };
        out.weight_bytes += change.weight_bytes();
        out.changes.push(change);
        Ok(())
    }
}

#[cfg(test)]
#[path = "matcher_tests.rs"]
mod tests;
