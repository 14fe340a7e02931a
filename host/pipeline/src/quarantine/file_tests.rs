use super::{BadRow, FileQuarantine, HOUR_MS, Inner, QuarantineError, QuarantineLimits};
use crate::quarantine::row::{RawOp, RowData};
use std::io::Write as _;
use std::path::Path;
use tg_model::{Position, SlotId, TableId, Ts};

const LIMITS: QuarantineLimits = QuarantineLimits { per_hour: 1_000 };

fn bad(ts: u64, len: usize) -> BadRow {
    let data = RowData::Raw { op: RawOp::Insert, key: b"k".to_vec(), value: vec![1; len], old_value: Vec::new() };
    BadRow {
        slot: SlotId(0),
        lane: None,
        position: Position::before(Ts::new(ts)),
        table: TableId(104),
        schema: "s".into(),
        name: "t".into(),
        commit_ts: Ts::new(ts),
        start_ts: Ts::new(ts - 1),
        by: "p".into(),
        code: "c".into(),
        message: "m".into(),
        data,
    }
}

fn open(path: &Path) -> Inner {
    Inner::open(path, LIMITS).unwrap()
}

#[test]
fn rows_are_there_after_a_restart_and_once_however_often_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("feed/rows.tgq");
    let mut q = open(&path);
    assert_eq!(q.keep(vec![bad(5, 9), bad(6, 9), bad(5, 9)], 1).unwrap(), 2);
    drop(q);
    let mut q = open(&path);
    assert_eq!(q.keep(vec![bad(6, 9), bad(7, 9)], 2).unwrap(), 1);
    let q = FileQuarantine(std::sync::Arc::new(q.into()));
    let rows = q.list(0, 10).unwrap();
    assert_eq!(rows.iter().map(|k| (k.id, k.row.commit_ts.get())).collect::<Vec<_>>(), [(1, 5), (2, 6), (3, 7)]);
    assert_eq!(q.get(2).unwrap().row, bad(6, 9));
    assert_eq!(q.list(1, 1).unwrap(), [q.get(2).unwrap()]);
}

#[test]
fn a_torn_record_is_cut_off_and_the_next_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.tgq");
    let mut q = open(&path);
    q.keep(vec![bad(5, 9)], 1).unwrap();
    let whole = q.len;
    drop(q);
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&[200, 0, 0, 0, 1, 2, 3, 4, b'{']).unwrap();
    drop(file);
    let mut q = open(&path);
    assert_eq!((q.len, q.rows.len()), (whole, 1));
    q.keep(vec![bad(6, 9)], 2).unwrap();
    drop(q);
    assert_eq!(open(&path).rows.len(), 2);
}

#[test]
fn more_than_the_limit_within_an_hour_is_an_error_and_keeps_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut q = Inner::open(&dir.path().join("q"), QuarantineLimits { per_hour: 2 }).unwrap();
    q.keep(vec![bad(5, 1), bad(6, 1)], 10).unwrap();
    assert_eq!(q.keep(vec![bad(5, 1)], 10), Ok(0), "it is there already");
    assert_eq!(q.keep(vec![bad(7, 1)], 11), Err(QuarantineError::TooMany { limit: 2 }));
    assert_eq!(q.rows.len(), 2);
    assert_eq!(q.keep(vec![bad(7, 1)], 10 + HOUR_MS), Ok(1));
    let mut none = Inner::open(&dir.path().join("z"), QuarantineLimits { per_hour: 0 }).unwrap();
    assert_eq!(none.keep(vec![bad(5, 1)], 1), Err(QuarantineError::TooMany { limit: 0 }));
}

#[test]
fn dropped_rows_give_their_place_back_and_numbers_are_never_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let mut q = open(&path);
    q.keep((2..8).map(|ts| bad(ts, 300 << 10)).collect(), 1).unwrap();
    let full = q.len;
    for id in 2..=6 {
        q.drop_row(id).unwrap();
    }
    assert!(q.len < full * 6 / 10, "{} of {full} bytes are left", q.len);
    assert_eq!(q.drop_row(6), Err(QuarantineError::NoRow { id: 6 }));
    drop(q);
    let mut q = open(&path);
    assert_eq!(q.rows.keys().copied().collect::<Vec<_>>(), [1]);
    q.keep(vec![bad(99, 1)], 2).unwrap();
    assert_eq!(q.rows.keys().copied().collect::<Vec<_>>(), [1, 7]);
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    std::fs::write(&path, b"something else").unwrap();
    assert!(matches!(FileQuarantine::open(&path, LIMITS), Err(QuarantineError::Format { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"something else");
}
