//! Finds the row over which sinks are stopped while they flush: fewer works to a flush, then a work cut in two, down to one row.
//!
//! Every flush of the search ends at a position of its own, so what became durable on the way is never written again.

use crate::held::{HeldWork, LaneBatch, LaneWork};
use std::collections::VecDeque;
use std::sync::Arc;
use tg_model::{Position, Stage, Ts};
use tgr1::{BatchBuf, FormatError};

/// Stops over one row alone before it is the row's fault.
const ROW_STOPS_MAX: u32 = 3;
/// Rows put aside with no flush between them that succeeded; one more, and it is not the rows' fault.
const ASIDE_MAX: u32 = 3;

/// What is to be done about a stop in a flush.
pub(crate) enum FlushFinding {
    /// Write and flush again.
    Again,
    /// It is this one row, which is not among what is held any more.
    Row(LaneBatch),
    /// It is not about rows.
    GiveUp,
}

/// How far the search is.
#[derive(Default)]
pub(crate) struct FlushSearch {
    /// Among so many works that are held, from the oldest on, is what stops the sink. Zero: nothing is looked for.
    suspects: usize,
    /// A flush has been stopped; the first time nothing is concluded of it.
    stopped: bool,
    /// Stops over what cannot be cut any more.
    alone: u32,
    /// Rows put aside since rows were last made durable.
    aside: u32,
}

impl FlushSearch {
    /// Works to a flush, while something is looked for.
    pub(crate) const fn works_to_a_flush(&self) -> Option<usize> {
        match self.suspects {
            0 => None,
            1 => Some(1),
            n => Some(n / 2),
        }
    }

    /// A flush of so many works and rows succeeded.
    pub(crate) const fn flushed(&mut self, works: usize, rows: u64) {
        self.suspects = self.suspects.saturating_sub(works);
        self.stopped = self.suspects > 0;
        self.alone = 0;
        if rows > 0 {
            self.aside = 0;
        }
    }

    /// A flush of the first `written` of the works was stopped. Everything before them, up to `start`, is durable.
    pub(crate) fn stopped(
        &mut self,
        works: &mut VecDeque<HeldWork>,
        written: usize,
        start: Position,
    ) -> Result<FlushFinding, FormatError> {
        if !std::mem::replace(&mut self.stopped, true) {
            return Ok(FlushFinding::Again);
        }
        self.suspects = written;
        if written != 1 {
            return Ok(FlushFinding::Again);
        }
        let Some(work) = works.pop_front() else { return Ok(FlushFinding::Again) };
        match cut(&work, start)? {
            Cut::Two(first, second) => {
                works.push_front(second.into());
                works.push_front(first.into());
                self.suspects = 2;
                Ok(FlushFinding::Again)
            }
            Cut::Row(row) => {
                self.alone += 1;
                if self.alone < ROW_STOPS_MAX {
                    works.push_front(work);
                    return Ok(FlushFinding::Again);
                }
                self.aside += 1;
                let LaneWork { window, upto, .. } = work.work;
                works.push_front(LaneWork { window, upto, batches: Vec::new() }.into());
                Ok(if self.aside > ASIDE_MAX { FlushFinding::GiveUp } else { FlushFinding::Row(row) })
            }
            Cut::Nothing => {
                works.push_front(work);
                self.alone += 1;
                Ok(if self.alone < ROW_STOPS_MAX { FlushFinding::Again } else { FlushFinding::GiveUp })
            }
        }
    }
}

enum Cut {
    /// Both have rows.
    Two(LaneWork, LaneWork),
    Row(LaneBatch),
    /// There are no rows.
    Nothing,
}

/// A row of a work.
struct At {
    ts: Ts,
    batch: usize,
    row: u32,
    /// It is written; else it is put aside.
    written: bool,
}

/// Cuts a work where the order of timestamps, and of a lane's rows at one timestamp, has half of the rows on either side. Rows that are
/// put aside are left out, but counted: positions count them.
fn cut(held: &HeldWork, start: Position) -> Result<Cut, FormatError> {
    let rows = in_order(held);
    let written = rows.iter().filter(|r| r.written).count();
    if written == 0 {
        return Ok(Cut::Nothing);
    }
    let work = &held.work;
    if written == 1 {
        return Ok(batches(work, &rows)?.pop().map_or(Cut::Nothing, Cut::Row));
    }
    let mut before = written / 2;
    let at = rows.iter().position(|r| {
        before -= usize::from(r.written);
        before == 0
    });
    let (first, second) = rows.split_at(at.map_or(rows.len(), |at| at + 1));
    let middle = end_of(first, second, start);
    assert!(start <= middle && middle <= work.upto, "a cut at {middle} is outside of {start} to {}", work.upto);
    let one = LaneWork { window: work.window.saturating_sub(1), upto: middle, batches: batches(work, first)? };
    let two = LaneWork { window: work.window, upto: work.upto, batches: batches(work, second)? };
    Ok(Cut::Two(one, two))
}

fn in_order(held: &HeldWork) -> Vec<At> {
    let mut rows = Vec::new();
    for (batch, part) in held.work.batches.iter().enumerate() {
        let pieces = held.pieces(batch, part.batch.len());
        for (row, r) in (0..).zip(part.batch.batch().iter()) {
            let written = pieces.iter().any(|p| p.contains(&row));
            rows.push(At { ts: Ts::new(r.commit_ts()), batch, row, written });
        }
    }
    // Stable: at one timestamp they come as the lane counts them.
    rows.sort_by_key(|r| r.ts);
    rows
}

/// The lane's position behind `first`, when it was at `start` before and `second` follows.
fn end_of(first: &[At], second: &[At], start: Position) -> Position {
    let Some(last) = first.last() else { return start };
    if second.first().is_some_and(|next| next.ts > last.ts) {
        return Position::rows(last.ts).max(start);
    }
    let earlier = if start.ts == last.ts && start.stage == Stage::Before { start.seq } else { 0 };
    let here = first.iter().rev().take_while(|r| r.ts == last.ts).count() as u64;
    Position::within(last.ts, earlier + here)
}

/// Those of the rows that are written, as batches of the work's tables in their order.
fn batches(work: &LaneWork, rows: &[At]) -> Result<Vec<LaneBatch>, FormatError> {
    let mut parts = Vec::new();
    for (i, whole) in work.batches.iter().enumerate() {
        let mut chosen: Vec<u32> = rows.iter().filter(|r| r.batch == i && r.written).map(|r| r.row).collect();
        if chosen.is_empty() {
            continue;
        }
        chosen.sort_unstable();
        let batch = BatchBuf::new(tgr1::select(&whole.batch.batch(), chosen)?)?;
        parts.push(LaneBatch { batch: Arc::new(batch), ..whole.clone() });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::{At, FlushSearch, end_of};
    use tg_model::{Position, Ts};

    fn rows(ts: &[u64]) -> Vec<At> {
        ts.iter().map(|ts| At { ts: Ts::new(*ts), batch: 0, row: 0, written: true }).collect()
    }

    #[test]
    fn a_cut_has_the_position_that_the_lane_would_count() {
        let ts = Ts::new;
        let end = |first: &[u64], second: &[u64], start| end_of(&rows(first), &rows(second), start);
        assert_eq!(end(&[8, 9], &[10], Position::rows(ts(7))), Position::rows(ts(9)));
        assert_eq!(end(&[8, 9, 9], &[9, 10], Position::rows(ts(7))), Position::within(ts(9), 2));
        assert_eq!(end(&[9, 9], &[9], Position::within(ts(9), 5)), Position::within(ts(9), 7), "five came before");
        assert_eq!(end(&[9], &[9], Position::before(ts(9))), Position::within(ts(9), 1));
        assert_eq!(end(&[9], &[], Position::within(ts(9), 5)), Position::within(ts(9), 6), "more of it may follow");
    }

    #[test]
    fn flushes_get_smaller_only_while_something_is_looked_for() {
        let mut search = FlushSearch::default();
        let mut works = std::collections::VecDeque::new();
        assert_eq!(search.works_to_a_flush(), None);
        search.stopped(&mut works, 12, Position::ZERO).unwrap();
        assert_eq!(search.works_to_a_flush(), None, "once is no reason");
        search.stopped(&mut works, 12, Position::ZERO).unwrap();
        assert_eq!(search.works_to_a_flush(), Some(6));
        search.flushed(6, 100);
        assert_eq!(search.works_to_a_flush(), Some(3), "it is in the other six");
        search.stopped(&mut works, 3, Position::ZERO).unwrap();
        assert_eq!(search.works_to_a_flush(), Some(1));
        search.flushed(3, 100);
        assert_eq!(search.works_to_a_flush(), None);
    }
}
