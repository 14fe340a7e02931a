//! Regions: a partition of the key space, each with peers on stores and a leader among them.

use super::conn::Subscription;
use crate::encode::key::region_key;
use std::collections::HashMap;
use tg_proto::metapb;

/// A peer of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Peer id.
    pub id: u64,
    /// Store it lives on.
    pub store: u64,
}

impl From<Peer> for metapb::Peer {
    fn from(p: Peer) -> Self {
        Self { id: p.id, store_id: p.store, role: 0, is_witness: false }
    }
}

/// A region. Bounds are raw keys; empty means none.
#[derive(Debug)]
pub(crate) struct Region {
    /// Region id.
    pub id: u64,
    /// First key.
    pub start: Vec<u8>,
    /// First key beyond.
    pub end: Vec<u8>,
    /// Rises with peer changes.
    pub conf_ver: u64,
    /// Rises with splits and merges.
    pub version: u64,
    /// Peers.
    pub peers: Vec<Peer>,
    /// Store of the leader; `None` while there is none.
    pub leader: Option<u64>,
    /// Change feeds registered here.
    pub(crate) subs: Vec<Subscription>,
}

impl Region {
    /// Whether the key is inside.
    #[must_use]
    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        key >= &self.start[..] && (self.end.is_empty() || key < &self.end[..])
    }

    /// The leader's peer.
    #[must_use]
    pub(crate) fn leader_peer(&self) -> Option<Peer> {
        self.peers.iter().copied().find(|p| Some(p.store) == self.leader)
    }

    /// The region as the wire has it.
    #[must_use]
    pub(crate) fn to_pb(&self) -> metapb::Region {
        metapb::Region {
            id: self.id,
            start_key: region_key(&self.start),
            end_key: region_key(&self.end),
            region_epoch: Some(metapb::RegionEpoch { conf_ver: self.conf_ver, version: self.version }),
            peers: self.peers.iter().map(|p| metapb::Peer::from(*p)).collect(),
            ..Default::default()
        }
    }
}

/// All regions, in key order, without gaps.
#[derive(Debug)]
pub(crate) struct Regions {
    list: Vec<Region>,
    /// First key of each region by its id.
    starts: HashMap<u64, Vec<u8>>,
}

impl Regions {
    /// One region for the whole key space, id 1.
    #[must_use]
    pub(crate) fn new(peers: Vec<Peer>) -> Self {
        let leader = peers.first().map(|p| p.store);
        let (start, end) = (Vec::new(), Vec::new());
        let all = Region { id: 1, start, end, conf_ver: 1, version: 1, peers, leader, subs: Vec::new() };
        Self { list: vec![all], starts: HashMap::from([(1, Vec::new())]) }
    }

    /// Position of the region that holds `key`.
    #[must_use]
    pub(crate) fn at(&self, key: &[u8]) -> usize {
        self.list.partition_point(|r| &r.start[..] <= key) - 1
    }

    /// Position of a region.
    #[must_use]
    pub(crate) fn by_id(&self, id: u64) -> Option<usize> {
        self.starts.get(&id).map(|start| self.at(start))
    }

    /// All regions in order.
    #[must_use]
    pub(crate) fn all(&self) -> &[Region] {
        &self.list
    }

    /// A region by position.
    #[must_use]
    pub(crate) fn get(&self, at: usize) -> &Region {
        &self.list[at]
    }

    /// A region by position.
    pub(crate) fn get_mut(&mut self, at: usize) -> &mut Region {
        &mut self.list[at]
    }

    /// All regions in order.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Region> {
        self.list.iter_mut()
    }

    /// Those that begin in `[start, end)`, in order.
    pub(crate) fn beginning_in<'a>(
        &'a mut self,
        start: &'a [u8],
        end: &'a [u8],
    ) -> impl Iterator<Item = &'a mut Region> + 'a {
        let from = self.list.partition_point(|r| &r.start[..] < start);
        self.list.iter_mut().skip(from).take_while(move |r| &r.start[..] < end)
    }

    /// Splits at `key`: the left part gets the new id and peers, the right one keeps the old.
    /// Gives the position of the left part, or `None` when the key is already a boundary.
    pub(crate) fn split(&mut self, key: &[u8], id: u64, mut next_id: impl FnMut() -> u64) -> Option<usize> {
        let at = self.at(key);
        let right = &mut self.list[at];
        if right.start == key {
            return None;
        }
        let start = std::mem::replace(&mut right.start, key.to_vec());
        self.starts.insert(right.id, key.to_vec());
        self.starts.insert(id, start.clone());
        right.version += 1;
        let peers = right.peers.iter().map(|p| Peer { id: next_id(), store: p.store }).collect();
        let left = Region {
            id,
            start,
            end: key.to_vec(),
            conf_ver: right.conf_ver,
            version: right.version,
            peers,
            leader: right.leader,
            subs: Vec::new(),
        };
        self.list.insert(at, left);
        Some(at)
    }

    /// Merges the region at `at` into the one right of it and gives back the one that is gone;
    /// `None` when it is the last one.
    pub(crate) fn merge_right(&mut self, at: usize) -> Option<Region> {
        if at + 1 >= self.list.len() {
            return None;
        }
        let gone = self.list.remove(at);
        let into = &mut self.list[at];
        into.start.clone_from(&gone.start);
        into.version = into.version.max(gone.version + 1) + 1;
        self.starts.insert(into.id, gone.start.clone());
        self.starts.remove(&gone.id);
        Some(gone)
    }
}
