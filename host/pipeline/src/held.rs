//! What a lane was given and has not made durable: written again when its sink has to be started anew.

use crate::known::{FLUSH_BYTES, FLUSH_ROWS, Plan};
use crate::narrow::{FlushFinding, FlushSearch};
use crate::stages::halves;
use crate::windows::WINDOWS_MAX;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tg_model::{Position, TableVersion};
use tgr1::BatchBuf;
use tokio::time::Instant;

/// One table's rows of one window.
#[derive(Clone)]
pub(crate) struct LaneBatch {
    pub(crate) version: Arc<TableVersion>,
    pub(crate) targets: Arc<[String]>,
    pub(crate) batch: Arc<BatchBuf>,
}

/// What a window brings to one lane.
pub(crate) struct LaneWork {
    /// The last window that is durable with it.
    pub(crate) window: u64,
    /// The lane's own position when the work is durable.
    pub(crate) upto: Position,
    pub(crate) batches: Vec<LaneBatch>,
}

/// A work with what is known of its rows.
pub(crate) struct HeldWork {
    pub(crate) work: LaneWork,
    /// Batches that stopped a sink, with the pieces in which they are written: rows between the pieces are put aside.
    pub(crate) pieces: BTreeMap<usize, Vec<Range<u32>>>,
}

impl HeldWork {
    /// The pieces in which a batch of so many rows is written.
    pub(crate) fn pieces(&self, batch: usize, rows: usize) -> Vec<Range<u32>> {
        self.pieces.get(&batch).cloned().unwrap_or_else(|| std::iter::once(0..rows as u32).collect())
    }
}

impl From<LaneWork> for HeldWork {
    fn from(work: LaneWork) -> Self {
        Self { work, pieces: BTreeMap::new() }
    }
}

/// Which batch of which of the works that are held. Good until something becomes durable.
pub(crate) type BatchId = (usize, usize);

/// Works that wait for more before a flush at most: half of those that a slot may have in flight, so that it never stands still
/// over them.
const LINGERING_WORKS_MAX: usize = WINDOWS_MAX / 2;

/// Works in order. Bounded by the windows that a slot may have in flight.
#[derive(Default)]
pub(crate) struct Held {
    works: VecDeque<HeldWork>,
    /// Of `works`, so many are written.
    pub(crate) written: usize,
    rows: u64,
    bytes: u64,
    limit: Option<Plan>,
    /// When the first of what is written was.
    since: Option<Instant>,
    /// How long rows may wait for more, and how many bytes of them.
    linger: Duration,
    share: u64,
    search: FlushSearch,
}

/// What is to be done about a stop in a piece of a batch.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Finding {
    /// Write it again.
    Again,
    /// It is this row of the batch.
    Row(u32),
}

impl Held {
    /// For a lane whose rows may wait so long for more, as long as they are no more bytes than that.
    pub(crate) fn lingering(linger: Duration, bytes: usize) -> Self {
        Self { linger, share: bytes as u64, ..Self::default() }
    }

    pub(crate) fn push(&mut self, work: LaneWork) {
        self.works.push_back(work.into());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.works.is_empty()
    }

    /// The batches of the next work to write.
    pub(crate) fn unwritten(&self) -> Option<Vec<LaneBatch>> {
        self.works.get(self.written).map(|w| w.work.batches.clone())
    }

    /// What is written, in order.
    pub(crate) fn written_batches(&self) -> Vec<LaneBatch> {
        self.works.iter().take(self.written).flat_map(|w| w.work.batches.iter().cloned()).collect()
    }

    /// Window and position of the last work that is written.
    pub(crate) fn last_written(&self) -> Option<(u64, Position)> {
        self.written.checked_sub(1).and_then(|i| self.works.get(i)).map(|w| (w.work.window, w.work.upto))
    }

    pub(crate) fn batch(&self, (work, at): BatchId) -> Option<&LaneBatch> {
        self.works.get(work).and_then(|w| w.work.batches.get(at))
    }

    /// Rows are about to be written under this plan.
    pub(crate) fn count(&mut self, batch: &BatchBuf, plan: Plan) {
        self.since.get_or_insert_with(Instant::now);
        // Whoever lets rows wait is bounded by what a slot may have in flight.
        let usual = Plan { rows: FLUSH_ROWS, bytes: FLUSH_BYTES };
        let limit = self.limit.get_or_insert(if self.linger.is_zero() { usual } else { plan });
        *limit = Plan { rows: limit.rows.min(plan.rows), bytes: limit.bytes.min(plan.bytes) };
        self.rows += batch.len() as u64;
        self.bytes += batch.len_bytes() as u64;
    }

    /// It is time to flush.
    pub(crate) fn is_full(&self) -> bool {
        self.limit.is_some_and(|l| self.rows >= l.rows || self.bytes >= l.bytes)
            || self.search.works_to_a_flush().is_some_and(|works| self.written >= works)
    }

    /// Until when what is written may wait for more; `None`: it is to be flushed now.
    pub(crate) fn lingers_until(&self) -> Option<Instant> {
        let room = self.works.len() < LINGERING_WORKS_MAX && self.bytes < self.share;
        self.since.filter(|_| room && !self.linger.is_zero()).map(|since| since + self.linger)
    }

    /// What is written is durable. How many rows that are.
    pub(crate) fn durable(&mut self) -> u64 {
        self.works.drain(..self.written);
        let rows = self.rows;
        self.search.flushed(self.written, rows);
        self.restart();
        rows
    }

    /// A new instance has none of it.
    pub(crate) const fn restart(&mut self) {
        (self.written, self.rows, self.bytes, self.limit, self.since) = (0, 0, 0, None, None);
    }

    /// Everything up to here turned out to be durable. The last window of it; `None`: the position lies between works, or below
    /// all of them.
    pub(crate) fn skip_to(&mut self, durable: Position) -> Option<u64> {
        let at = self.works.iter().rposition(|w| w.work.upto == durable)?;
        self.works.drain(..=at).next_back().map(|w| w.work.window)
    }

    /// The works may be there already.
    pub(crate) fn mark_repeated(&mut self) {
        for batch in self.works.iter_mut().flat_map(|w| &mut w.work.batches) {
            let buf = Arc::make_mut(&mut batch.batch);
            for i in 0..buf.len() {
                let flags = buf.batch().row(i).map_or(0, |r| r.flags());
                buf.set_row_flags(i, flags | tgr1::row_flags::MAYBE_REPEATED);
            }
        }
    }

    /// The pieces in which a batch is written.
    pub(crate) fn pieces(&self, (work, at): BatchId, rows: usize) -> Vec<Range<u32>> {
        self.works.get(work).map_or_else(Vec::new, |w| w.pieces(at, rows))
    }

    /// A sink was stopped while it was given this piece.
    pub(crate) fn stopped_in(&mut self, (work, batch): BatchId, piece: &Range<u32>) -> Finding {
        let Some(work) = self.works.get_mut(work) else { return Finding::Again };
        let Some(pieces) = work.pieces.get_mut(&batch) else {
            work.pieces.insert(batch, vec![piece.clone()]);
            return Finding::Again;
        };
        let Some(at) = pieces.iter().position(|p| p == piece) else { return Finding::Again };
        if piece.len() < 2 {
            pieces.remove(at);
            return Finding::Row(piece.start);
        }
        drop(pieces.splice(at..=at, halves(piece.clone()).into_iter().rev()));
        Finding::Again
    }

    /// A sink was stopped while it made durable what is written; everything before it, up to `start`, is.
    ///
    /// # Errors
    /// When a batch cannot be cut.
    pub(crate) fn stopped_in_flush(&mut self, start: Position) -> Result<FlushFinding, tgr1::FormatError> {
        self.search.stopped(&mut self.works, self.written, start)
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, Held, LINGERING_WORKS_MAX, LaneWork};
    use crate::known::Plan;
    use std::time::Duration;
    use tg_model::{Position, Ts};

    fn work(window: u64, ts: u64) -> LaneWork {
        LaneWork { window, upto: Position::rows(Ts::new(ts)), batches: Vec::new() }
    }

    #[test]
    fn a_row_that_stops_its_sink_is_found_by_halves() {
        let (mut held, id, bad) = (Held::default(), (0, 0), 700);
        held.push(work(1, 10));
        let mut stops = 0;
        let found = loop {
            let piece = held.pieces(id, 1_000).into_iter().find(|p| p.contains(&bad)).unwrap();
            stops += 1;
            if let Finding::Row(row) = held.stopped_in(id, &piece) {
                break row;
            }
        };
        assert_eq!(found, bad);
        assert!(stops <= 2 + 10, "{stops} stops for 1000 rows");
        let left = held.pieces(id, 1_000);
        assert!(left.iter().all(|p| !p.contains(&bad)) && left.is_sorted_by_key(|p| p.start));
        assert_eq!(left.iter().map(std::ops::Range::len).sum::<usize>(), 999);
    }

    #[test]
    fn rows_wait_for_more_while_there_is_room_and_time() {
        let batch = tgr1::BatchBuf::new(tgr1::BatchWriter::new(1, 1, &[], 0).finish()).unwrap();
        let plan = Plan { rows: 10_000, bytes: 1 << 30 };
        let wait = Duration::from_millis(300);
        let mut held = Held::lingering(wait, 1 << 20);
        assert_eq!(held.lingers_until(), None, "nothing is written");
        held.count(&batch, plan);
        assert!(held.lingers_until().unwrap() <= tokio::time::Instant::now() + wait);
        for n in 0..LINGERING_WORKS_MAX as u64 {
            held.push(work(n + 1, n + 10));
        }
        assert_eq!(held.lingers_until(), None, "the slot may need the room");
        for mut held in [Held::lingering(Duration::ZERO, 1 << 20), Held::lingering(wait, 0)] {
            held.count(&batch, plan);
            assert_eq!(held.lingers_until(), None, "no time, or no share");
        }
    }

    #[test]
    fn what_is_durable_is_forgotten_and_the_rest_is_written_again() {
        let mut held = Held::default();
        [(1, 10), (2, 20), (3, 30)].into_iter().for_each(|(w, ts)| held.push(work(w, ts)));
        held.stopped_in((0, 0), &(0..5));
        held.written = 1;
        assert_eq!(held.last_written(), Some((1, Position::rows(Ts::new(10)))));
        held.durable();
        assert_eq!(held.pieces((0, 0), 9), std::iter::once(0..9).collect::<Vec<_>>());
        assert_eq!(held.skip_to(Position::rows(Ts::new(25))), None);
        assert_eq!(held.skip_to(Position::rows(Ts::new(20))), Some(2));
        assert!(held.unwritten().is_some());
        held.written = 1;
        assert_eq!(held.last_written().map(|(w, _)| w), Some(3));
    }
}
