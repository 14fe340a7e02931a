//! Who hears whom.

use crate::rng::Rng;
use crate::scenario::{MS, SEC, Scenario};
use std::collections::BTreeMap;

/// Links between processes, by their place; how many faults cut each right now.
#[derive(Debug, Default)]
pub(crate) struct Network {
    cut: BTreeMap<(usize, usize), u32>,
    /// What a process sends before then arrives after it.
    held: BTreeMap<usize, u64>,
    meta_cut: BTreeMap<usize, u32>,
    pub(crate) meta_down: u32,
    pub(crate) meta_slow: u32,
}

impl Network {
    /// Cuts the link from one to another, or mends one cut.
    pub(crate) fn cut(&mut self, from: usize, to: usize, on: bool) {
        let n = self.cut.entry((from, to)).or_insert(0);
        *n = if on { *n + 1 } else { n.saturating_sub(1) };
    }

    pub(crate) fn cut_meta(&mut self, node: usize, on: bool) {
        let n = self.meta_cut.entry(node).or_insert(0);
        *n = if on { *n + 1 } else { n.saturating_sub(1) };
    }

    /// Nothing that a process sends arrives before then.
    pub(crate) fn hold(&mut self, node: usize, until: u64) {
        self.held.insert(node, until);
    }

    /// How much longer than usual what it sends now is on its way.
    pub(crate) fn held(&self, now: u64, node: usize) -> u64 {
        self.held.get(&node).map_or(0, |until| until.saturating_sub(now))
    }

    pub(crate) fn hears(&self, from: usize, to: usize) -> bool {
        from == to || self.cut.get(&(from, to)).is_none_or(|n| *n == 0)
    }

    pub(crate) fn reaches_meta(&self, node: usize) -> bool {
        self.meta_down == 0 && self.meta_cut.get(&node).is_none_or(|n| *n == 0)
    }

    /// How long each copy of a message is on its way; none: it is lost.
    pub(crate) fn ways(&self, s: &Scenario, healed: bool, rng: &mut Rng) -> Vec<u64> {
        if !healed && rng.permille(s.loss) {
            return Vec::new();
        }
        let copies = if !healed && rng.permille(s.duplicates) { 2 } else { 1 };
        (0..copies)
            .map(|_| {
                let late = !healed && rng.permille(s.late);
                if late { rng.between(50 * MS, 3 * SEC / 2) } else { rng.between(MS / 5, s.latency) }
            })
            .collect()
    }

    /// One way to or from the metadata.
    pub(crate) fn meta_way(&self, rng: &mut Rng) -> u64 {
        if self.meta_slow > 0 { rng.between(20 * MS, 1_200 * MS) } else { rng.between(MS, 4 * MS) }
    }
}
