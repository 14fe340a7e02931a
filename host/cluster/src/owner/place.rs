//! Where slots go: the owner's view for the balancer, and its decisions carried out.

use super::Owner;
use super::feed::Feed;
use super::peers::PeerView;
use crate::id::{FeedId, Mono, Peer, SlotKey};
use crate::meta::NodeState;
use crate::timing::BALANCE_EVERY;
use std::collections::BTreeMap;
use tg_balance::{Decision, Node, NodeId, Unit, UnitId, View};

const fn node_id(peer: Peer) -> NodeId {
    NodeId(peer.capture.0)
}

fn unit_id(key: SlotKey) -> UnitId {
    UnitId { group: key.feed.0, part: key.slot.0 }
}

impl Owner {
    /// Gives every slot a target.
    pub(super) fn place(&mut self, now: Mono) {
        self.retarget(now);
        let ms = now.0 / 1_000;
        let draining = self.peers.iter().any(|(_, v)| v.record.state == NodeState::Draining);
        let unplaced = |(id, f): (&FeedId, &Feed)| {
            f.places(now) && !self.kept.waits(now, *id) && f.slots.iter().any(|s| s.target.is_none())
        };
        let waiting = self.feeds.iter().any(unplaced);
        if waiting || draining {
            let view = self.balance_view(now);
            let decisions = self.balancer.check(ms, &view);
            self.carry_out(&decisions);
        }
        if now.since(self.balanced_at) >= BALANCE_EVERY {
            self.balanced_at = now;
            let view = self.balance_view(now);
            let decisions = self.balancer.balance(ms, &view);
            self.carry_out(&decisions);
        }
    }

    /// Slots that are to rest have no target; those whose target is gone go on where they are, or on the same node.
    fn retarget(&mut self, now: Mono) {
        let (peers, kept) = (&self.peers, &self.kept);
        let stays = |p: &Peer| {
            let awaited = |v: &PeerView| !v.replaced && kept.awaits(now, v.record.node);
            peers.get(*p).is_some_and(|v| !v.is_down(now) || awaited(v))
        };
        for (id, feed) in &mut self.feeds {
            let (ends, places) = (feed.ends(), feed.places(now));
            for slot in &mut feed.slots {
                let back = || slot.target.and_then(|t| peers.successor(t));
                let free = places && slot.primary().is_none();
                let home = || kept.home(*id).filter(|_| free).and_then(|node| peers.of_node(now, node));
                let at = slot.target.filter(stays).or(slot.primary().filter(stays));
                let at = at.or_else(|| back().filter(|p| peers.get(*p).is_some_and(|v| v.goes_on(now)))).or_else(home);
                slot.target = if ends { None } else { at };
            }
        }
    }

    fn balance_view(&self, now: Mono) -> View {
        let nodes = self.peers.iter().map(|(p, v)| Node {
            id: node_id(p),
            zone: v.record.zone.clone(),
            takes: v.takes_slots(now),
            leaves: v.record.state == NodeState::Draining,
        });
        let takes = |p: Peer| self.peers.get(p).is_some_and(|v| v.takes_slots(now));
        let units = self.feeds.iter().flat_map(|(id, f)| {
            let (free, waits) = (f.places(now), self.kept.waits(now, *id));
            f.slots.iter().map(move |s| Unit {
                id: unit_id(s.key()),
                at: s.target.map(node_id),
                moving: s.moving(),
                free: free && !(waits && s.target.is_none()),
                bytes_per_s: s.writer().map_or(0, |(_, status)| status.bytes_per_s),
                warm: s.warm(takes).map(node_id),
            })
        });
        View { nodes: nodes.collect(), units: units.collect(), prefer_zone: self.prefer_zone.clone() }
    }

    fn carry_out(&mut self, decisions: &[Decision]) {
        if decisions.is_empty() {
            return;
        }
        let peers: BTreeMap<_, _> = self.peers.iter().map(|(p, _)| (node_id(p), p)).collect();
        let to: BTreeMap<_, _> = decisions.iter().map(|d| (d.unit, peers.get(&d.to).copied())).collect();
        for slot in self.feeds.values_mut().flat_map(|f| &mut f.slots) {
            if let Some(target) = to.get(&unit_id(slot.key())) {
                slot.target = *target;
            }
        }
    }
}
