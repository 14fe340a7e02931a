//! Where a lane stands in the order of rows: counts rows at the newest timestamp and leaves out what is durable already.

use tg_model::{Position, Stage, Ts};

/// One lane's place in the row order.
///
/// Rows at one timestamp come in (table, start-ts, op, key) order, table by table within a window: so timestamps may step back
/// within a window, but the rows of any one timestamp always come in the same order, in every run.
#[derive(Debug, Clone)]
pub(crate) struct LaneCursor {
    durable: Position,
    /// Rows seen at `durable.ts`.
    seen_at_durable: u64,
    /// Greatest timestamp seen, and rows seen at it, durable ones included.
    newest: Ts,
    seen_at_newest: u64,
}

impl LaneCursor {
    /// A lane whose store already holds everything up to `durable`.
    pub(crate) const fn new(durable: Position) -> Self {
        Self { durable, seen_at_durable: 0, newest: Ts::ZERO, seen_at_newest: 0 }
    }

    /// What the lane's store held when the cursor was made.
    pub(crate) const fn durable(&self) -> Position {
        self.durable
    }

    /// Counts a row; false when the lane's store holds it already.
    pub(crate) fn admit(&mut self, commit_ts: Ts) -> bool {
        if commit_ts > self.newest {
            (self.newest, self.seen_at_newest) = (commit_ts, 0);
        }
        if commit_ts == self.newest {
            self.seen_at_newest += 1;
        }
        if commit_ts != self.durable.ts {
            return commit_ts > self.durable.ts;
        }
        self.seen_at_durable += 1;
        self.durable.stage == Stage::Before && self.seen_at_durable > self.durable.seq
    }

    /// The lane's own position at a cut: inside the transactions at `cut.ts` it is the count of its rows there.
    pub(crate) fn position(&self, cut: Position) -> Position {
        let inside = cut.stage == Stage::Before && self.newest == cut.ts;
        let mine = if inside { Position::within(cut.ts, self.seen_at_newest) } else { cut };
        mine.max(self.durable)
    }
}

#[cfg(test)]
mod tests {
    use super::LaneCursor;
    use tg_model::{Position, Ts};

    fn admitted(durable: Position, rows: &[u64]) -> Vec<bool> {
        let mut c = LaneCursor::new(durable);
        rows.iter().map(|ts| c.admit(Ts::new(*ts))).collect()
    }

    #[test]
    fn rows_below_the_durable_position_are_left_out() {
        let ts = Ts::new;
        let rows = [9, 10, 10, 10, 11];
        assert_eq!(admitted(Position::rows(ts(10)), &rows), [false, false, false, false, true]);
        assert_eq!(admitted(Position::before(ts(10)), &rows), [false, true, true, true, true]);
        assert_eq!(admitted(Position::within(ts(10), 2), &rows), [false, false, false, true, true]);
        assert_eq!(admitted(Position::ZERO, &rows), [true; 5]);
    }

    #[test]
    fn tables_of_a_window_come_one_after_another() {
        let rows = [9, 10, 10, 9, 10];
        assert_eq!(admitted(Position::within(Ts::new(10), 2), &rows), [false, false, false, false, true]);
        let mut c = LaneCursor::new(Position::ZERO);
        rows.iter().for_each(|ts| assert!(c.admit(Ts::new(*ts))));
        assert_eq!(c.position(Position::before(Ts::new(10))), Position::within(Ts::new(10), 3));
    }

    #[test]
    fn a_cut_inside_a_transaction_counts_this_lane_only() {
        let t = Ts::new(10);
        let mut c = LaneCursor::new(Position::ZERO);
        assert_eq!(c.position(Position::before(t)), Position::before(t), "no row of it came here yet");
        c.admit(t);
        c.admit(t);
        assert_eq!(c.position(Position::before(t)), Position::within(t, 2));
        assert_eq!(c.position(Position::rows(t)), Position::rows(t));
    }
}
