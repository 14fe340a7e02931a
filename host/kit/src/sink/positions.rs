//! Positions between the events of a corpus, as one lane counts them.

use crate::corpus::Event;
use tg_model::{Position, Stage, Ts};

/// Everything before event `i` is done, and nothing behind.
pub(crate) fn before(events: &[Event], i: usize) -> Position {
    let Some(last) = i.checked_sub(1).and_then(|at| events.get(at)) else { return Position::ZERO };
    let ts = last.commit_ts();
    match (last, events.get(i)) {
        (Event::Row(_), Some(Event::Row(next))) if next.commit_ts == ts => {
            let done = events.iter().take(i).rev().take_while(|e| e.commit_ts() == ts).count();
            Position::within(Ts::new(ts), done as u64)
        }
        (Event::Row(_), _) => Position::rows(Ts::new(ts)),
        (Event::Ddl(_), _) => Position::ddl(Ts::new(ts)),
    }
}

/// How many events from the first on a position covers.
pub(crate) fn covered(events: &[Event], at: Position) -> usize {
    let mut seen_at_ts = 0;
    let is_covered = |event: &Event| {
        let ts = Ts::new(event.commit_ts());
        if ts != at.ts {
            return ts < at.ts;
        }
        match event {
            Event::Row(_) => {
                seen_at_ts += 1;
                at.stage >= Stage::Rows || seen_at_ts <= at.seq
            }
            Event::Ddl(_) => at.stage >= Stage::Ddl,
        }
    };
    events.iter().map(is_covered).take_while(|covered| *covered).count()
}

#[cfg(test)]
mod tests {
    use super::{before, covered};
    use crate::corpus::plain;
    use tg_model::Position;

    #[test]
    fn a_position_covers_what_lies_before_it() {
        let events = plain(2, 60).unwrap().events;
        for i in 0..=events.len() {
            let at = before(&events, i);
            assert_eq!(covered(&events, at), i, "{at}");
        }
        assert_eq!(before(&events, 0), Position::ZERO);
        assert!((0..events.len()).map(|i| before(&events, i)).is_sorted());
    }
}
