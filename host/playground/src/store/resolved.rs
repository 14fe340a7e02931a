//! Resolved timestamps: below them nothing more will be committed.

use super::{Cluster, Conn};
use std::collections::HashMap;
use std::sync::Arc;

/// Regions in the first message of a round; each further message has four times as many.
const FIRST_BATCH: usize = 8;
/// Growth from message to message.
const BATCH_GROWTH: usize = 4;
/// A connection with this much unread output gets no more resolved timestamps for now.
const UNREAD_MAX_BYTES: usize = 64 << 20;

/// Regions of one request on one connection, each with its resolved timestamp.
type Round = (Arc<Conn>, Vec<(u64, u64)>);

impl Cluster {
    /// One round for the regions led by `store`: takes a timestamp and says, for every subscription
    /// whose scan is complete, the lower of it and the oldest lock in the observed range.
    pub(crate) fn resolved_round(&self, store: u64) {
        let mut state = self.lock();
        let ts = self.tso.next();
        state.max_ts = state.max_ts.max(ts);
        if self.faults.is_resolved_frozen() {
            return;
        }
        let mut rounds: HashMap<(u64, u64), Round> = HashMap::new();
        for region in state.regions.all().iter().filter(|r| r.leader == Some(store)) {
            for sub in region.subs.iter().filter(|s| s.initialized && s.conn.queued_bytes() < UNREAD_MAX_BYTES) {
                let locks = state.mvcc.locks_in(&sub.start, &sub.end).filter(|(_, l)| l.op.is_change());
                let resolved = locks.map(|(_, l)| l.start_ts).min().map_or(ts, |lock| lock.min(ts));
                let request = if sub.conn.multiplexing { sub.request } else { 0 };
                let round = rounds.entry((sub.conn.id, request));
                round.or_insert_with(|| (sub.conn.clone(), Vec::new())).1.push((resolved, region.id));
            }
        }
        for ((_, request), (conn, mut regions)) in rounds {
            regions.sort_unstable();
            send_batches(&conn, request, &regions);
        }
    }
}

/// The lagging regions first, in growing batches; each says the lowest timestamp in it.
fn send_batches(conn: &Conn, request: u64, mut regions: &[(u64, u64)]) {
    let mut size = FIRST_BATCH;
    while let Some((ts, _)) = regions.first().copied() {
        let (batch, rest) = regions.split_at(size.min(regions.len()));
        conn.send_resolved(batch.iter().map(|(_, id)| *id).collect(), ts, request);
        regions = rest;
        size *= BATCH_GROWTH;
    }
}
