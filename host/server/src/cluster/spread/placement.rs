//! Which node runs which slot of a changefeed.

use crate::cluster::Cluster;
use crate::handle::SpreadWish;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tg_cluster::Peer;
use tg_metastore::NodeWish;
use tg_model::ChangefeedId;

/// For so long a node that was lost gets no slots, unless it registers anew; twice as long each time it is lost again.
const LOST_FOR: Duration = Duration::from_secs(30);
const LOST_FOR_MAX: Duration = Duration::from_secs(1_800);
/// A node that was not lost for so long is as good as new.
const FORGIVEN_AFTER: Duration = Duration::from_secs(3_600);

/// Where a slot is, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) capture: String,
    pub(crate) node: String,
    pub(crate) address: String,
}

/// What a supervisor remembers of where its slots were.
#[derive(Debug, Default)]
pub(crate) struct Spreading {
    before: Vec<Peer>,
    /// When it was lost last, and how often.
    lost: BTreeMap<Peer, (Instant, u32)>,
}

impl Spreading {
    /// Where the slots of a run are to be, by slot; empty: this node does not know itself yet, or takes part in nothing.
    pub(crate) fn wanted(&mut self, cluster: &Cluster, id: &ChangefeedId, slots: u16, wish: &SpreadWish) -> Vec<Peer> {
        let world = cluster.world();
        let Some(me) = world.members.keys().find(|p| p.capture == cluster.me.capture).copied() else {
            return Vec::new();
        };
        if wish.gathered > 0 {
            return vec![me; usize::from(slots)];
        }
        self.lost.retain(|peer, _| world.members.contains_key(peer));
        let left_out =
            |peer: &Peer| self.lost.get(peer).is_some_and(|(since, times)| since.elapsed() < lost_for(*times));
        let takes = |(peer, m): &(&Peer, &tg_metastore::MemberRecord)| {
            // One of another version may not know what is asked of it.
            let fit = m.version == cluster.member.version && world.wish(&m.node) == NodeWish::Up;
            **peer == me || (fit && !left_out(peer))
        };
        let nodes: BTreeSet<Peer> = world.members.iter().filter(takes).map(|(peer, _)| *peer).collect();
        let by_node = |node: &String| world.members.iter().find(|(_, m)| m.node == *node).map(|(peer, _)| *peer);
        let pins = wish.pins.iter().filter_map(|(slot, node)| Some((*slot, by_node(node)?))).collect();
        place(slots, me, &nodes, &self.before, &pins, turn(id))
    }

    /// Whether they are where they are wanted.
    pub(crate) fn is(&self, wanted: &[Peer]) -> bool {
        self.before == wanted
    }

    /// They are there now.
    pub(crate) fn set(&mut self, at: &[Peer]) {
        self.before = at.to_vec();
    }

    /// For people.
    pub(crate) fn shown(cluster: &Cluster, at: &[Peer]) -> Vec<Place> {
        let world = cluster.world();
        let place = |peer: &Peer| {
            let member = world.members.get(peer);
            Place {
                capture: format!("{:032x}", peer.capture.0),
                node: member.map(|m| m.node.clone()).unwrap_or_default(),
                address: member.map(|m| m.address.clone()).unwrap_or_default(),
            }
        };
        at.iter().map(place).collect()
    }

    /// The node that ran this slot is not heard any more.
    pub(crate) fn lost(&mut self, slot: u16) {
        if let Some(peer) = self.before.get(usize::from(slot)) {
            let recent = self.lost.get(peer).filter(|(since, _)| since.elapsed() < FORGIVEN_AFTER);
            let times = recent.map_or(0, |(_, times)| *times) + 1;
            self.lost.insert(*peer, (Instant::now(), times));
        }
    }
}

fn lost_for(times: u32) -> Duration {
    LOST_FOR.saturating_mul(2_u32.saturating_pow(times.saturating_sub(1))).min(LOST_FOR_MAX)
}

/// So that the few slots of many changefeeds do not all go to the same nodes.
fn turn(id: &ChangefeedId) -> u64 {
    let text = format!("{}/{}", id.namespace, id.name);
    text.bytes().fold(0, |h: u64, b| h.wrapping_mul(31).wrapping_add(u64::from(b)))
}

/// Evenly over the nodes, leaving slots where they are as far as that allows; pinned ones where they are pinned, if that node takes any.
fn place(
    slots: u16,
    me: Peer,
    nodes: &BTreeSet<Peer>,
    before: &[Peer],
    pins: &BTreeMap<u16, Peer>,
    turn: u64,
) -> Vec<Peer> {
    // Every node has so many; of these, some have one more.
    let least = usize::from(slots) / nodes.len().max(1);
    let mut more = usize::from(slots) % nodes.len().max(1);
    let mut load: BTreeMap<Peer, usize> = nodes.iter().map(|n| (*n, 0)).collect();
    let mut at: Vec<Option<Peer>> = vec![None; usize::from(slots)];
    for (slot, place) in (0..slots).zip(&mut at) {
        if let Some(pinned) = pins.get(&slot)
            && let Some(load) = load.get_mut(pinned)
        {
            *load += 1;
            *place = Some(*pinned);
        }
    }
    more = more.saturating_sub(load.values().map(|n| n.saturating_sub(least)).sum());
    for (place, was) in at.iter_mut().zip(before) {
        if place.is_none()
            && let Some(load) = load.get_mut(was)
            && (*load < least || (*load == least && more > 0))
        {
            more -= usize::from(*load == least);
            *load += 1;
            *place = Some(*was);
        }
    }
    // Ties go to the node of the run first: nothing crosses the network there. Then to everybody in turn.
    let mut order: Vec<Peer> = nodes.iter().copied().filter(|n| *n != me).collect();
    if let Ok(by) = usize::try_from(turn % (order.len().max(1) as u64)) {
        order.rotate_left(by);
    }
    if nodes.contains(&me) {
        order.insert(0, me);
    }
    at.into_iter()
        .map(|place| {
            place.unwrap_or_else(|| {
                let least =
                    order.iter().copied().min_by_key(|n| load.get(n).copied().unwrap_or_default()).unwrap_or(me);
                *load.entry(least).or_default() += 1;
                least
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::place;
    use std::collections::{BTreeMap, BTreeSet};
    use tg_cluster::{CaptureId, Incarnation, Peer};

    fn peer(n: u64) -> Peer {
        Peer { capture: CaptureId(n.into()), inc: Incarnation(n) }
    }

    fn at(nodes: &[u64], before: &[u64], pins: &[(u16, u64)]) -> Vec<u64> {
        let nodes: BTreeSet<_> = nodes.iter().map(|n| peer(*n)).collect();
        let before: Vec<_> = before.iter().map(|n| peer(*n)).collect();
        let pins: BTreeMap<_, _> = pins.iter().map(|(slot, n)| (*slot, peer(*n))).collect();
        place(4, peer(1), &nodes, &before, &pins, 0).into_iter().map(|p| p.inc.0).collect()
    }

    #[test]
    fn slots_are_spread_evenly_beginning_at_home() {
        assert_eq!(at(&[1], &[], &[]), [1, 1, 1, 1]);
        assert_eq!(at(&[1, 2], &[], &[]), [1, 2, 1, 2]);
        assert_eq!(at(&[1, 2, 3], &[], &[]), [1, 2, 3, 1]);
        assert_eq!(at(&[1, 2, 3, 4, 5], &[], &[]), [1, 2, 3, 4]);
    }

    #[test]
    fn what_can_stay_stays() {
        assert_eq!(at(&[1, 2, 3], &[3, 3, 2, 1], &[]), [3, 3, 2, 1]);
        assert_eq!(at(&[1, 3], &[3, 3, 2, 1], &[]), [3, 3, 1, 1], "2 has gone");
        assert_eq!(at(&[1, 2, 3, 4], &[1, 1, 2, 2], &[]), [1, 3, 2, 4], "3 and 4 have come");
        assert_eq!(at(&[1, 2, 3], &[1, 2, 2, 1], &[]), [1, 2, 2, 3], "3 has come, and is to have some");
    }

    #[test]
    fn pinned_slots_go_where_they_are_pinned_while_that_node_is_there() {
        assert_eq!(at(&[1, 2, 3], &[1, 2, 3, 1], &[(0, 3), (1, 3)]), [3, 3, 2, 1]);
        assert_eq!(at(&[1, 2], &[], &[(0, 9)]), [1, 2, 1, 2], "nobody knows it");
    }

    #[test]
    fn changefeeds_with_few_slots_take_different_nodes() {
        let nodes: BTreeSet<_> = (1..6).map(peer).collect();
        let second = |turn| place(2, peer(1), &nodes, &[], &BTreeMap::new(), turn)[1];
        let all: BTreeSet<_> = (0..4).map(second).collect();
        assert_eq!(all.len(), 4);
    }
}
