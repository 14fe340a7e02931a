//! How long a capture may be silent until it is taken to be down: longer than its node has been lately and was not.

use crate::id::{CaptureId, Mono, NodeId};
use crate::timing::{CAPTURE_DOWN, CAPTURE_DOWN_MAX, SILENCE_HALVES};
use std::collections::BTreeMap;

/// What is known of a node, whatever its process is registered as.
#[derive(Debug)]
struct Heard {
    capture: CaptureId,
    at: Mono,
    /// Its longest silence lately, and when that ended.
    longest: u64,
    ended: Mono,
}

impl Heard {
    /// What the longest silence still counts for.
    fn lately(&self, now: Mono) -> u64 {
        let halves = now.since(self.ended) / SILENCE_HALVES;
        self.longest.checked_shr(halves.try_into().unwrap_or(u32::MAX)).unwrap_or(0)
    }
}

/// The silences of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Silences {
    nodes: BTreeMap<NodeId, Heard>,
}

impl Silences {
    pub(crate) const fn new() -> Self {
        Self { nodes: BTreeMap::new() }
    }

    /// A process of the node is heard.
    ///
    /// What lies between two processes is no silence of either. Nor is what lasted too long to be outwaited: that was an outage,
    /// and to expect another would only make the next crash last.
    pub(crate) fn heard(&mut self, now: Mono, node: NodeId, capture: CaptureId) {
        let known = self.nodes.entry(node).or_insert(Heard { capture, at: now, longest: 0, ended: now });
        let silent = now.since(known.at);
        if known.capture == capture && silent <= CAPTURE_DOWN_MAX && silent >= known.lately(now) {
            (known.longest, known.ended) = (silent, now);
        }
        (known.capture, known.at) = (capture, now);
    }

    /// How long it may be silent from now on: half as long again as lately, within bounds.
    pub(crate) fn patience(&self, now: Mono, node: NodeId) -> u64 {
        let lately = self.nodes.get(&node).map_or(0, |n| n.lately(now));
        (lately + lately / 2).clamp(CAPTURE_DOWN, CAPTURE_DOWN_MAX)
    }

    /// Forgets nodes that were not heard for so long.
    pub(crate) fn forget(&mut self, now: Mono, after: u64) {
        self.nodes.retain(|_, n| now.since(n.at) < after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId(1);
    const MS: u64 = 1_000;

    /// Heard after each of these milliseconds, every time as the process given.
    fn heard(silences: &mut Silences, now: &mut u64, gaps: &[(u64, u128)]) -> u64 {
        for (gap, capture) in gaps {
            *now += gap * MS;
            silences.heard(Mono(*now), NODE, CaptureId(*capture));
        }
        silences.patience(Mono(*now), NODE) / MS
    }

    #[test]
    fn patience_follows_the_longest_silence_within_bounds() {
        let (mut s, mut now) = (Silences::new(), 1_000_000);
        assert_eq!(s.patience(Mono(now), NODE), CAPTURE_DOWN, "nothing is known");
        assert_eq!(heard(&mut s, &mut now, &[(50, 1), (70, 1), (300, 1)]), CAPTURE_DOWN / MS, "calm");
        assert_eq!(heard(&mut s, &mut now, &[(50, 1), (600, 1), (50, 1)]), 900);
        assert_eq!(heard(&mut s, &mut now, &[(400, 1), (800, 1), (700, 1)]), 1_200);
        assert_eq!(heard(&mut s, &mut now, &[(1_900, 1)]), CAPTURE_DOWN_MAX / MS);
    }

    #[test]
    fn it_forgets() {
        let (mut s, mut now) = (Silences::new(), 1_000_000);
        assert_eq!(heard(&mut s, &mut now, &[(50, 1), (1_200, 1)]), 1_800);
        let calm = vec![(50, 1); (SILENCE_HALVES / MS / 50) as usize];
        assert_eq!(heard(&mut s, &mut now, &calm), 900);
        assert_eq!(heard(&mut s, &mut now, &calm), CAPTURE_DOWN / MS);
        assert_eq!(s.patience(Mono(u64::MAX), NODE), CAPTURE_DOWN);
        s.forget(Mono(now), 1);
        assert_eq!(s.nodes.len(), 1);
        s.forget(Mono(now + 1), 1);
        assert!(s.nodes.is_empty());
    }

    #[test]
    fn outages_and_restarts_are_not_expected_again_but_a_lost_registration_is_no_restart() {
        let (mut s, mut now) = (Silences::new(), 1_000_000);
        assert_eq!(heard(&mut s, &mut now, &[(50, 1), (2_001, 1), (60_000, 1)]), CAPTURE_DOWN / MS, "outages");
        assert_eq!(heard(&mut s, &mut now, &[(1_000, 2), (1_500, 3)]), CAPTURE_DOWN / MS, "restarts");
        assert_eq!(heard(&mut s, &mut now, &[(1_000, 3)]), 1_500, "the same process, whatever it is registered as");
    }
}
