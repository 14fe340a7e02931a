//! What the rows of the progress table mean.

use crate::{Fault, FaultKind, LaneClaim};
use tg_model::{Position, Stage, Ts};

/// One row of the table: how far a lane is, and whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProgressRow {
    /// Lane.
    pub lane: u32,
    /// Lanes of the slot.
    pub lanes: u32,
    /// Fencing token.
    pub epoch: (u64, u64),
    /// Position.
    pub at: Position,
}

/// How a slot stands for a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is the claim's already, all of it; its lane is here.
    Ours(Position),
    /// There is a row for each lane, and no other; the claim's lane is here. Their epochs are to be raised.
    Older(Position),
    /// There are rows for other lanes, or none: they are made anew, and all begin here.
    Anew(Position),
}

impl Standing {
    /// By the slot's rows.
    ///
    /// # Errors
    /// [`FaultKind::Fenced`] when one has a newer epoch.
    pub fn of(rows: &[ProgressRow], claim: &LaneClaim, doing: &str) -> Result<Self, Fault> {
        if let Some(newer) = newest(rows).filter(|e| *e > claim.epoch) {
            return Err(fenced(doing, claim.epoch, Some(newer)));
        }
        let complete = rows.len() as u64 == u64::from(claim.lanes) + 1 && rows.iter().all(|r| r.lanes == claim.lanes);
        let own = rows.iter().find(|r| r.lane == claim.lane).map_or(Position::ZERO, |r| r.at);
        Ok(if !complete {
            // Rows are distributed anew, so no lane may begin beyond what another one had. The DDL's lane writes no rows.
            let least = rows.iter().filter(|r| r.lane < r.lanes).map(|r| r.at).min();
            Self::Anew(least.unwrap_or(Position::ZERO))
        } else if rows.iter().all(|r| r.epoch == claim.epoch) {
            Self::Ours(own)
        } else {
            Self::Older(own)
        })
    }

    /// The durable position of the claim's lane; `None`: nothing was written yet.
    #[must_use]
    pub fn position(self) -> Option<Position> {
        let (Self::Ours(at) | Self::Older(at) | Self::Anew(at)) = self;
        written(at)
    }
}

/// The newest epoch among rows.
#[must_use]
pub fn newest(rows: &[ProgressRow]) -> Option<(u64, u64)> {
    rows.iter().map(|r| r.epoch).max()
}

/// The durable position of the claim's lane; `None`: nothing was written yet.
///
/// # Errors
/// [`FaultKind::Fenced`] when its row belongs to another epoch, or is gone.
pub fn lane_position(rows: &[ProgressRow], claim: &LaneClaim, doing: &str) -> Result<Option<Position>, Fault> {
    match rows.iter().find(|r| r.lane == claim.lane) {
        Some(row) if row.epoch == claim.epoch => Ok(written(row.at)),
        other => Err(fenced(doing, claim.epoch, other.map(|r| r.epoch))),
    }
}

/// The writer's epoch is not the row's.
#[must_use]
pub fn fenced(doing: &str, own: (u64, u64), stored: Option<(u64, u64)>) -> Fault {
    let stored =
        stored.map_or("its progress row is gone".to_owned(), |(rev, n)| format!("the slot is held by epoch {rev}.{n}"));
    Fault::own(FaultKind::Fenced, doing, format!("{stored}, this writer has {}.{}", own.0, own.1))
}

fn written(at: Position) -> Option<Position> {
    (at != Position::ZERO).then_some(at)
}

impl ProgressRow {
    /// From the table's columns: lane, lanes, two of the epoch, three of the position. `None`: it is of an unknown stage.
    #[must_use]
    pub fn read((lane, lanes, rev, n, ts, stage, seq): (u32, u32, u64, u64, u64, u8, u64)) -> Option<Self> {
        let at = Position { ts: Ts::new(ts), stage: Stage::from_u8(stage)?, seq };
        Some(Self { lane, lanes, epoch: (rev, n), at })
    }
}

#[cfg(test)]
mod tests {
    use super::{ProgressRow, Standing, lane_position};
    use crate::{FaultKind, LaneClaim};
    use tg_model::{Position, Ts};

    fn at(ts: u64) -> Position {
        Position::rows(Ts::new(ts))
    }

    fn claim(lanes: u32, n: u64) -> LaneClaim {
        LaneClaim { changefeed: "a/b".into(), slot: 0, lane: 1, lanes, epoch: (1, n) }
    }

    fn rows(lanes: u32, n: u64) -> Vec<ProgressRow> {
        (0..=lanes).map(|lane| ProgressRow { lane, lanes, epoch: (1, n), at: at(10 - u64::from(lane)) }).collect()
    }

    #[test]
    fn a_slot_is_ours_or_taken_or_made_anew() {
        let of = |rows: &[ProgressRow], claim| Standing::of(rows, &claim, "claiming");
        assert_eq!(of(&rows(2, 5), claim(2, 5)), Ok(Standing::Ours(at(9))));
        assert_eq!(of(&rows(2, 5), claim(2, 6)), Ok(Standing::Older(at(9))));
        let mut half = rows(2, 5);
        half[0].epoch = (1, 6);
        assert_eq!(of(&half, claim(2, 6)), Ok(Standing::Older(at(9))));
        // The least of the lanes that write rows; that of DDL (at 8) is none of them.
        assert_eq!(of(&rows(2, 5), claim(3, 6)), Ok(Standing::Anew(at(9))));
        assert_eq!(of(&rows(2, 5)[1..], claim(2, 5)), Ok(Standing::Anew(at(9))));
        assert_eq!(of(&[], claim(2, 5)), Ok(Standing::Anew(Position::ZERO)));
        assert_eq!(Standing::Anew(Position::ZERO).position(), None);
        let fault = of(&half, claim(2, 5)).unwrap_err();
        assert!(fault.kind == FaultKind::Fenced && fault.to_string().contains("1.6"), "{fault}");
    }

    #[test]
    fn a_lane_reads_its_own_row_only_while_it_is_its_own() {
        assert_eq!(lane_position(&rows(2, 5), &claim(2, 5), "reading"), Ok(Some(at(9))));
        for (rows, shown) in [(rows(2, 6), "1.6"), (Vec::new(), "gone")] {
            let fault = lane_position(&rows, &claim(2, 5), "reading").unwrap_err();
            assert!(fault.kind == FaultKind::Fenced && fault.to_string().contains(shown), "{fault}");
        }
    }
}
