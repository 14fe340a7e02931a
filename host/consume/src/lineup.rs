//! What was read of the partitions of a topic, in an order that can be applied.

use crate::stream::{Done, Portion};
use std::collections::{BTreeMap, VecDeque};
use tg_format_common::{ChangeEvent, DdlChange};

/// Rows of a portion.
const ROWS_MAX: usize = 2_000;
/// Messages of one partition that wait, above which it is ahead of the others.
const WAITING_MAX: usize = 50_000;

/// Events of one message that are to be applied.
struct Waiting {
    offset: u64,
    /// Events of it that are handed out, or were done before.
    handed: u64,
    events: VecDeque<ChangeEvent>,
}

struct Partition {
    stream: String,
    waiting: VecDeque<Waiting>,
    /// How far it is handed out: messages below an offset, and rows from that one on.
    done: Done,
    /// Rows that are still to be passed over: they were done before the start.
    passed: u64,
    /// Everything up to here was read.
    watermark: u64,
}

/// Rows wait until every partition says that it told everything up to their timestamp, statements until the rows before them are
/// handed out. Without watermarks each partition is taken as it comes.
pub(crate) struct Lineup {
    partitions: Vec<Partition>,
    marked: bool,
    /// Statements to be run, by timestamp. Formats write them to every partition; here each is once.
    statements: BTreeMap<u64, Vec<DdlChange>>,
    /// Names the stream of statements.
    statements_stream: String,
    /// Timestamp of the last statement that was handed out, and how many there were at it.
    ran: Done,
}

impl Lineup {
    /// Partitions as far as `done` says.
    pub(crate) fn new(topic: &str, partitions: usize, marked: bool, done: &BTreeMap<String, Done>) -> Self {
        let known = |stream: &str| done.get(stream).copied().unwrap_or_default();
        let partition = |number: usize| {
            let stream = format!("{topic}/{number}");
            let done = known(&stream);
            Partition { waiting: VecDeque::new(), done, passed: done.rows, watermark: 0, stream }
        };
        let statements_stream = format!("{topic} statements");
        let ran = known(&statements_stream);
        let partitions = (0..partitions).map(partition).collect();
        Self { partitions, marked, statements: BTreeMap::new(), statements_stream, ran }
    }

    /// Where each partition is to be read from.
    pub(crate) fn offsets(&self) -> Vec<u64> {
        self.partitions.iter().map(|p| p.done.units).collect()
    }

    /// Everything up to here was read, of all partitions.
    pub(crate) fn safe(&self) -> u64 {
        self.partitions.iter().map(|p| p.watermark).min().unwrap_or(0)
    }

    /// Whether a partition waits for the others with much.
    pub(crate) fn is_ahead(&self, partition: usize) -> bool {
        let safe = self.safe();
        self.partitions.get(partition).is_some_and(|p| p.waiting.len() > WAITING_MAX && p.watermark > safe)
    }

    /// Takes a message.
    pub(crate) fn push(&mut self, partition: u32, offset: u64, events: Vec<ChangeEvent>) {
        let Some(p) = self.partitions.get_mut(partition as usize) else { return };
        let is_new = offset >= p.done.units;
        let mut next = Waiting { offset, handed: 0, events: VecDeque::new() };
        for event in events {
            match event {
                ChangeEvent::Watermark(ts) => p.watermark = p.watermark.max(ts),
                ChangeEvent::Ddl(ddl) if self.marked => {
                    let ts = ddl.commit_ts.unwrap_or(0);
                    let same = self.statements.entry(ts).or_default();
                    if ts >= self.ran.units && !same.iter().any(|known| known.query == ddl.query) {
                        same.push(ddl);
                    }
                }
                ChangeEvent::Row(_) | ChangeEvent::Ddl(_) if p.passed > 0 && is_new => {
                    p.passed -= 1;
                    next.handed += 1;
                }
                ChangeEvent::Row(_) | ChangeEvent::Ddl(_) => next.events.push_back(event),
                ChangeEvent::Schema(_) => {}
            }
        }
        if is_new && !next.events.is_empty() {
            p.waiting.push_back(next);
        }
    }

    /// The next portion that may be applied.
    pub(crate) fn next(&mut self) -> Option<Portion> {
        let safe = self.safe();
        loop {
            let statement = self.statements.keys().next().copied().filter(|ts| *ts <= safe);
            // Rows below the next statement, of which every partition has told.
            let upto = if self.marked { statement.unwrap_or(safe) } else { u64::MAX };
            let found = self.partitions.iter_mut().find_map(|p| p.rows(upto));
            if found.is_some() {
                return found;
            }
            if let Some(portion) = self.statement(statement?) {
                return Some(portion);
            }
        }
    }

    /// The next statement at a timestamp; `None`: there are no more, and none waits.
    fn statement(&mut self, ts: u64) -> Option<Portion> {
        let ran = if self.ran.units == ts { self.ran.rows } else { 0 };
        let next = self.statements.get(&ts).and_then(|all| all.get(usize::try_from(ran).ok()?)).cloned();
        let Some(ddl) = next else {
            self.statements.remove(&ts);
            return None;
        };
        let from = std::mem::replace(&mut self.ran, Done { units: ts, rows: ran + 1 });
        let stream = self.statements_stream.clone();
        Some(Portion { stream, from, to: self.ran, events: vec![ChangeEvent::Ddl(ddl)] })
    }
}

impl Partition {
    /// Rows up to a timestamp, or one statement.
    fn rows(&mut self, upto: u64) -> Option<Portion> {
        let from = self.done;
        let mut events = Vec::new();
        while let Some(front) = self.waiting.front_mut() {
            while let Some(next) = front.events.front() {
                let full = match next {
                    ChangeEvent::Row(row) => events.len() >= ROWS_MAX || row.commit_ts.is_some_and(|ts| ts > upto),
                    _ => !events.is_empty(),
                };
                if full || matches!(events.last(), Some(ChangeEvent::Ddl(_))) {
                    break;
                }
                events.extend(front.events.pop_front());
                front.handed += 1;
            }
            if !front.events.is_empty() {
                if front.handed > 0 && !events.is_empty() {
                    self.done = Done { units: front.offset, rows: front.handed };
                }
                break;
            }
            self.done = Done { units: front.offset + 1, rows: 0 };
            self.waiting.pop_front();
        }
        let to = self.done;
        (!events.is_empty()).then(|| Portion { stream: self.stream.clone(), from, to, events })
    }
}

#[cfg(test)]
mod tests {
    use super::Lineup;
    use crate::stream::{Done, Portion};
    use std::collections::BTreeMap;
    use tg_format_common::{ChangeEvent, DdlChange, RowChange};
    use tgr1::Op;

    fn row(ts: u64) -> ChangeEvent {
        ChangeEvent::Row(RowChange {
            database: "d".to_owned(),
            table: "t".to_owned(),
            op: Op::Insert,
            commit_ts: Some(ts),
            commit_ms: None,
            after: None,
            before: None,
            key_only: false,
            claim: None,
        })
    }

    fn ddl(ts: u64, query: &str) -> ChangeEvent {
        ChangeEvent::Ddl(DdlChange {
            database: "d".to_owned(),
            table: "t".to_owned(),
            query: query.to_owned(),
            commit_ts: Some(ts),
            kind: String::new(),
            after: None,
            before: None,
        })
    }

    /// What a portion holds, in short.
    fn shown(portion: &Portion) -> (String, Vec<String>, (u64, u64)) {
        let show = |e: &ChangeEvent| match e {
            ChangeEvent::Row(row) => row.commit_ts.unwrap().to_string(),
            ChangeEvent::Ddl(ddl) => ddl.query.clone(),
            ChangeEvent::Watermark(_) | ChangeEvent::Schema(_) => panic!("not for targets"),
        };
        (portion.stream.clone(), portion.events.iter().map(show).collect(), (portion.to.units, portion.to.rows))
    }

    fn all(lineup: &mut Lineup) -> Vec<(String, Vec<String>, (u64, u64))> {
        std::iter::from_fn(|| lineup.next()).map(|p| shown(&p)).collect()
    }

    fn expected(all: &[(&str, &[&str], (u64, u64))]) -> Vec<(String, Vec<String>, (u64, u64))> {
        all.iter().map(|(s, e, to)| ((*s).to_owned(), e.iter().map(|e| (*e).to_owned()).collect(), *to)).collect()
    }

    fn filled(done: &BTreeMap<String, Done>) -> Lineup {
        let mut l = Lineup::new("x", 2, true, done);
        let messages = [
            (0, 0, vec![ddl(5, "make")]),
            (0, 1, vec![row(6), row(8), row(12)]),
            (0, 2, vec![ddl(10, "alter")]),
            (0, 3, vec![ChangeEvent::Watermark(15)]),
            (1, 0, vec![ddl(5, "make")]),
            (1, 1, vec![row(7)]),
            (1, 2, vec![ddl(10, "alter"), row(11)]),
            (1, 4, vec![ChangeEvent::Watermark(11)]),
        ];
        for (partition, offset, events) in messages {
            l.push(partition, offset, events);
        }
        l
    }

    #[test]
    fn statements_run_once_between_the_rows_before_and_behind() {
        let mut l = filled(&BTreeMap::new());
        let first = expected(&[
            ("x statements", &["make"], (5, 1)),
            ("x/0", &["6", "8"], (1, 2)),
            ("x/1", &["7"], (2, 0)),
            ("x statements", &["alter"], (10, 1)),
            ("x/1", &["11"], (3, 0)),
        ]);
        assert_eq!(all(&mut l), first);
        assert_eq!(l.safe(), 11);
        l.push(1, 5, vec![ChangeEvent::Watermark(20)]);
        assert_eq!(all(&mut l), expected(&[("x/0", &["12"], (2, 0))]));
    }

    #[test]
    fn what_was_done_before_is_passed_over() {
        let done = [("x statements", (5, 1)), ("x/0", (1, 2)), ("x/1", (0, 1))];
        let done = done.into_iter().map(|(s, (units, rows))| (s.to_owned(), Done { units, rows })).collect();
        let mut l = filled(&done);
        assert_eq!(l.offsets(), [1, 0]);
        assert_eq!(all(&mut l), expected(&[("x statements", &["alter"], (10, 1)), ("x/1", &["11"], (3, 0))]));
    }

    #[test]
    fn without_watermarks_partitions_are_taken_as_they_come() {
        let mut l = Lineup::new("x", 1, false, &BTreeMap::new());
        l.push(0, 0, vec![ddl(5, "make")]);
        l.push(0, 1, vec![row(6)]);
        l.push(0, 2, vec![row(7)]);
        l.push(0, 3, vec![ddl(8, "alter")]);
        let one = [("x/0", &["make"][..], (1, 0)), ("x/0", &["6", "7"], (3, 0)), ("x/0", &["alter"], (4, 0))];
        assert_eq!(all(&mut l), expected(&one));
    }
}
