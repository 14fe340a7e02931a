//! Bounds: a transaction larger than memory, the disk limit, space that comes back, many idle spans.

use bytes::Bytes;
use std::sync::Arc;
use tg_model::{ChangeOp, Coded, RawChange, Span, SpanId, TableId, Ts};
use tg_sorter::{ChunkEnd, SortedChange, Sorter, SorterConfig, SorterError, SorterStore};

const MIB: usize = 1 << 20;
const SPAN: SpanId = SpanId(1);
const TABLE: TableId = TableId(45);
const VALUE_BYTES: usize = 1000;

/// A row with content that hardly compresses.
fn row(ts: u64, n: u64) -> RawChange {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
    let key = [Span::of_table(TABLE).start().as_ref(), &mixed.to_be_bytes()].concat();
    let word = |i: u64| (mixed ^ i).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes();
    let value: Vec<u8> = (0..VALUE_BYTES as u64 / 8).flat_map(word).collect();
    RawChange {
        commit_ts: Ts::new(ts),
        start_ts: Ts::new(ts - 1),
        op: ChangeOp::Insert,
        key: key.into(),
        value: value.into(),
        old_value: Bytes::new(),
    }
}

fn rows(ts: u64, from: u64, n: u64) -> Vec<RawChange> {
    (from..from + n).map(|n| row(ts, n)).collect()
}

fn open(cfg: SorterConfig) -> (tempfile::TempDir, Arc<SorterStore>, Sorter) {
    let dir = tempfile::tempdir().unwrap();
    let store = SorterStore::open(dir.path(), cfg).unwrap();
    let mut sorter = store.sorter();
    sorter.add_span(SPAN, TABLE);
    (dir, store, sorter)
}

fn release_all(sorter: &mut Sorter, upto: Ts, mut each: impl FnMut(&[SortedChange])) -> usize {
    let (mut out, mut count) = (Vec::new(), 0);
    loop {
        let end = sorter.next_chunk(upto, MIB, &mut out).unwrap();
        count += out.len();
        each(&out);
        out.clear();
        if end == ChunkEnd::Exhausted {
            return count;
        }
    }
}

#[test]
fn a_transaction_larger_than_memory_streams_through() {
    const ROWS: u64 = 200_000;
    let cfg = SorterConfig { memory_limit_bytes: 16 * MIB, spill_threshold_bytes: 8 * MIB, ..SorterConfig::default() };
    let (_dir, store, mut sorter) = open(cfg);
    for from in (0..ROWS).step_by(500) {
        sorter.push(SPAN, rows(10, from, 500)).unwrap();
        assert!(sorter.pending_bytes() <= 9 * MIB, "{}", sorter.pending_bytes());
    }
    assert!(sorter.spilled_bytes() > 190 * MIB as u64);
    assert_eq!(release_all(&mut sorter, Ts::new(9), |_| {}), 0, "nothing leaves before it is resolved");

    let mut last = Bytes::new();
    let mut sum = 0u64;
    let count = release_all(&mut sorter, Ts::new(10), |chunk| {
        assert!(chunk.len() <= 2 * MIB / VALUE_BYTES, "chunks stay small");
        for c in chunk {
            assert!(last < c.change.key, "keys rise across chunks and across memory and disk");
            last = c.change.key.clone();
            sum = sum.wrapping_add(u64::from(c.change.value[0]));
            assert_eq!(c.change.value.len(), VALUE_BYTES);
        }
    });
    assert_eq!(count as u64, ROWS);
    let expected = (0..ROWS).fold(0u64, |sum, n| sum.wrapping_add(u64::from(row(10, n).value[0])));
    assert_eq!(sum, expected, "the content came back");
    let peak = store.usage().memory_peak_bytes;
    assert!(peak <= 16 * MIB, "peak {peak}");
}

#[test]
fn space_comes_back_behind_the_checkpoint() {
    let cfg = SorterConfig { spill_threshold_bytes: MIB, memory_limit_bytes: 32 * MIB, ..SorterConfig::default() };
    let (_dir, store, mut sorter) = open(cfg);
    for ts in 0..100u64 {
        sorter.push(SPAN, rows(10 + ts, ts * 1000, 1000)).unwrap();
    }
    store.compact();
    let full = store.usage();
    assert!(full.file_bytes > 90 * MIB as u64, "{full:?}");

    sorter.forget(Ts::MAX);
    assert_eq!(sorter.spilled_bytes(), full.spilled_bytes, "what has not been released is kept");
    assert_eq!(release_all(&mut sorter, Ts::new(89), |_| {}), 80_000);
    assert_eq!(sorter.spilled_bytes(), full.spilled_bytes, "releasing gives nothing back");
    sorter.forget(Ts::new(89));
    assert!(sorter.spilled_bytes() < full.spilled_bytes / 4);
    store.compact();
    assert!(store.usage().file_bytes < full.file_bytes / 3, "{:?}", store.usage());

    assert_eq!(release_all(&mut sorter, Ts::new(200), |_| {}), 20_000, "the rest is still there");
    sorter.forget(Ts::new(200));
    store.compact();
    let empty = store.usage();
    assert!(empty.spilled_bytes == 0 && empty.file_bytes < MIB as u64, "{empty:?}");
}

#[test]
fn a_dropped_sorter_gives_everything_back() {
    let cfg = SorterConfig { spill_threshold_bytes: MIB, ..SorterConfig::default() };
    let (_dir, store, mut sorter) = open(cfg);
    let mut other = store.sorter();
    other.add_span(SPAN, TABLE);
    for n in 0..10 {
        sorter.push(SPAN, rows(10, n * 1000, 1000)).unwrap();
        other.push(SPAN, rows(10, n * 1000, 1000)).unwrap();
    }
    drop(sorter);
    store.compact();
    assert_eq!(store.usage().changes_bytes, other.pending_bytes());
    assert_eq!(store.usage().spilled_bytes, other.spilled_bytes());
    assert_eq!(release_all(&mut other, Ts::new(10), |_| {}), 10_000, "the neighbour keeps its own");
}

#[test]
fn the_disk_limit_is_an_error_that_loses_nothing() {
    let cfg = SorterConfig { spill_threshold_bytes: MIB, disk_limit_bytes: 4 * MIB as u64, ..SorterConfig::default() };
    let (_dir, store, mut sorter) = open(cfg);
    let mut pushed = 0;
    let error = loop {
        let result = sorter.push(SPAN, rows(10 + pushed, pushed, 200));
        pushed += 200;
        assert!(pushed < 20_000, "the limit must be met");
        if let Err(e) = result {
            break e;
        }
    };
    assert!(matches!(error, SorterError::DiskLimit { .. }) && error.is_retryable());
    assert_eq!(error.code().to_string(), "TG-1202");
    assert!(store.usage().spilled_bytes <= 4 * MIB as u64);
    assert_eq!(release_all(&mut sorter, Ts::MAX.prev(), |_| {}) as u64, pushed, "all of it is still released");
    sorter.forget(Ts::MAX.prev());
    assert_eq!(store.usage().spilled_bytes, 0);
}

#[test]
fn a_full_process_makes_the_greatest_holder_spill() {
    let cfg = SorterConfig { memory_limit_bytes: 16 * MIB, ..SorterConfig::default() };
    let (_dir, store, mut hog) = open(cfg);
    let mut small = store.sorter();
    small.add_span(SPAN, TABLE);
    for n in 0..7 {
        hog.push(SPAN, rows(10, n * 1000, 1000)).unwrap();
    }
    assert_eq!(hog.spilled_bytes(), 0, "alone it may use most of the memory");
    for n in 0..2 {
        small.push(SPAN, rows(10, n * 1000, 1000)).unwrap();
    }
    hog.next_chunk(Ts::new(1), 1, &mut Vec::new()).unwrap();
    assert!(hog.spilled_bytes() > 0 && small.spilled_bytes() == 0, "{hog:?} {small:?}");
    assert_eq!(release_all(&mut hog, Ts::new(10), |_| {}), 7000);
}

#[test]
fn idle_spans_and_removed_spans_hold_no_bytes() {
    let (_dir, store, mut sorter) = open(SorterConfig::default());
    for id in 0..100_000 {
        sorter.add_span(SpanId(id), TableId(id.cast_signed()));
    }
    sorter.push(SPAN, rows(10, 0, 10)).unwrap();
    sorter.push(SpanId(7), rows(10, 10, 10)).unwrap();
    sorter.remove_span(SpanId(7));
    sorter.push(SpanId(7), rows(10, 20, 10)).unwrap();
    assert_eq!(release_all(&mut sorter, Ts::new(10), |c| assert!(c.iter().all(|c| c.span == SPAN))), 10);
    assert_eq!((sorter.pending_bytes(), store.usage().changes_bytes), (0, 0));
}

#[test]
fn an_unusable_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"x").unwrap();
    let error = SorterStore::open(&file.join("sorter"), SorterConfig::default()).unwrap_err();
    assert_eq!(error.code().to_string(), "TG-1201");
    assert!(error.to_string().contains("file/sorter"), "{error}");
}

#[test]
fn what_an_earlier_process_left_is_wiped() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("99")).unwrap();
    std::fs::write(dir.path().join("99/left"), b"x").unwrap();
    let _store = SorterStore::open(dir.path(), SorterConfig::default()).unwrap();
    assert!(!dir.path().join("99").exists());
}
