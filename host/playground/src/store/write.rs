//! Writes: whole transactions at once, and step by step (prewrite, commit, roll back).

use super::mvcc::{Lock, Op, Slot, Version};
use super::region::Regions;
use super::wire::{EVENT_TARGET_BYTES, Row, RowsBuf, SHORT_VALUE_MAX_LEN, op_type};
use super::{Cluster, State};
use crate::PlaygroundError;
use bytes::Bytes;
use std::collections::btree_map::Entry;
use tg_proto::cdcpb::{Congested, Error as FeedError, LogType, OpType};

/// Transaction sources from this bit on are internal and never leave the store.
const INTERNAL_SOURCE_SHIFT: u32 = 8;

/// A change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// Raw key.
    pub key: Bytes,
    /// The value; `None` deletes.
    pub value: Option<Bytes>,
}

/// How a transaction commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Prewrite and commit, with a commit timestamp from the oracle.
    #[default]
    TwoPhase,
    /// One phase: no prewrite is seen, the commit timestamp follows what was read before.
    OnePhase,
    /// Prewrite and commit, with the commit timestamp of one phase.
    Async,
}

/// What the changes of a transaction have in common.
#[derive(Clone, Copy, Debug, Default)]
pub struct TxnMeta {
    /// Start timestamp; zero: taken when the write happens, so that it conflicts with nothing.
    pub start_ts: u64,
    /// How it commits.
    pub mode: Mode,
    /// Source marks, see [`super::mvcc::Version::txn_source`].
    pub txn_source: u64,
}

impl Cluster {
    /// Writes a whole transaction at once and gives its commit timestamp.
    ///
    /// # Errors
    /// A key is locked by another transaction or was written after `start_ts`.
    pub fn write(&self, meta: TxnMeta, mutations: Vec<Mutation>) -> Result<u64, PlaygroundError> {
        let mut state = self.lock();
        self.write_locked(&mut state, meta, mutations)
    }

    pub(crate) fn write_locked(
        &self,
        state: &mut State,
        mut meta: TxnMeta,
        mut mutations: Vec<Mutation>,
    ) -> Result<u64, PlaygroundError> {
        mutations.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        if !state.mvcc.locks.is_empty() {
            for m in &mutations {
                state.check_unlocked(&m.key, meta.start_ts)?;
            }
        }
        if meta.start_ts == 0 {
            meta.start_ts = self.tso.next();
        } else {
            for m in &mutations {
                state.check_conflict(&m.key, meta.start_ts)?;
            }
        }
        let commit_ts = match meta.mode {
            Mode::TwoPhase => self.tso.next(),
            Mode::OnePhase | Mode::Async => state.max_ts.max(meta.start_ts) + 1,
        };
        state.apply(meta, commit_ts, mutations);
        Ok(commit_ts)
    }

    /// Locks the keys of mutations; nothing is visible before [`Self::commit`].
    ///
    /// # Errors
    /// A key is locked by another transaction, was written after the start, or was rolled back.
    pub fn prewrite(&self, lock: &Lock, mutations: Vec<Mutation>) -> Result<u64, PlaygroundError> {
        self.lock().prewrite(lock, mutations)
    }

    /// Commits locked keys.
    ///
    /// # Errors
    /// A key has no lock of the transaction and was not committed by it.
    pub fn commit(&self, start_ts: u64, commit_ts: u64, keys: &[Bytes]) -> Result<(), PlaygroundError> {
        let mut state = self.lock();
        let state = &mut *state;
        for key in keys {
            let locked = state.mvcc.locks.get(key).is_some_and(|l| l.start_ts == start_ts);
            if !locked && state.mvcc.committed(key, start_ts).is_none() {
                return Err(PlaygroundError::LockNotFound { start_ts });
            }
        }
        let mut out = Emitter::default();
        for key in keys {
            if state.mvcc.locks.get(key).is_some_and(|l| l.start_ts == start_ts) {
                state.commit_key(key, commit_ts, &mut out);
            }
        }
        out.flush(&mut state.regions, state.quota_bytes);
        Ok(())
    }

    /// Rolls keys back, locked or not, and forbids the transaction to write them later.
    pub fn roll_back(&self, start_ts: u64, keys: &[Bytes]) {
        let mut state = self.lock();
        let state = &mut *state;
        let mut out = Emitter::default();
        for key in keys {
            state.roll_back_key(key, start_ts, &mut out);
        }
        out.flush(&mut state.regions, state.quota_bytes);
    }
}

impl State {
    pub(crate) fn check_unlocked(&self, key: &Bytes, start_ts: u64) -> Result<(), PlaygroundError> {
        match self.mvcc.locks.get(key) {
            Some(lock) if lock.start_ts != start_ts => {
                Err(PlaygroundError::Locked { key: key.clone(), lock: Box::new(lock.clone()) })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn check_conflict(&self, key: &Bytes, start_ts: u64) -> Result<(), PlaygroundError> {
        match self.mvcc.keys.get(key) {
            Some(slot) if slot.newest.commit_ts > start_ts && slot.newest.start_ts != start_ts => {
                Err(PlaygroundError::WriteConflict { start_ts, commit_ts: slot.newest.commit_ts })
            }
            _ => Ok(()),
        }
    }

    /// Applies sorted mutations and sends their events.
    fn apply(&mut self, meta: TxnMeta, commit_ts: u64, mutations: Vec<Mutation>) {
        let gc_ts = self.gc.safe_point;
        let mut out = Emitter::new(meta.txn_source);
        for Mutation { key, value } in mutations {
            let live = out.enter(&mut self.regions, &key, self.quota_bytes);
            let emit = |out: &mut Emitter, key: &[u8], old: Option<&Bytes>| {
                if live {
                    out.change(meta, commit_ts, key, value.as_deref(), old.map_or(&[], |v| &v[..]));
                }
            };
            let version = |value| Version { commit_ts, start_ts: meta.start_ts, txn_source: meta.txn_source, value };
            match self.mvcc.keys.entry(key) {
                Entry::Occupied(mut slot) => {
                    emit(&mut out, slot.key(), slot.get().newest.value.as_ref());
                    slot.get_mut().push(version(value), gc_ts);
                }
                Entry::Vacant(slot) => {
                    emit(&mut out, slot.key(), None);
                    slot.insert(Slot { newest: version(value), older: Vec::new() });
                }
            }
        }
        out.flush(&mut self.regions, self.quota_bytes);
    }

    pub(crate) fn prewrite(&mut self, lock: &Lock, mut mutations: Vec<Mutation>) -> Result<u64, PlaygroundError> {
        mutations.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        for m in &mutations {
            self.check_unlocked(&m.key, lock.start_ts)?;
            self.check_conflict(&m.key, lock.start_ts)?;
            if self.mvcc.rolled_back(&m.key, lock.start_ts) {
                return Err(PlaygroundError::WriteConflict { start_ts: lock.start_ts, commit_ts: lock.start_ts });
            }
        }
        let min_commit_ts = lock.min_commit_ts.max(self.max_ts.max(lock.start_ts) + 1);
        let mut out = Emitter::new(lock.txn_source);
        for Mutation { key, value } in mutations {
            if self.mvcc.committed(&key, lock.start_ts).is_some() {
                continue;
            }
            let op = match (&value, lock.op.is_change()) {
                (_, false) => lock.op,
                (Some(_), true) => Op::Put,
                (None, true) => Op::Delete,
            };
            if out.enter(&mut self.regions, &key, self.quota_bytes) && op.is_change() {
                let old = self.mvcc.get(&key, u64::MAX).map_or(&[][..], |v| &v[..]);
                out.row(
                    LogType::Prewrite,
                    lock.start_ts,
                    0,
                    op_type(op),
                    &key,
                    value.as_deref().unwrap_or_default(),
                    old,
                );
            }
            let secondaries = if key == lock.primary { lock.secondaries.clone() } else { Vec::new() };
            let value = value.unwrap_or_default();
            self.mvcc.locks.insert(key, Lock { op, value, min_commit_ts, secondaries, ..lock.clone() });
        }
        out.flush(&mut self.regions, self.quota_bytes);
        Ok(min_commit_ts)
    }

    /// Turns the lock of a key into a version.
    pub(crate) fn commit_key(&mut self, key: &Bytes, commit_ts: u64, out: &mut Emitter) {
        let Some(lock) = self.mvcc.locks.remove(key) else {
            return;
        };
        out.txn_source = lock.txn_source;
        let live = out.enter(&mut self.regions, key, self.quota_bytes);
        if !lock.op.is_change() {
            if live && lock.op == Op::Lock {
                out.row(LogType::Unknown, 0, 0, OpType::Unknown, &[], &[], &[]);
            }
            return;
        }
        if live {
            let value = if lock.value.len() <= SHORT_VALUE_MAX_LEN { &lock.value[..] } else { &[] };
            out.row(LogType::Commit, lock.start_ts, commit_ts, op_type(lock.op), key, value, &[]);
        }
        let value = (lock.op == Op::Put).then_some(lock.value);
        let version = Version { commit_ts, start_ts: lock.start_ts, txn_source: lock.txn_source, value };
        match self.mvcc.keys.entry(key.clone()) {
            Entry::Occupied(mut slot) => slot.get_mut().push(version, self.gc.safe_point),
            Entry::Vacant(slot) => {
                slot.insert(Slot { newest: version, older: Vec::new() });
            }
        }
    }

    /// Removes the transaction's lock of a key, if there is one, and records the rollback.
    pub(crate) fn roll_back_key(&mut self, key: &Bytes, start_ts: u64, out: &mut Emitter) {
        if self.mvcc.locks.get(key).is_some_and(|l| l.start_ts == start_ts) {
            self.mvcc.locks.remove(key);
        }
        self.mvcc.record_rollback(key.clone(), start_ts);
        if out.enter(&mut self.regions, key, self.quota_bytes) {
            out.row(LogType::Rollback, start_ts, 0, OpType::Unknown, key, &[], &[]);
        }
    }
}

/// Gathers the rows of a write, region by region, and sends them.
#[derive(Default)]
pub(crate) struct Emitter {
    region: Option<usize>,
    txn_source: u64,
    first: RowsBuf,
    commits: RowsBuf,
}

impl Emitter {
    pub(crate) fn new(txn_source: u64) -> Self {
        Self { txn_source, ..Self::default() }
    }

    /// Moves on to the region of `key`; whether anybody listens there to this transaction.
    pub(crate) fn enter(&mut self, regions: &mut Regions, key: &[u8], quota_bytes: usize) -> bool {
        let stays = self.region.is_some_and(|at| regions.get(at).contains(key));
        if !stays || self.first.len_bytes() >= EVENT_TARGET_BYTES || self.commits.len_bytes() >= EVENT_TARGET_BYTES {
            let first_only = stays && self.commits.len_bytes() < EVENT_TARGET_BYTES;
            self.send(regions, quota_bytes, first_only);
            self.region = Some(regions.at(key));
        }
        let heard = self.region.is_some_and(|at| !regions.get(at).subs.is_empty());
        heard && self.txn_source >> INTERNAL_SOURCE_SHIFT == 0
    }

    /// Both rows of a change that is written at once.
    fn change(&mut self, meta: TxnMeta, commit_ts: u64, key: &[u8], value: Option<&[u8]>, old_value: &[u8]) {
        let op = if value.is_some() { OpType::Put } else { OpType::Delete };
        let value = value.unwrap_or_default();
        let (start_ts, txn_source) = (meta.start_ts, meta.txn_source);
        if meta.mode == Mode::OnePhase {
            self.row(LogType::Committed, start_ts, commit_ts, op, key, value, old_value);
            return;
        }
        self.row(LogType::Prewrite, start_ts, 0, op, key, value, old_value);
        let value = if value.len() <= SHORT_VALUE_MAX_LEN { value } else { &[] };
        let kind = LogType::Commit;
        self.commits.push(&Row { kind, start_ts, commit_ts, op, key, value, old_value: &[], txn_source });
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of a row")]
    fn row(&mut self, kind: LogType, start_ts: u64, commit_ts: u64, op: OpType, key: &[u8], value: &[u8], old: &[u8]) {
        let txn_source = self.txn_source;
        self.first.push(&Row { kind, start_ts, commit_ts, op, key, value, old_value: old, txn_source });
    }

    pub(crate) fn flush(&mut self, regions: &mut Regions, quota_bytes: usize) {
        self.send(regions, quota_bytes, false);
    }

    fn send(&mut self, regions: &mut Regions, quota_bytes: usize, first_only: bool) {
        let Some(at) = self.region else { return };
        let region = regions.get_mut(at);
        let commits = if first_only { None } else { self.first.merge_or_take(&mut self.commits) };
        for rows in [self.first.take(), commits].into_iter().flatten() {
            let filtered = self.txn_source != 0;
            for sub in region.subs.iter().filter(|s| !(filtered && s.filter_loop)) {
                sub.send_rows(region.id, &rows);
            }
        }
        let id = region.id;
        region.subs.retain(|sub| {
            let fits = sub.conn.queued_bytes() <= quota_bytes;
            if !fits {
                let congested = Some(Congested { region_id: id });
                sub.conn.send_error(id, sub.request, FeedError { congested, ..Default::default() });
            }
            fits
        });
    }
}
