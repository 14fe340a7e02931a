//! How fast things may change: numbers that people adjust by name.

use std::ops::RangeInclusive;

/// How fast things may change. May be changed at any time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Units on their way at once; zero: nothing is moved, and only what has no place gets one.
    pub moves: u64,
    /// Units that begin to move within any minute.
    pub moves_per_minute: u64,
    /// Units on their way from one node at once; twice as many while it is drained.
    pub moves_per_node: u64,
    /// Moves for balance in one plan; zero: none.
    pub balance_moves: u64,
    /// A node with more than so many percent of the mean load is hot.
    pub hot_percent: u64,
    /// A node counts as hot after so many plans in a row.
    pub hot_rounds: u64,
    /// A move has to bring the highest load down by this many percent of the mean.
    pub gain_percent: u64,
    /// A unit that was moved for balance rests so many milliseconds.
    pub rest_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            moves: 64,
            moves_per_minute: 6_000,
            moves_per_node: 32,
            balance_moves: 4,
            hot_percent: 125,
            hot_rounds: 3,
            gain_percent: 10,
            rest_ms: 300_000,
        }
    }
}

/// Most moves in a minute that can be asked for: as many are remembered.
pub const MOVES_PER_MINUTE_MAX: u64 = 60_000;

/// A limit with its name.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What people call it.
    pub name: &'static str,
    /// What it means.
    pub what: &'static str,
    /// What it can be.
    pub range: RangeInclusive<u64>,
    place: fn(&mut Limits) -> &mut u64,
}

/// All limits.
pub const LIMITS: [Limit; 8] = [
    Limit {
        name: "moves",
        what: "changefeeds on their way at once; 0: none is moved",
        range: 0..=10_000,
        place: |l| &mut l.moves,
    },
    Limit {
        name: "moves-per-minute",
        what: "changefeeds that begin to move within a minute",
        range: 0..=MOVES_PER_MINUTE_MAX,
        place: |l| &mut l.moves_per_minute,
    },
    Limit {
        name: "moves-per-node",
        what: "changefeeds on their way from one node at once; twice as many while it is drained",
        range: 0..=10_000,
        place: |l| &mut l.moves_per_node,
    },
    Limit {
        name: "balance-moves",
        what: "moves for balance that begin at once; 0: none",
        range: 0..=1_000,
        place: |l| &mut l.balance_moves,
    },
    Limit {
        name: "hot-percent",
        what: "a node with more than so many percent of the mean load is hot",
        range: 100..=10_000,
        place: |l| &mut l.hot_percent,
    },
    Limit {
        name: "hot-rounds",
        what: "seconds a node is hot until something is moved",
        range: 1..=3_600,
        place: |l| &mut l.hot_rounds,
    },
    Limit {
        name: "gain-percent",
        what: "a move brings the highest load down by so many percent of the mean",
        range: 0..=1_000,
        place: |l| &mut l.gain_percent,
    },
    Limit {
        name: "rest-ms",
        what: "milliseconds a changefeed rests that was moved for balance",
        range: 0..=86_400_000,
        place: |l| &mut l.rest_ms,
    },
];

impl Limit {
    /// The limit with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        LIMITS.into_iter().find(|l| l.name == name)
    }

    /// Its value among others.
    #[must_use]
    pub fn of(&self, mut limits: Limits) -> u64 {
        *(self.place)(&mut limits)
    }

    /// Sets it; a value outside of its range becomes the nearest one within.
    pub fn set(&self, limits: &mut Limits, value: u64) {
        *(self.place)(limits) = value.clamp(*self.range.start(), *self.range.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_name_a_place_and_a_default_within_its_range() {
        let mut all = Limits::default();
        for (limit, n) in LIMITS.iter().zip(500..) {
            assert!(limit.range.contains(&limit.of(Limits::default())), "{}", limit.name);
            limit.set(&mut all, n);
            assert_eq!(limit.of(all), n, "{}", limit.name);
            assert_eq!(Limit::named(limit.name).map(|l| l.what), Some(limit.what));
        }
        let each = [
            all.moves,
            all.moves_per_minute,
            all.moves_per_node,
            all.balance_moves,
            all.hot_percent,
            all.hot_rounds,
            all.gain_percent,
            all.rest_ms,
        ];
        let set = LIMITS.iter().map(|l| l.of(all)).collect::<Vec<_>>();
        assert_eq!(each.as_slice(), set, "each has a place of its own");
    }

    #[test]
    fn values_are_brought_into_their_range() {
        let mut limits = Limits::default();
        let hot = Limit::named("hot-percent").unwrap();
        hot.set(&mut limits, 3);
        assert_eq!(limits.hot_percent, 100);
        hot.set(&mut limits, u64::MAX);
        assert_eq!(limits.hot_percent, 10_000);
        assert!(Limit::named("hot_percent").is_none());
    }
}
