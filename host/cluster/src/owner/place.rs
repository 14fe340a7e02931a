//! Where slots go.

use super::Owner;
use super::peers::PeerView;
use crate::id::{Mono, Peer};
use crate::meta::NodeState;
use crate::timing::BALANCE_EVERY;
use std::collections::BTreeMap;

/// Slots that may be on the way from one capture to another at once.
const MOVES_MAX: usize = 64;

impl Owner {
    /// Gives every slot a target.
    pub(super) fn place(&mut self, now: Mono) {
        let mut counts: BTreeMap<Peer, usize> =
            self.peers.iter().filter(|(_, v)| v.takes_slots(now)).map(|(p, _)| (p, 0)).collect();
        let slots = self.feeds.values().flat_map(|f| &f.slots);
        for held in slots.filter_map(|s| s.target.or(s.primary())) {
            if let Some(n) = counts.get_mut(&held) {
                *n += 1;
            }
        }
        let mut moves = self.feeds.values().flat_map(|f| &f.slots).filter(|s| s.moving() && s.may_be_written()).count();
        for feed in self.feeds.values_mut() {
            let (ends, places) = (feed.ends(), feed.places(now));
            for slot in &mut feed.slots {
                if ends {
                    slot.target = None;
                    continue;
                }
                let alive = |p: &Peer| {
                    let here =
                        |v: &PeerView| !v.is_down(now) || v.record.state == NodeState::Maintenance && !v.replaced;
                    self.peers.get(*p).is_some_and(here)
                };
                let stays = |p: &Peer| self.peers.get(*p).is_some_and(|v| v.record.state != NodeState::Draining);
                let now_at = slot.target.filter(alive).or(slot.primary().filter(alive));
                slot.target = now_at;
                let must_go = now_at.is_none_or(|p| !stays(&p));
                let room = now_at.is_none() || moves < MOVES_MAX;
                if places && must_go && room {
                    let warm = slot.warm(|p| counts.contains_key(&p));
                    let least = || counts.iter().min_by_key(|(p, n)| (**n, **p)).map(|(p, _)| *p);
                    if let Some(to) = warm.or_else(least) {
                        slot.target = Some(to);
                        *counts.entry(to).or_insert(0) += 1;
                        moves += usize::from(now_at.is_some());
                    }
                }
            }
        }
        if now.since(self.balanced_at) >= BALANCE_EVERY && moves == 0 {
            self.balanced_at = now;
            self.even_out(now, &counts);
        }
    }

    /// Moves a slot from the capture with the most to the one with the fewest.
    fn even_out(&mut self, now: Mono, counts: &BTreeMap<Peer, usize>) {
        let most = counts.iter().max_by_key(|(p, n)| (**n, **p));
        let least = counts.iter().min_by_key(|(p, n)| (**n, **p));
        let (Some((from, many)), Some((to, few))) = (most, least) else { return };
        if *many < *few + 2 {
            return;
        }
        let mut slots = self.feeds.values_mut().filter(|f| f.places(now)).flat_map(|f| &mut f.slots);
        if let Some(slot) = slots.find(|s| s.writer().is_some_and(|(p, _)| p == *from) && s.target == Some(*from)) {
            slot.target = Some(*to);
        }
    }
}
