//! Nodes in maintenance: what they had waits for them when they are away, for a while.

use super::peers::Peers;
use crate::id::{FeedId, Mono, NodeId};
use crate::meta::Snapshot;
use std::collections::BTreeMap;

/// What is known of nodes in maintenance.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// How long each may be away.
    away_max: BTreeMap<NodeId, u64>,
    /// Which of them had a changefeed last.
    homes: BTreeMap<FeedId, NodeId>,
    /// Since when this owner misses them.
    missed: BTreeMap<NodeId, Mono>,
}

impl Kept {
    /// Takes a state of the metadata.
    pub(crate) fn snapshot(&mut self, snapshot: &Snapshot) {
        self.away_max.clone_from(&snapshot.maintenance);
        self.homes.clone_from(&snapshot.homes);
        self.missed.retain(|node, _| snapshot.maintenance.contains_key(node));
    }

    /// Looks who is there.
    pub(crate) fn look(&mut self, now: Mono, peers: &Peers) {
        for node in self.away_max.keys() {
            if peers.is_here(now, *node) {
                self.missed.remove(node);
            } else {
                self.missed.entry(*node).or_insert(now);
            }
        }
    }

    /// Whether the node is away, and not for too long yet.
    pub(crate) fn awaits(&self, now: Mono, node: NodeId) -> bool {
        let (Some(max), Some(since)) = (self.away_max.get(&node), self.missed.get(&node)) else { return false };
        now.since(*since) <= *max
    }

    /// The node in maintenance that had the changefeed last.
    pub(crate) fn home(&self, feed: FeedId) -> Option<NodeId> {
        self.homes.get(&feed).copied()
    }

    /// Whether the changefeed waits for such a node.
    pub(crate) fn waits(&self, now: Mono, feed: FeedId) -> bool {
        self.home(feed).is_some_and(|node| self.awaits(now, node))
    }
}
