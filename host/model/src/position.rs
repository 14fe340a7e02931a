//! Progress: how far everything up to here is done.

use crate::Ts;
use std::fmt;

/// What is done *at* a timestamp, everything below it being done already.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Stage {
    /// Nothing at the timestamp; see [`Position::seq`] for a transaction in progress.
    Before = 0,
    /// Every row change at the timestamp.
    Rows = 1,
    /// The DDL at the timestamp as well.
    Ddl = 2,
    /// The syncpoint at the timestamp as well.
    Syncpoint = 3,
}

impl Stage {
    /// The stage with this number; `None` for numbers above 3.
    #[must_use]
    pub const fn from_u8(n: u8) -> Option<Self> {
        Some(match n {
            0 => Self::Before,
            1 => Self::Rows,
            2 => Self::Ddl,
            3 => Self::Syncpoint,
            _ => return None,
        })
    }
}

/// A point in the order of all events of a changefeed. Ordered by (ts, stage, seq).
///
/// A table made by a DDL at T starts at (T, [`Stage::Ddl`]); a span that waits for a DDL at T reports
/// (T, [`Stage::Rows`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// Everything below this is done.
    pub ts: Ts,
    /// What is done at `ts`.
    pub stage: Stage,
    /// With [`Stage::Before`]: how many rows at `ts` are done, in the lane this position belongs to.
    /// Zero in every other stage and in every position that leaves a lane.
    pub seq: u64,
}

impl Position {
    /// Before everything.
    pub const ZERO: Self = Self::before(Ts::ZERO);

    /// Everything below `ts`, nothing at it.
    #[must_use]
    pub const fn before(ts: Ts) -> Self {
        Self { ts, stage: Stage::Before, seq: 0 }
    }

    /// Everything below `ts` and the first `seq` rows at it (as one lane counts them).
    #[must_use]
    pub const fn within(ts: Ts, seq: u64) -> Self {
        Self { ts, stage: Stage::Before, seq }
    }

    /// Every row at or below `ts`.
    #[must_use]
    pub const fn rows(ts: Ts) -> Self {
        Self { ts, stage: Stage::Rows, seq: 0 }
    }

    /// Every row and DDL at or below `ts`.
    #[must_use]
    pub const fn ddl(ts: Ts) -> Self {
        Self { ts, stage: Stage::Ddl, seq: 0 }
    }

    /// The greatest timestamp at which every row is done: what a user knows as checkpoint-ts.
    #[must_use]
    pub const fn checkpoint_ts(self) -> Ts {
        match self.stage {
            Stage::Before => self.ts.prev(),
            Stage::Rows | Stage::Ddl | Stage::Syncpoint => self.ts,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::Before if self.seq > 0 => return write!(f, "{}+{}", self.ts, self.seq),
            Stage::Before => "before",
            Stage::Rows => "rows",
            Stage::Ddl => "ddl",
            Stage::Syncpoint => "syncpoint",
        };
        write!(f, "{}/{stage}", self.ts)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, Stage};
    use crate::Ts;

    #[test]
    fn order_is_ts_then_stage_then_seq() {
        let t = Ts::new(10);
        let sorted = [
            Position::rows(Ts::new(9)),
            Position::ddl(Ts::new(9)),
            Position::before(t),
            Position::within(t, 1),
            Position::within(t, 2),
            Position::rows(t),
            Position::ddl(t),
        ];
        assert!(sorted.is_sorted());
    }

    #[test]
    fn checkpoint_of_an_open_transaction_lies_below_it() {
        assert_eq!(Position::within(Ts::new(10), 5).checkpoint_ts(), Ts::new(9));
        assert_eq!(Position::rows(Ts::new(10)).checkpoint_ts(), Ts::new(10));
    }

    #[test]
    fn stages_have_stable_numbers() {
        for n in 0..4 {
            assert_eq!(Stage::from_u8(n).map(|s| s as u8), Some(n));
        }
        assert_eq!(Stage::from_u8(4), None);
    }
}
