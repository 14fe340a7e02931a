//! Windows of a slot: what was cut, which lanes still owe an acknowledgement, how far everything is done.

use std::collections::VecDeque;
use tg_model::{LaneId, Position};

/// Most windows in flight per slot; beyond it the slot stops cutting.
pub(crate) const WINDOWS_MAX: usize = 64;
/// Bytes of batches in flight over all slots of a changefeed; with its share in flight a slot stops cutting. A slot goes beyond
/// its share by at most the window that was open.
pub(crate) const IN_FLIGHT_MAX_BYTES: usize = 64 << 20;

/// Tracks cuts and acknowledgements of one slot.
///
/// A window is everything between two cuts. It is done when every lane that got rows of it, or of a window before it, has
/// acknowledged them.
#[derive(Debug)]
pub(crate) struct Windows {
    /// Ids of windows a lane has got and not acknowledged, oldest first.
    owed: Vec<VecDeque<u64>>,
    /// Cuts not done yet, oldest first.
    cuts: VecDeque<Cut>,
    next_id: u64,
    done: Position,
    in_flight_bytes: usize,
    limit_bytes: usize,
}

#[derive(Debug)]
struct Cut {
    id: u64,
    at: Position,
    bytes: usize,
}

impl Windows {
    /// For one of `slots` slots with this many lanes.
    pub(crate) fn new(slots: u16, lanes: u16, start: Position) -> Self {
        Self {
            owed: vec![VecDeque::new(); usize::from(lanes)],
            cuts: VecDeque::new(),
            next_id: 1,
            done: start,
            in_flight_bytes: 0,
            limit_bytes: IN_FLIGHT_MAX_BYTES / usize::from(slots.max(1)),
        }
    }

    /// Everything up to here is durable.
    pub(crate) const fn done(&self) -> Position {
        self.done
    }

    /// Whether another window with rows may be cut.
    pub(crate) fn has_room(&self) -> bool {
        self.cuts.len() < WINDOWS_MAX && self.in_flight_bytes < self.limit_bytes
    }

    /// Cuts that are not done.
    pub(crate) fn open(&self) -> usize {
        self.cuts.len()
    }

    /// Closes a window at `at`; `lanes` are those that get rows of it, `bytes` what the rows weigh. Returns its id.
    ///
    /// A window without rows adds nothing to wait for: it moves the cut before it.
    pub(crate) fn cut(&mut self, at: Position, bytes: usize, lanes: impl IntoIterator<Item = LaneId>) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let mut touched = false;
        for lane in lanes {
            self.owed[usize::from(lane.0)].push_back(id);
            touched = true;
        }
        match self.cuts.back_mut() {
            Some(last) if !touched => last.at = last.at.max(at),
            _ => {
                let bytes = if touched { bytes } else { 0 };
                self.in_flight_bytes += bytes;
                self.cuts.push_back(Cut { id, at, bytes });
            }
        }
        self.settle();
        id
    }

    /// A lane has made everything up to and with window `id` durable.
    pub(crate) fn acknowledged(&mut self, lane: LaneId, id: u64) {
        let owed = &mut self.owed[usize::from(lane.0)];
        while owed.front().is_some_and(|w| *w <= id) {
            owed.pop_front();
        }
        self.settle();
    }

    fn settle(&mut self) {
        let oldest = self.owed.iter().filter_map(|o| o.front().copied()).min().unwrap_or(u64::MAX);
        while let Some(cut) = self.cuts.pop_front_if(|c| c.id < oldest) {
            assert!(cut.at >= self.done, "a cut at {} lies below {}", cut.at, self.done);
            self.done = cut.at;
            self.in_flight_bytes -= cut.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IN_FLIGHT_MAX_BYTES, WINDOWS_MAX, Windows};
    use tg_model::{LaneId, Position, Ts};

    fn at(ts: u64) -> Position {
        Position::rows(Ts::new(ts))
    }

    #[test]
    fn a_window_is_done_when_all_before_it_are() {
        let mut w = Windows::new(1, 2, at(1));
        let a = w.cut(at(10), 1, [LaneId(0), LaneId(1)]);
        let b = w.cut(at(20), 1, [LaneId(1)]);
        w.acknowledged(LaneId(1), b);
        assert_eq!(w.done(), at(1), "lane 0 owes the first window");
        w.acknowledged(LaneId(0), a);
        assert_eq!(w.done(), at(20));
    }

    #[test]
    fn windows_without_rows_are_done_with_what_was_before_them() {
        let mut w = Windows::new(1, 1, at(1));
        w.cut(at(5), 1, []);
        assert_eq!(w.done(), at(5));
        let a = w.cut(at(10), 1, [LaneId(0)]);
        w.cut(at(30), 1, []);
        assert_eq!(w.done(), at(5));
        w.acknowledged(LaneId(0), a);
        assert_eq!(w.done(), at(30));
    }

    #[test]
    fn a_lane_may_acknowledge_several_windows_at_once() {
        let mut w = Windows::new(1, 1, at(1));
        for ts in [10, 20, 30] {
            w.cut(at(ts), 1, [LaneId(0)]);
        }
        w.acknowledged(LaneId(0), 2);
        assert_eq!(w.done(), at(20));
    }

    #[test]
    fn room_ends_with_the_bytes_or_the_number_and_comes_back() {
        let mut w = Windows::new(4, 1, at(1));
        let share = IN_FLIGHT_MAX_BYTES / 4;
        w.cut(at(10), share - 1, [LaneId(0)]);
        assert!(w.has_room());
        let second = w.cut(at(20), share, [LaneId(0)]);
        assert!(!w.has_room(), "the share is in flight");
        w.cut(at(25), 0, []);
        w.acknowledged(LaneId(0), second);
        assert!(w.has_room());
        assert_eq!(w.done(), at(25));
        for i in 0..WINDOWS_MAX as u64 {
            assert!(w.has_room());
            w.cut(at(30 + i), 1, [LaneId(0)]);
        }
        assert!(!w.has_room(), "so many windows are in flight");
    }
}
