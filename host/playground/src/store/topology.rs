//! Splits, merges and moves of regions.

use super::feed::{epoch_not_match, not_leader};
use super::region::Peer;
use super::{Cluster, Region, State};
use crate::PlaygroundError;
use tg_proto::cdcpb;

impl State {
    /// Splits at a raw key; feeds of the region end. Gives the new region's id, `None` when the key is
    /// a boundary already.
    pub(crate) fn split(&mut self, key: &[u8]) -> Option<u64> {
        let (id, mut last) = (self.next_id(), 0);
        let mut peer_ids = Vec::new();
        for _ in 0..self.stores.len() {
            peer_ids.push(self.next_id());
        }
        let left = self.regions.split(key, id, || {
            last += 1;
            peer_ids.get(last - 1).copied().unwrap_or_default()
        })?;
        let error = epoch_not_match(&[self.regions.get(left), self.regions.get(left + 1)]);
        self.regions.get_mut(left + 1).end_subs(&error, |_| true);
        Some(id)
    }

    /// Hands the regions of `[start, end)` to the stores in turn.
    pub(crate) fn scatter(&mut self, start: &[u8], end: &[u8]) {
        let stores: Vec<_> = self.stores.iter().filter(|(_, s)| s.up).map(|(id, _)| *id).collect();
        if stores.is_empty() {
            return;
        }
        for (i, region) in self.regions.beginning_in(start, end).enumerate() {
            region.move_leader(Some(stores[i % stores.len()]));
        }
    }
}

impl Region {
    /// Makes the peer on `store` the leader; feeds of the region end with that news.
    pub(crate) fn move_leader(&mut self, store: Option<u64>) {
        if self.leader != store {
            self.leader = store;
            let error = not_leader(self);
            self.end_subs(&error, |_| true);
        }
    }
}

impl Cluster {
    /// Splits the region that holds the raw key there; `false` when the key is a boundary already.
    pub fn split(&self, key: &[u8]) -> bool {
        self.lock().split(key).is_some()
    }

    /// The key in the middle of a region's keys; `None` when it has fewer than two.
    #[must_use]
    pub fn middle_key(&self, region: u64) -> Option<Vec<u8>> {
        let state = self.lock();
        let region = state.regions.get(state.regions.by_id(region)?);
        let keys: Vec<_> = state.mvcc.keys_in(&region.start, &region.end).map(|(k, _)| k).collect();
        (keys.len() > 1).then(|| keys[keys.len() / 2].to_vec())
    }

    /// Merges a region into its right neighbour.
    ///
    /// # Errors
    /// There is no such region, or it is the last one.
    pub fn merge(&self, region: u64) -> Result<(), PlaygroundError> {
        let mut state = self.lock();
        let unknown = PlaygroundError::UnknownRegion { region };
        let Some(at) = state.regions.by_id(region) else {
            return Err(unknown);
        };
        let Some(mut gone) = state.regions.merge_right(at) else {
            return Err(unknown);
        };
        let error: cdcpb::Error = epoch_not_match(&[]);
        gone.end_subs(&error, |_| true);
        state.regions.get_mut(at).end_subs(&error, |_| true);
        Ok(())
    }

    /// Moves a region's leader to a store, or to none.
    ///
    /// # Errors
    /// There is no such region, or it has no peer there.
    pub fn move_leader(&self, region: u64, store: Option<u64>) -> Result<(), PlaygroundError> {
        let mut state = self.lock();
        let Some(at) = state.regions.by_id(region) else {
            return Err(PlaygroundError::UnknownRegion { region });
        };
        let region = state.regions.get_mut(at);
        match store {
            Some(store) if !region.peers.iter().any(|p| p.store == store) => {
                Err(PlaygroundError::UnknownStore { store })
            }
            store => {
                region.move_leader(store);
                Ok(())
            }
        }
    }

    /// Changes the peers of a region without effect on its feeds: conf_ver rises.
    ///
    /// # Errors
    /// There is no such region.
    pub fn change_peers(&self, region: u64) -> Result<(), PlaygroundError> {
        let mut state = self.lock();
        let Some(at) = state.regions.by_id(region) else {
            return Err(PlaygroundError::UnknownRegion { region });
        };
        let fresh = state.next_id();
        let region = state.regions.get_mut(at);
        region.conf_ver += 1;
        let leader = region.leader;
        if let Some(follower) = region.peers.iter_mut().find(|p| Some(p.store) != leader) {
            *follower = Peer { id: fresh, store: follower.store };
        }
        Ok(())
    }

    /// The regions with their bounds (raw keys) and leaders, in key order.
    #[must_use]
    pub fn regions(&self) -> Vec<RegionInfo> {
        let state = self.lock();
        let info = |r: &Region| RegionInfo {
            id: r.id,
            start: r.start.clone(),
            end: r.end.clone(),
            leader: r.leader,
            subscriptions: r.subs.len(),
        };
        state.regions.all().iter().map(info).collect()
    }

    /// Gives the regions that a stopping store leads to others; feeds there have ended with their streams.
    pub(crate) fn evict_leaders(&self, store: u64) {
        let mut state = self.lock();
        if let Some(info) = state.stores.get_mut(&store) {
            info.up = false;
        }
        let State { stores, regions, .. } = &mut *state;
        let up: Vec<_> = stores.iter().filter(|(_, s)| s.up).map(|(id, _)| *id).collect();
        for (i, region) in regions.iter_mut().filter(|r| r.leader == Some(store)).enumerate() {
            let next = up.get(i % up.len().max(1)).copied();
            region.move_leader(next);
        }
    }
}

impl Cluster {
    /// Gives regions without leader to a store that came up.
    pub(crate) fn lead_orphans(&self, store: u64) {
        let mut state = self.lock();
        for region in state.regions.iter_mut().filter(|r| r.leader.is_none()) {
            region.move_leader(Some(store));
        }
    }

    /// Moves the safe point and drops some of what lies below it.
    pub(crate) fn sweep(&self, keys: usize) {
        let mut state = self.lock();
        state.gc.advance(self.tso.now());
        let safe_point = state.gc.safe_point;
        if safe_point > 0 {
            state.mvcc.sweep(safe_point, keys);
            state.collect_garbage();
        }
    }
}

/// What a region is, for those who play with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionInfo {
    /// Region id.
    pub id: u64,
    /// First raw key; empty: no bound.
    pub start: Vec<u8>,
    /// First raw key beyond; empty: no bound.
    pub end: Vec<u8>,
    /// Store of the leader.
    pub leader: Option<u64>,
    /// Feeds registered.
    pub subscriptions: usize,
}
