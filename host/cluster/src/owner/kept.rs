//! Nodes in maintenance: what they had waits for them when they are away, for a while.
//!
//! Whoever is owner counts, on its own clock, and tells all captures how far it has come. They tell it to the next owner: so an
//! absence is counted on as long as one process that has heard of it lives, and no clock is compared with another.

use super::peers::Peers;
use crate::elapsed::Elapsed;
use crate::id::{FeedId, Mono, NodeId};
use crate::message::Away;
use crate::meta::Snapshot;
use crate::rules::{Rule, Rules};
use std::collections::BTreeMap;

/// How sure it is for how long a node is away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sure {
    /// It was away when the ownership began.
    AtLeast,
    /// Captures have told what an earlier owner knew.
    Told,
    /// This owner has heard it before.
    Seen,
}

/// What is known of nodes in maintenance.
#[derive(Debug)]
pub(crate) struct Kept {
    rules: Rules,
    /// How long each may be away.
    away_max: BTreeMap<NodeId, u64>,
    /// Which of them had a changefeed last.
    homes: BTreeMap<FeedId, NodeId>,
    /// For how long they are missed; `None`: this owner hears them.
    missed: BTreeMap<NodeId, Option<(Elapsed, Sure)>>,
}

impl Kept {
    pub(crate) const fn new(rules: Rules) -> Self {
        Self { rules, away_max: BTreeMap::new(), homes: BTreeMap::new(), missed: BTreeMap::new() }
    }

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
                self.missed.insert(*node, None);
            } else {
                let begins = Elapsed::new(0, now);
                let missed = self.missed.entry(*node).or_insert(Some((begins, Sure::AtLeast)));
                missed.get_or_insert((begins, Sure::Seen));
            }
        }
    }

    /// Takes what a capture was told by earlier owners. Of two that know different things the one that knows the shorter absence
    /// has heard later of it: the other one missed that the node was back.
    pub(crate) fn told(&mut self, now: Mono, away: &[Away]) {
        if !self.rules.keep(Rule::AbsenceCarried) {
            return;
        }
        for told in away {
            let Some(Some((time, sure))) = self.missed.get_mut(&told.node) else { continue };
            let (known, new) = (time.micros(now), Elapsed::new(told.micros, now));
            match (*sure, told.at_least) {
                (Sure::AtLeast, true) if told.micros > known => *time = new,
                (Sure::AtLeast, false) => (*time, *sure) = (new, Sure::Told),
                (Sure::Told, false) if told.micros < known => *time = new,
                _ => {}
            }
        }
    }

    /// What is known of those that are away, for captures to keep.
    pub(crate) fn away(&self, now: Mono) -> Vec<Away> {
        let away = |(node, missed): (&NodeId, &Option<(Elapsed, Sure)>)| {
            let (time, sure) = (*missed)?;
            Some(Away { node: *node, micros: time.micros(now), at_least: sure == Sure::AtLeast })
        };
        self.missed.iter().filter_map(away).collect()
    }

    /// Whether the node is away, and not for too long yet.
    pub(crate) fn awaits(&self, now: Mono, node: NodeId) -> bool {
        let missed = self.missed.get(&node).copied().flatten();
        let (Some(max), Some((time, _))) = (self.away_max.get(&node), missed) else { return false };
        time.micros(now) <= *max
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

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId(7);

    /// An owner that began when the node was away, 1 000 us ago.
    fn missing() -> Kept {
        let mut kept = Kept::new(Rules::default());
        kept.snapshot(&Snapshot { maintenance: [(NODE, 10_000)].into(), ..Snapshot::default() });
        kept.look(Mono(100_000), &Peers::new(Rules::default(), Mono(100_000)));
        kept
    }

    fn told(kept: &mut Kept, micros: u64, at_least: bool) -> Vec<(u64, bool)> {
        kept.told(Mono(101_000), &[Away { node: NODE, micros, at_least }]);
        kept.away(Mono(101_000)).into_iter().map(|a| (a.micros, a.at_least)).collect()
    }

    #[test]
    fn what_others_know_is_counted_on() {
        let mut kept = missing();
        assert_eq!(told(&mut kept, 500, true), [(1_000, true)], "no less than this owner has seen itself");
        assert_eq!(told(&mut kept, 4_000, true), [(4_000, true)]);
        assert_eq!(told(&mut kept, 9_000, false), [(9_000, false)]);
        assert!(kept.awaits(Mono(102_000), NODE) && !kept.awaits(Mono(102_001), NODE));
        assert_eq!(told(&mut kept, 6_000, false), [(6_000, false)], "who knows less has heard that it was back");
        assert_eq!(told(&mut kept, 8_000, false), [(6_000, false)]);
        assert_eq!(told(&mut kept, 8_000, true), [(6_000, false)]);
        assert_eq!(told(&mut missing(), u64::MAX, false), [(u64::MAX, false)], "it began before this clock did");
    }

    #[test]
    fn nobody_is_believed_about_who_is_here_or_in_no_maintenance() {
        let mut kept = Kept::new(Rules::default());
        assert_eq!(told(&mut kept, 500, false), []);
        kept = missing();
        kept.missed.insert(NODE, None);
        assert_eq!(told(&mut kept, 500, false), [], "it is heard");
        kept.look(Mono(101_000), &Peers::new(Rules::default(), Mono(0)));
        assert_eq!(told(&mut kept, 9_000, false), [(0, false)], "it was heard a moment ago");
        kept.snapshot(&Snapshot::default());
        assert!(kept.away(Mono(102_000)).is_empty());
    }
}
