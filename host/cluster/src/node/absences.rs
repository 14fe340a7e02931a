//! What owners have told of nodes in maintenance that are away. Every capture keeps it, and tells it to the next owner, which
//! goes on counting.

use crate::elapsed::Elapsed;
use crate::id::{Mono, NodeId};
use crate::message::Away;
use std::collections::BTreeMap;

/// As many as the newest owner named.
#[derive(Debug, Default)]
pub(super) struct Absences {
    /// For how long, and whether it may be longer.
    away: BTreeMap<NodeId, (Elapsed, bool)>,
}

impl Absences {
    /// An owner's word. Whoever it does not name is back; where it began to count late, what was known before stands.
    pub(super) fn told(&mut self, now: Mono, away: &[Away]) {
        let before = std::mem::take(&mut self.away);
        for told in away {
            let longer = |(known, _): &(Elapsed, bool)| told.at_least && known.micros(now) > told.micros;
            let known = before.get(&told.node).copied().filter(longer);
            let new = (Elapsed::new(told.micros, now), told.at_least);
            self.away.insert(told.node, known.unwrap_or(new));
        }
    }

    pub(super) fn all(&self, now: Mono) -> Vec<Away> {
        let away = |(node, (time, at_least)): (&NodeId, &(Elapsed, bool))| Away {
            node: *node,
            micros: time.micros(now),
            at_least: *at_least,
        };
        self.away.iter().map(away).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away(micros: u64, at_least: bool) -> Away {
        Away { node: NodeId(1), micros, at_least }
    }

    #[test]
    fn a_new_owners_guess_does_not_replace_what_is_known() {
        let mut known = Absences::default();
        known.told(Mono(1_000), &[away(100, false)]);
        known.told(Mono(2_000), &[away(10, true)]);
        assert_eq!(known.all(Mono(3_000)), [away(2_100, false)]);
        known.told(Mono(3_000), &[away(5, false)]);
        assert_eq!(known.all(Mono(3_000)), [away(5, false)], "it was back meanwhile, and the owner knows");
        known.told(Mono(4_000), &[away(3_000, true)]);
        assert_eq!(known.all(Mono(4_000)), [away(3_000, true)]);
        known.told(Mono(5_000), &[]);
        assert_eq!(known.all(Mono(5_000)), [], "it is back");
        known.told(Mono(5_000), &[away(1 << 40, false)]);
        assert_eq!(known.all(Mono(5_010)), [away((1 << 40) + 10, false)], "it began before this clock did");
    }
}
