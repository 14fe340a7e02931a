//! Versions and locks of keys.

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Most rollback records kept; the oldest go first.
const ROLLBACKS_MAX: usize = 65_536;

/// What a lock or a mutation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Sets the value.
    Put,
    /// Removes the key.
    Delete,
    /// Locks the key without change.
    Lock,
    /// A pessimistic lock: not yet a change.
    Pessimistic,
}

impl Op {
    /// Whether change feeds see it.
    #[must_use]
    pub const fn is_change(self) -> bool {
        matches!(self, Self::Put | Self::Delete)
    }
}

/// One committed version of a key.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    /// Commit timestamp.
    pub commit_ts: u64,
    /// Start timestamp of the transaction.
    pub start_ts: u64,
    /// Source marks of the transaction (bits 0..7: written by change data capture, above: internal).
    pub txn_source: u64,
    /// The value; `None`: deleted.
    pub value: Option<Bytes>,
}

/// A lock of a transaction that is not committed yet.
#[derive(Clone, Debug)]
pub struct Lock {
    /// Start timestamp of the transaction.
    pub start_ts: u64,
    /// What will happen.
    pub op: Op,
    /// The value to be (empty for all but [`Op::Put`]).
    pub value: Bytes,
    /// The key whose state decides.
    pub primary: Bytes,
    /// Milliseconds from the start timestamp after which others may end the transaction.
    pub ttl_ms: u64,
    /// Lowest commit timestamp of an asynchronous commit.
    pub min_commit_ts: u64,
    /// Commits asynchronously.
    pub async_commit: bool,
    /// The other keys, on the primary's lock of an asynchronous commit.
    pub secondaries: Vec<Bytes>,
    /// Number of keys of the transaction as far as known.
    pub txn_size: u64,
    /// Source marks.
    pub txn_source: u64,
}

/// The versions of a key.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The last one.
    pub newest: Version,
    /// Those before, the oldest first.
    pub older: Vec<Version>,
}

impl Slot {
    /// Adds a version; drops those that nobody at or above `gc_ts` can read.
    pub(crate) fn push(&mut self, version: Version, gc_ts: u64) {
        if version.commit_ts >= self.newest.commit_ts {
            self.older.push(std::mem::replace(&mut self.newest, version));
        } else {
            let at = self.older.partition_point(|v| v.commit_ts < version.commit_ts);
            self.older.insert(at, version);
        }
        self.prune(gc_ts);
    }

    /// Drops versions that nobody at or above `gc_ts` can read.
    pub(crate) fn prune(&mut self, gc_ts: u64) {
        if self.newest.commit_ts <= gc_ts {
            self.older = Vec::new();
        } else if self.older.get(1).is_some_and(|v| v.commit_ts <= gc_ts) {
            let readable = self.older.partition_point(|v| v.commit_ts <= gc_ts);
            self.older.drain(..readable - 1);
        }
    }

    /// The version to read at `ts`.
    #[must_use]
    pub(crate) fn at(&self, ts: u64) -> Option<&Version> {
        self.newest_first().find(|v| v.commit_ts <= ts)
    }

    /// All versions, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Version> {
        std::iter::once(&self.newest).chain(self.older.iter().rev())
    }
}

/// All keys of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Mvcc {
    /// Committed versions.
    pub keys: BTreeMap<Bytes, Slot>,
    /// Locks.
    pub locks: BTreeMap<Bytes, Lock>,
    rollbacks: BTreeSet<(u64, Bytes)>,
    sweep_from: Bytes,
}

impl Mvcc {
    /// The value at `ts`.
    #[must_use]
    pub(crate) fn get(&self, key: &[u8], ts: u64) -> Option<&Bytes> {
        self.keys.get(key)?.at(ts)?.value.as_ref()
    }

    /// The lock of `key` that hides what a reader at `ts` must see, unless the reader knows it already.
    #[must_use]
    pub(crate) fn blocking_lock(&self, key: &[u8], ts: u64, resolved: &[u64]) -> Option<&Lock> {
        if self.locks.is_empty() {
            return None;
        }
        self.locks.get(key).filter(|l| l.op.is_change() && l.start_ts <= ts && !resolved.contains(&l.start_ts))
    }

    /// Locks in `[start, end)`; an empty end means no bound.
    pub(crate) fn locks_in<'a>(
        &'a self,
        start: &'a [u8],
        end: &'a [u8],
    ) -> impl Iterator<Item = (&'a Bytes, &'a Lock)> {
        self.locks.range::<[u8], _>((Bound::Included(start), upper(end)))
    }

    /// Keys in `[start, end)`; an empty end means no bound.
    pub(crate) fn keys_in<'a>(
        &'a self,
        start: &'a [u8],
        end: &'a [u8],
    ) -> impl DoubleEndedIterator<Item = (&'a Bytes, &'a Slot)> {
        self.keys.range::<[u8], _>((Bound::Included(start), upper(end)))
    }

    /// The commit timestamp of the transaction's version of `key`.
    #[must_use]
    pub(crate) fn committed(&self, key: &[u8], start_ts: u64) -> Option<u64> {
        let slot = self.keys.get(key)?;
        slot.newest_first().find(|v| v.start_ts == start_ts).map(|v| v.commit_ts)
    }

    /// Whether the transaction was rolled back on `key`.
    #[must_use]
    pub(crate) fn rolled_back(&self, key: &Bytes, start_ts: u64) -> bool {
        self.rollbacks.contains(&(start_ts, key.clone()))
    }

    /// Remembers that the transaction must never write `key`.
    pub(crate) fn record_rollback(&mut self, key: Bytes, start_ts: u64) {
        self.rollbacks.insert((start_ts, key));
        if self.rollbacks.len() > ROLLBACKS_MAX {
            self.rollbacks.pop_first();
        }
    }

    /// Prunes up to `count` keys from where the last sweep ended; removes keys deleted before `gc_ts`.
    pub(crate) fn sweep(&mut self, gc_ts: u64, count: usize) {
        let mut gone = Vec::new();
        let mut next = Bytes::new();
        let from = (Bound::Included(&self.sweep_from[..]), Bound::Unbounded);
        for (i, (key, slot)) in self.keys.range_mut::<[u8], _>(from).enumerate() {
            if i == count {
                next = key.clone();
                break;
            }
            slot.prune(gc_ts);
            if slot.newest.value.is_none() && slot.newest.commit_ts <= gc_ts {
                gone.push(key.clone());
            }
        }
        for key in gone {
            self.keys.remove(&key);
        }
        self.sweep_from = next;
    }
}

fn upper(end: &[u8]) -> Bound<&[u8]> {
    if end.is_empty() { Bound::Unbounded } else { Bound::Excluded(end) }
}
