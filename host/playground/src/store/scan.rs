//! The incremental scan of a subscription: what happened above its checkpoint, in small steps, while
//! live changes go on.

use super::mvcc::{Mvcc, Op, Slot};
use super::wire::{EVENT_TARGET_BYTES, Row, RowsBuf, op_type};
use super::{Cluster, Conn};
use std::sync::Arc;
use std::time::Duration;
use tg_proto::cdcpb::{LogType, OpType};

/// Most keys looked at in one hold of the lock.
const STEP_KEYS_MAX: usize = 4096;
/// A scan waits while this much of its connection's output is unread.
const UNREAD_MAX_BYTES: usize = 8 << 20;
/// How often a waiting scan looks again.
const WAIT: Duration = Duration::from_millis(2);
/// Marks in a transaction source that keep it off every feed.
const INTERNAL_SOURCE_MIN: u64 = 1 << 8;

/// A scan and how far it is.
#[derive(Debug)]
pub(crate) struct ScanTask {
    pub(crate) serial: u64,
    pub(crate) region: u64,
    pub(crate) cursor: Vec<u8>,
    pub(crate) end: Vec<u8>,
    pub(crate) checkpoint_ts: u64,
    /// Transactions that started later are seen live from the beginning.
    pub(crate) snapshot_ts: u64,
}

impl ScanTask {
    /// Runs the scan to its end, or until the subscription is gone.
    pub(crate) async fn run(mut self, cluster: Arc<Cluster>, conn: Arc<Conn>) {
        loop {
            while conn.queued_bytes() > UNREAD_MAX_BYTES {
                tokio::time::sleep(WAIT).await;
            }
            if let Some(pause) = cluster.faults.scan_pause() {
                tokio::time::sleep(pause).await;
            }
            if self.step(&cluster) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// One step; whether that was the last.
    fn step(&mut self, cluster: &Cluster) -> bool {
        let mut state = cluster.lock();
        let state = &mut *state;
        let Some(at) = state.regions.by_id(self.region) else {
            return true;
        };
        let region = state.regions.get_mut(at);
        let Some(sub) = region.subs.iter_mut().find(|s| s.serial == self.serial) else {
            return true;
        };
        let mut rows = RowsBuf::default();
        let complete = self.collect(&state.mvcc, sub.filter_loop, &mut rows);
        if complete {
            let op = OpType::Unknown;
            let none: &[u8] = &[];
            rows.push(&Row {
                kind: LogType::Initialized,
                start_ts: 0,
                commit_ts: 0,
                op,
                key: none,
                value: none,
                old_value: none,
                txn_source: 0,
            });
            sub.initialized = true;
        }
        if let Some(rows) = rows.take() {
            sub.send_rows(region.id, &rows);
        }
        complete
    }

    /// Gathers one event's worth of rows; whether the range is done.
    fn collect(&mut self, mvcc: &Mvcc, filter_loop: bool, rows: &mut RowsBuf) -> bool {
        let mut stopped_at = None;
        for (i, (key, slot)) in mvcc.keys_in(&self.cursor, &self.end).enumerate() {
            if i == STEP_KEYS_MAX || rows.len_bytes() >= EVENT_TARGET_BYTES {
                stopped_at = Some(key.to_vec());
                break;
            }
            self.versions(key, slot, filter_loop, rows);
        }
        let to = stopped_at.as_ref().unwrap_or(&self.end);
        for (key, lock) in mvcc.locks_in(&self.cursor, to).filter(|(_, l)| l.op.is_change()) {
            if !sent(lock.txn_source, filter_loop) {
                continue;
            }
            let old_value = mvcc.get(key, u64::MAX).map_or(&[][..], |v| &v[..]);
            let (kind, op, txn_source) = (LogType::Prewrite, op_type(lock.op), lock.txn_source);
            let value = if lock.op == Op::Put { &lock.value[..] } else { &[] };
            rows.push(&Row { kind, start_ts: lock.start_ts, commit_ts: 0, op, key, value, old_value, txn_source });
        }
        match stopped_at {
            Some(key) => {
                self.cursor = key;
                false
            }
            None => true,
        }
    }

    fn versions(&self, key: &[u8], slot: &Slot, filter_loop: bool, rows: &mut RowsBuf) {
        if slot.newest.commit_ts <= self.checkpoint_ts {
            return;
        }
        let mut versions = slot.newest_first().peekable();
        while let Some(version) = versions.next() {
            if version.commit_ts <= self.checkpoint_ts {
                return;
            }
            if version.start_ts > self.snapshot_ts || !sent(version.txn_source, filter_loop) {
                continue;
            }
            let old_value = versions.peek().and_then(|v| v.value.as_deref()).unwrap_or_default();
            rows.push(&Row {
                kind: LogType::Committed,
                start_ts: version.start_ts,
                commit_ts: version.commit_ts,
                op: if version.value.is_some() { OpType::Put } else { OpType::Delete },
                key,
                value: version.value.as_deref().unwrap_or_default(),
                old_value,
                txn_source: version.txn_source,
            });
        }
    }
}

const fn sent(txn_source: u64, filter_loop: bool) -> bool {
    txn_source < INTERNAL_SOURCE_MIN && !(filter_loop && txn_source != 0)
}
