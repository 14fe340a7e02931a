//! The sorter against a sorted vector: random pushes, resolved-ts, duplicates, removals, spills.

use bytes::Bytes;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_model::{ChangeOp, RawChange, Span, SpanId, TableId, Ts};
use tg_sorter::{ChunkEnd, SortedChange, Sorter, SorterConfig, SorterStore};

const TABLES: i64 = 3;
const WINDOW: u64 = 12;

#[derive(Clone, Debug)]
enum Step {
    /// (offset above what is resolved, start offset, handle, op)
    Push(u8, Vec<(u64, u64, u8, u8)>),
    /// Push again what was pushed lately, as a resubscription does.
    Again(u8, usize),
    /// Resolve further, and release with chunks of so many bytes, at most so many.
    Sweep(u64, usize, usize),
    Replace(u8),
    Forget,
}

fn step() -> impl Strategy<Value = Step> {
    let change = (1..WINDOW, 0u64..3, 0u8..6, 0u8..3);
    prop_oneof![
        6 => (0u8..5, proptest::collection::vec(change, 0..12)).prop_map(|(s, c)| Step::Push(s, c)),
        2 => (0u8..5, 0usize..40).prop_map(|(s, n)| Step::Again(s, n)),
        4 => (0u64..8, 1usize..2000, 1usize..6).prop_map(|(t, b, n)| Step::Sweep(t, b, n)),
        1 => (0u8..5).prop_map(Step::Replace),
        1 => Just(Step::Forget),
    ]
}

type Key = (Ts, TableId, Ts, ChangeOp, Bytes);

fn key_of(table: TableId, c: &RawChange) -> Key {
    (c.commit_ts, table, c.start_ts, c.op, c.key.clone())
}

/// One test run: the sorter, and what it should hold.
struct Run {
    sorter: Sorter,
    next_span: u64,
    /// Span in each of five places; places share tables but not keys.
    places: [SpanId; 5],
    /// Pending, in order.
    pending: BTreeMap<Key, (SpanId, RawChange)>,
    /// Released, per live span.
    released: BTreeSet<Key>,
    pushed: Vec<(usize, RawChange)>,
    resolved: u64,
    swept: Option<Ts>,
}

fn table_of(place: usize) -> TableId {
    TableId(place as i64 % TABLES + 40)
}

impl Run {
    fn new(store: &Arc<SorterStore>) -> Self {
        let mut run = Self {
            sorter: store.sorter(),
            next_span: 1,
            places: [SpanId(0); 5],
            pending: BTreeMap::new(),
            released: BTreeSet::new(),
            pushed: Vec::new(),
            resolved: 100,
            swept: None,
        };
        (0..5).for_each(|p| run.add(p));
        run
    }

    fn add(&mut self, place: usize) {
        self.places[place] = SpanId(self.next_span);
        self.next_span += 1;
        self.sorter.add_span(self.places[place], table_of(place));
    }

    fn push(&mut self, place: usize, changes: Vec<RawChange>) {
        for c in &changes {
            let key = key_of(table_of(place), c);
            if !self.released.contains(&key) {
                self.pending.entry(key).or_insert_with(|| (self.places[place], c.clone()));
            }
            self.pushed.push((place, c.clone()));
        }
        self.sorter.push(self.places[place], changes).unwrap();
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Push(place, changes) => {
                let place = place as usize;
                // A sweep that was begun stands for a resolved-ts: nothing new comes below it.
                let base = self.swept.map_or(self.resolved, |t| t.get().max(self.resolved));
                let changes = changes
                    .into_iter()
                    .map(|(above, start, handle, op)| change(place, base + above, start, handle, op));
                self.push(place, changes.collect());
            }
            Step::Again(place, n) => {
                let from = self.pushed.len().saturating_sub(n);
                let again: Vec<_> =
                    self.pushed[from..].iter().filter(|(p, _)| *p == place as usize).map(|(_, c)| c.clone()).collect();
                self.push(place as usize, again);
            }
            Step::Sweep(by, max_bytes, chunks) => self.sweep(by, max_bytes, chunks),
            Step::Replace(place) => {
                let gone = self.places[place as usize];
                self.sorter.remove_span(gone);
                self.pending.retain(|_, (span, _)| *span != gone);
                self.pushed.retain(|(p, _)| *p != place as usize);
                self.released.retain(|k| !(k.1 == table_of(place as usize) && k.4.last() == Some(&place)));
                self.add(place as usize);
            }
            Step::Forget => self.sorter.forget(Ts::new(self.resolved)),
        }
    }

    fn sweep(&mut self, by: u64, max_bytes: usize, chunks: usize) {
        let upto = self.swept.unwrap_or(Ts::new(self.resolved + by));
        self.swept = Some(upto);
        for _ in 0..chunks {
            let mut out = Vec::new();
            let end = self.sorter.next_chunk(upto, max_bytes, &mut out).unwrap();
            self.check(&out, upto, max_bytes);
            if end == ChunkEnd::Exhausted {
                self.resolved = upto.get();
                self.swept = None;
                assert!(self.pending.first_key_value().is_none_or(|(k, _)| k.0 > upto), "everything left");
                return;
            }
        }
    }

    fn check(&mut self, out: &[SortedChange], upto: Ts, max_bytes: usize) {
        let weight = |s: &[SortedChange]| s.iter().map(|s| s.change.weight_bytes()).sum::<usize>();
        assert!(out.len() <= 1 || weight(&out[..out.len() - 1]) < max_bytes);
        for got in out {
            let (key, (span, change)) = self.pending.pop_first().expect("nothing is invented");
            assert_eq!((got.span, &got.change), (span, &change), "order and content");
            assert!(key.0 <= upto && got.table == key.1);
            self.released.insert(key);
        }
    }
}

fn change(place: usize, commit: u64, start: u64, handle: u8, op: u8) -> RawChange {
    let op = [ChangeOp::Delete, ChangeOp::Update, ChangeOp::Insert][op as usize];
    let start_of = Span::of_table(table_of(place));
    // Places of one table differ in the last byte, so that their keys interleave; odd handles are no record keys.
    let head: &[u8] = if handle.is_multiple_of(2) { start_of.start() } else { b"other" };
    let key = [head, &[handle; 8], &[place as u8]].concat();
    // As from the upstream: one key at one commit-ts has one content.
    let text = Bytes::from(format!("{commit}-{start}-{handle}"));
    let empty = Bytes::new();
    RawChange {
        commit_ts: Ts::new(commit),
        start_ts: Ts::new(commit - 20 - start),
        op,
        key: key.into(),
        value: if op == ChangeOp::Delete { empty.clone() } else { text.clone() },
        old_value: if op == ChangeOp::Insert { empty } else { text },
    }
}

fn check(threshold_bytes: usize, cases: u32) {
    let dir = tempfile::tempdir().unwrap();
    let cfg = SorterConfig { spill_threshold_bytes: threshold_bytes, ..SorterConfig::default() };
    let store = SorterStore::open(dir.path(), cfg).unwrap();
    let spilled = std::cell::Cell::new(0);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in proptest::collection::vec(step(), 1..60))| {
        let mut run = Run::new(&store);
        for step in steps {
            run.step(step);
            spilled.set(spilled.get().max(run.sorter.spilled_bytes()));
        }
        run.sweep(100, usize::MAX, 1);
        run.sweep(100, usize::MAX, 1);
        prop_assert!(run.pending.is_empty());
        run.sorter.forget(Ts::MAX);
        prop_assert_eq!((run.sorter.pending_bytes(), run.sorter.spilled_bytes()), (0, 0));
    });
    assert_eq!(spilled.get() > 0, threshold_bytes < 1 << 20, "the threshold decides");
    assert_eq!((store.usage().changes_bytes, store.usage().spilled_bytes), (0, 0), "all is given back");
}

#[test]
fn in_memory_it_equals_a_sorted_vector() {
    check(64 << 20, 400);
}

#[test]
fn spilling_a_part_it_equals_a_sorted_vector() {
    check(3000, 300);
}

#[test]
fn spilling_everything_it_equals_a_sorted_vector() {
    check(0, 200);
}
