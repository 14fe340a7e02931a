//! Rows that wait, in memory and on disk, against the plain matcher.

use super::budget::Budget;
use super::effect::{EndCause, Input, RegionRef, Registration, StreamNo};
use super::held::HoldError;
use super::matcher::{MatchError, Matcher, Output};
use super::plain_matcher::PlainMatcher;
use super::rows::{HARVEST_BYTES, Harvest, Rows};
use super::spill::{SpillArea, SpillError, Tape};
use super::wire::{Reader, whole};
use crate::key::KeyRange;
use bytes::Bytes;
use proptest::prelude::*;
use prost::Message as _;
use std::sync::Arc;
use tg_model::{RawChange, SpanId, Ts};
use tg_proto::cdcpb::{self, LogType, OpType, Row};

fn row(kind: LogType, key: u64, start_ts: u64, commit_ts: u64, value: Vec<u8>) -> Row {
    let put = !(key + start_ts).is_multiple_of(5);
    let op = if put { OpType::Put } else { OpType::Delete };
    let filled = |v: &[u8]| if put { Bytes::copy_from_slice(v) } else { Bytes::new() };
    Row {
        start_ts,
        commit_ts,
        r#type: kind.into(),
        op_type: op.into(),
        key: format!("key-{key:06}").into(),
        value: filled(&value),
        old_value: if key.is_multiple_of(3) { Bytes::new() } else { value.into() },
        ..Row::default()
    }
}

/// One step of a region's life.
#[derive(Clone, Debug)]
enum Do {
    Row(Row),
    Sweep,
    Initialize,
}

fn any_step() -> impl Strategy<Value = Do> {
    let kinds = prop_oneof![
        4 => Just(LogType::Prewrite),
        4 => Just(LogType::Commit),
        1 => Just(LogType::Rollback),
        1 => Just(LogType::Committed),
    ];
    let any_row = (kinds, 0u64..12, 1u64..4, 0u64..3, prop::collection::vec(any::<u8>(), 0..30));
    let any_row = any_row.prop_map(|(kind, key, start, generation, value)| {
        let mut row = row(kind, key, 100 * start, 100 * start + 50, value);
        row.generation = generation;
        row
    });
    prop_oneof![30 => any_row.prop_map(Do::Row), 6 => Just(Do::Sweep), 1 => Just(Do::Initialize)]
}

struct Real {
    matcher: Matcher,
    tape: Tape,
    out: Output,
}

impl Real {
    fn new(limit_bytes: usize, area: Option<Arc<SpillArea>>) -> Self {
        let budget = Budget::new(limit_bytes, area);
        let tape = budget.tape();
        Self { matcher: Matcher::new(Ts::ZERO, 0, budget), tape, out: Output::default() }
    }

    fn row(&mut self, row: Row) -> Result<(), MatchError> {
        let wire = Bytes::from(cdcpb::Entries { entries: vec![row] }.encode_to_vec());
        let row = Reader::new(&wire, whole(&wire)).row().unwrap().unwrap();
        self.matcher.row(&row, &wire, &mut self.tape, &mut self.out)?;
        while self.matcher.is_replaying() {
            self.matcher.replay(1, &mut self.tape, &mut self.out)?;
        }
        self.matcher.account();
        Ok(())
    }
}

proptest! {
    /// Wherever rows lie, changes and their order are those of the plain matcher; nothing stays on disk.
    #[test]
    fn memory_and_disk_are_alike(steps in prop::collection::vec(any_step(), 1..200), limit in prop::sample::select(vec![0usize, 600, 1 << 20])) {
        let dir = tempfile::tempdir().unwrap();
        let area = SpillArea::open(dir.path(), 1 << 20).unwrap();
        let mut real = Real::new(limit, Some(area.clone()));
        let mut plain = PlainMatcher::new(Ts::ZERO, 0);
        let mut expected = Vec::new();
        for step in steps.into_iter().chain([Do::Initialize, Do::Sweep, Do::Sweep]) {
            let row = match step {
                Do::Row(row) => row,
                Do::Initialize => Row { r#type: LogType::Initialized.into(), ..Row::default() },
                Do::Sweep => {
                    real.matcher.sweep(&mut real.tape).unwrap();
                    continue;
                }
            };
            let theirs = plain.row(row.clone(), &mut expected);
            prop_assert_eq!(&real.row(row), &theirs);
            prop_assert_eq!(&real.out.changes, &expected);
            prop_assert_eq!(real.matcher.pending(), plain.pending());
            if theirs.is_err() {
                break;
            }
        }
        real.matcher.discard(&mut real.tape);
        prop_assert!(real.tape.is_empty());
        prop_assert_eq!(area.used_bytes(), 0);
    }
}

fn places(limit_bytes: usize, dir: Option<&std::path::Path>, disk_bytes: u64) -> (Result<(), HoldError>, [usize; 3]) {
    let area = dir.map(|d| SpillArea::open(d, disk_bytes).unwrap());
    let mut real = Real::new(limit_bytes, area);
    for key in 0..100 {
        real.row(row(LogType::Prewrite, 5 * key + 1, 100, 0, vec![7; 1000])).unwrap();
    }
    assert_eq!(real.matcher.places(), [100, 0, 0], "young until they have lived through a sweep");
    real.matcher.sweep(&mut real.tape).unwrap();
    assert_eq!(real.matcher.places(), [100, 0, 0], "one sweep is not enough");
    (real.matcher.sweep(&mut real.tape), real.matcher.places())
}

#[test]
fn what_is_held_for_long_is_copied_then_spilled_then_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(places(1 << 20, None, 0), (Ok(()), [0, 100, 0]));
    let (result, [young, old, cold]) = places(100_000, Some(dir.path()), 1 << 20);
    assert_eq!((result, young, old + cold), (Ok(()), 0, 100));
    assert!((20..90).contains(&old) && cold > 10, "about half of it fits: {old} and {cold}");
    let (result, _) = places(100_000, None, 0);
    assert!(matches!(result, Err(HoldError::Memory { limit_bytes: 100_000, .. })), "{result:?}");
    let (result, _) = places(0, Some(dir.path()), 5_000);
    assert_eq!(result, Err(HoldError::Spill(SpillError::Full { limit_bytes: 5_000 })));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "no file is left");
}

fn registration(request: u64, region: u64) -> Registration {
    let epoch = tg_proto::metapb::RegionEpoch { conf_ver: 1, version: 1 };
    let range = KeyRange { start: Bytes::new(), end: Bytes::new() };
    let (span, region) = (SpanId(request), RegionRef { id: region, epoch });
    Registration { request, span, region, range, checkpoint: Ts::new(1), filter_loop: false }
}

fn message(request: u64, region: u64, entries: Vec<Row>) -> Bytes {
    let event = Some(cdcpb::event::Event::Entries(cdcpb::Entries { entries }));
    let event = cdcpb::Event { region_id: region, request_id: request, event, ..Default::default() };
    cdcpb::ChangeDataEvent { events: vec![event], resolved_ts: None }.encode_to_vec().into()
}

fn drain(rows: &mut Rows, message: Bytes) -> (Vec<RawChange>, Vec<Input>, usize) {
    let (mut changes, mut news, mut most) = (Vec::new(), Vec::new(), 0);
    rows.put(message);
    loop {
        let mut harvest = Harvest::default();
        let done = rows.step(&mut harvest).unwrap();
        most = most.max(harvest.weight_bytes);
        changes.extend(harvest.batches.into_iter().flat_map(|b| b.changes));
        news.append(&mut harvest.news);
        if done {
            return (changes, news, most);
        }
    }
}

/// A small message of commits that sets much loose, and the end of a scan that does, come in parts.
#[test]
fn a_flood_comes_in_parts_and_in_order() {
    const ROWS: u64 = 400;
    for early in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let area = SpillArea::open(dir.path(), 1 << 30).unwrap();
        let budget = Budget::new(if early { 100_000 } else { 1 << 20 }, Some(area.clone()));
        let mut rows = Rows::new(StreamNo(1), 0, budget.clone());
        assert!(rows.add(registration(9, 3)).is_ok());
        let initialized = Row { r#type: LogType::Initialized.into(), ..Row::default() };
        let prewrites = |key: u64| row(LogType::Prewrite, 5 * key + 1, 100, 0, vec![key as u8; 50_000]);
        // Most of the early ones belong to versions that the scan would deliver whole.
        let keys = if early { 20 * ROWS } else { ROWS };
        let commits: Vec<Row> = (0..keys).map(|k| row(LogType::Commit, 5 * k + 1, 100, 150, vec![])).collect();
        if early {
            for part in commits.chunks(100) {
                assert!(drain(&mut rows, message(9, 3, part.to_vec())).0.is_empty());
            }
            assert!(area.used_bytes() > 100_000, "they are spilled too");
        } else {
            drain(&mut rows, message(9, 3, vec![initialized.clone()]));
        }
        for key in 0..ROWS {
            assert!(drain(&mut rows, message(9, 3, vec![prewrites(key)])).0.is_empty());
        }
        assert!(budget.used_bytes() < 12 << 20, "{} of {} MB", budget.used_bytes(), (ROWS * 100_000) >> 20);
        assert!(area.used_bytes() > 24 << 20, "{}", area.used_bytes());
        let last = if early { vec![initialized] } else { commits };
        let (changes, news, most) = drain(&mut rows, message(9, 3, last));
        assert_eq!(changes.len() as u64, ROWS);
        assert!(changes.is_sorted_by(|a, b| a.key < b.key), "in the order of the commits");
        assert!(changes.iter().enumerate().all(|(n, c)| c.value == vec![n as u8; 50_000]));
        assert!(most < HARVEST_BYTES + 110_000, "{most}");
        assert_eq!(news.len(), usize::from(early), "the end of the scan is told when all has come");
        assert_eq!((area.used_bytes(), rows.pending()), (0, 0));
        drop(rows);
        assert_eq!(budget.used_bytes(), 0);
    }
}

#[test]
fn a_span_whose_rows_cannot_be_held_ends_with_the_reason_and_others_go_on() {
    let budget = Budget::new(1 << 20, None);
    let mut rows = Rows::new(StreamNo(1), 0, budget.clone());
    assert!(rows.add(registration(1, 3)).is_ok() && rows.add(registration(2, 3)).is_ok());
    let mut ends = Vec::new();
    for key in 0..100 {
        let prewrite = row(LogType::Prewrite, 5 * key + 1, 100, 0, vec![1; 50_000]);
        ends.extend(drain(&mut rows, message(1, 3, vec![prewrite])).1);
    }
    let [Input::Ended { request: 1, cause: EndCause::Hold(HoldError::Memory { .. }), .. }] = &ends[..] else {
        panic!("one end is due, {} came", ends.len());
    };
    assert_eq!(budget.used_bytes(), 0);
    let whole = row(LogType::Committed, 1, 100, 150, vec![1]);
    assert_eq!(drain(&mut rows, message(2, 3, vec![whole])).0.len(), 1);
}

#[test]
fn a_message_that_cannot_be_read_is_an_error() {
    let mut rows = Rows::new(StreamNo(1), 0, Budget::new(1 << 20, None));
    rows.put(Bytes::from_static(&[0x0a, 0x05, 0x01]));
    assert!(rows.step(&mut Harvest::default()).is_err());
}
