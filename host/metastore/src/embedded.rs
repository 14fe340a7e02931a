//! The store of a cluster of one: a file in the data directory.

use crate::lease::Leases;
use crate::table::{Tables, failed};
use crate::{Compare, Event, LeaseId, MetaError, MetaStore, Op, Range, Revision, TxnOutcome, WatchStream};
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Writes that a watch can catch up with.
const HISTORY_MAX: usize = 4096;
const LOCK_FILE: &str = "LOCK";
const DATA_FILE: &str = "meta.redb";

/// Metadata in one file of a data directory, which it locks. Leases end with the process.
#[derive(Clone)]
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

struct Inner {
    tables: Tables,
    state: Mutex<State>,
    /// The revision up to which `State::history` is complete.
    revision: watch::Sender<Revision>,
    _lock: File,
}

/// Held during a write, so that history and file agree.
struct State {
    history: VecDeque<(Revision, Vec<Event>)>,
    /// Writes up to here are not in the history.
    forgotten: Revision,
    /// A write failed that may have happened all the same: it is not in the history.
    unsure: bool,
    leases: Leases,
}

impl EmbeddedStore {
    /// Opens or makes the store in a directory, and deletes what leases of an earlier process held.
    ///
    /// # Errors
    /// [`MetaError::Locked`] when another process has it open, [`MetaError::Storage`] otherwise. Blocks on the disk.
    pub fn open(dir: &Path) -> Result<Self, MetaError> {
        // Records hold passwords: a directory made here is its owner's alone.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|e| MetaError::Storage {
            what: "make the data directory",
            cause: format!("{}: {e}", dir.display()),
        })?;
        let options = File::options().create(true).truncate(false).write(true).open(dir.join(LOCK_FILE));
        let lock = options.map_err(failed("open the lock file"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(MetaError::Locked { dir: dir.to_owned() });
            }
            Err(std::fs::TryLockError::Error(e)) => {
                return Err(failed("lock the data directory")(e));
            }
        }
        let tables = Tables::open(&dir.join(DATA_FILE))?;
        let leased = tables.range("")?.into_iter().filter(|kv| kv.lease != 0).map(|kv| Op::Delete(kv.key));
        tables.txn(&[], leased.collect(), Vec::new())?;
        let rev = tables.revision()?;
        let state = State { history: VecDeque::new(), forgotten: rev, unsure: false, leases: Leases::default() };
        let inner = Inner { tables, state: Mutex::new(state), revision: watch::Sender::new(rev), _lock: lock };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Runs disk work where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Inner>) -> Result<T, MetaError> + Send + 'static,
    ) -> Result<T, MetaError> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(failed("finish"))?
    }
}

impl Inner {
    fn txn(&self, compares: &[Compare], then: Vec<Op>, otherwise: Vec<Op>) -> Result<TxnOutcome, MetaError> {
        let mut state = self.state.lock();
        let now = Instant::now();
        let dead = then.iter().chain(&otherwise).find_map(|op| match op {
            Op::Put { lease, .. } if *lease != 0 && !state.leases.has(*lease, now) => Some(*lease),
            _ => None,
        });
        if let Some(lease) = dead {
            return Err(MetaError::LeaseLost { lease });
        }
        self.apply(&mut state, compares, then, otherwise)
    }

    fn apply(
        &self,
        state: &mut State,
        compares: &[Compare],
        then: Vec<Op>,
        otherwise: Vec<Op>,
    ) -> Result<TxnOutcome, MetaError> {
        let done = self.tables.txn(compares, then, otherwise);
        if matches!(done, Err(MetaError::Storage { .. })) {
            state.unsure = true;
        }
        let (outcome, events) = done?;
        if !events.is_empty() && std::mem::take(&mut state.unsure) {
            state.history.clear();
            state.forgotten = outcome.rev - 1;
        }
        if !events.is_empty() {
            state.history.push_back((outcome.rev, events));
            if state.history.len() > HISTORY_MAX
                && let Some((rev, _)) = state.history.pop_front()
            {
                state.forgotten = rev;
            }
            self.revision.send_replace(outcome.rev);
        }
        Ok(outcome)
    }

    /// Ends a lease. With `expired_at`, only if it was not renewed since.
    fn end_lease(&self, lease: LeaseId, expired_at: Option<Instant>) -> Result<(), MetaError> {
        let mut state = self.state.lock();
        if expired_at.is_some_and(|at| state.leases.deadline(lease).is_none_or(|deadline| deadline > at)) {
            return Ok(());
        }
        state.leases.remove(lease);
        let leased = self.tables.range("")?.into_iter().filter(|kv| kv.lease == lease).map(|kv| Op::Delete(kv.key));
        self.apply(&mut state, &[], leased.collect(), Vec::new()).map(|_| ())
    }

    /// The writes under a prefix from `from` on, and where to go on.
    fn events(&self, prefix: &str, from: Revision) -> Result<(Vec<Event>, Revision), MetaError> {
        let state = self.state.lock();
        if from <= state.forgotten {
            return Err(MetaError::Compacted { from_rev: from, oldest_rev: state.forgotten + 1 });
        }
        let first = state.history.partition_point(|(rev, _)| *rev < from);
        let recent = state.history.iter().skip(first);
        let next = state.history.back().map_or(from, |(rev, _)| from.max(rev + 1));
        Ok((recent.flat_map(|(_, events)| events).filter(|e| e.key.starts_with(prefix)).cloned().collect(), next))
    }
}

/// Waits for a lease to end.
async fn attend(inner: Weak<Inner>, lease: LeaseId) {
    loop {
        let Some(deadline) = inner.upgrade().and_then(|i| i.state.lock().leases.deadline(lease)) else {
            return;
        };
        tokio::time::sleep_until(deadline).await;
        let Some(inner) = inner.upgrade() else { return };
        let ended = tokio::task::spawn_blocking(move || inner.end_lease(lease, Some(deadline))).await;
        if let Ok(Err(e)) = ended {
            tracing::warn!(lease, error = %e, "cannot delete the keys of a lease that has ended");
        }
    }
}

impl MetaStore for EmbeddedStore {
    fn txn(
        &self,
        compares: Vec<Compare>,
        then: Vec<Op>,
        otherwise: Vec<Op>,
    ) -> BoxFuture<'_, Result<TxnOutcome, MetaError>> {
        Box::pin(self.blocking(move |inner| inner.txn(&compares, then, otherwise)))
    }

    fn range(&self, prefix: &str) -> BoxFuture<'_, Result<Range, MetaError>> {
        let prefix = prefix.to_owned();
        Box::pin(self.blocking(move |inner| {
            let _writers_wait = inner.state.lock();
            Ok(Range { rev: inner.tables.revision()?, kvs: inner.tables.range(&prefix)? })
        }))
    }

    fn watch(&self, prefix: &str, from_rev: Revision) -> BoxFuture<'_, Result<WatchStream, MetaError>> {
        let (prefix, inner) = (prefix.to_owned(), Arc::downgrade(&self.inner));
        let changed = self.inner.revision.subscribe();
        let first = self.inner.events(&prefix, from_rev).map(|_| ());
        let steps = stream::unfold(Some((changed, from_rev)), move |at| {
            let (prefix, inner) = (prefix.clone(), inner.clone());
            async move {
                let (mut changed, mut from) = at?;
                loop {
                    changed.borrow_and_update();
                    match inner.upgrade()?.events(&prefix, from) {
                        Err(e) => return Some((Err(e), None)),
                        Ok((events, next)) if events.is_empty() => from = next,
                        Ok((events, next)) => return Some((Ok(events), Some((changed, next)))),
                    }
                    changed.changed().await.ok()?;
                }
            }
        });
        Box::pin(async move {
            first?;
            Ok(steps.boxed())
        })
    }

    fn lease_grant(&self, ttl: Duration) -> BoxFuture<'_, Result<LeaseId, MetaError>> {
        Box::pin(async move {
            let lease = self.inner.state.lock().leases.grant(ttl, Instant::now());
            tokio::spawn(attend(Arc::downgrade(&self.inner), lease));
            Ok(lease)
        })
    }

    fn lease_keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<(), MetaError>> {
        Box::pin(async move {
            let alive = self.inner.state.lock().leases.keep_alive(lease, Instant::now());
            if alive { Ok(()) } else { Err(MetaError::LeaseLost { lease }) }
        })
    }

    fn lease_revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<(), MetaError>> {
        Box::pin(self.blocking(move |inner| inner.end_lease(lease, None)))
    }
}
