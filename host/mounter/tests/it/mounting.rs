//! What mounting promises beyond decoding: keys, splits, defaults, zones, unknown columns, errors.

use crate::common::{column, insert, int_key, int_table, row_v2, ty, value_text};
use jiff::tz::TimeZone;
use std::sync::Arc;
use tg_model::{ChangeOp, Coded, Index, RawChange, TableId, TableKey, TableVersion, Ts, TypeCode};
use tg_mounter::{CODES, MountError, MountOptions, Mounted, TableMounter, TimestampZone};
use tgr1::{Batch, BatchWriter, Op, row_flags};

fn with_key(mut table: TableVersion, columns: Vec<u32>) -> TableVersion {
    let prefix_len = columns.iter().map(|_| None).collect();
    table.indexes = vec![Index { id: 1, name: "k".to_owned(), columns, prefix_len, unique: true, primary: false }];
    table.row_key = Some(0);
    table
}

fn update(key: &[u8], value: &[u8], old_value: &[u8]) -> RawChange {
    RawChange { op: ChangeOp::Update, old_value: old_value.to_vec().into(), ..insert(key, value) }
}

fn mounter(table: TableVersion) -> (TableMounter, BatchWriter) {
    let mounter = TableMounter::new(Arc::new(table), MountOptions::default()).unwrap();
    let writer = mounter.writer(1, 0);
    (mounter, writer)
}

#[test]
fn the_handle_is_a_column_and_keeps_its_sign() {
    for (unsigned, handle, want) in [(false, -1, "-1"), (true, -1, "18446744073709551615"), (true, 7, "7")] {
        let mut table = int_table();
        table.columns[0].ty.unsigned = unsigned;
        let key_type = table.columns[0].ty.clone();
        let (mut mounter, mut out) = mounter(table);
        mounter.mount(&insert(&int_key(45, handle), &row_v2(&[(2, b"x")], &[])), &mut out).unwrap();
        let batch = out.finish();
        let image = Batch::parse(&batch).unwrap().row(0).unwrap().after().unwrap();
        assert_eq!(value_text(&image, 0, &key_type).unwrap(), want.as_bytes());
        assert_eq!(image.str(1), Some("x"));
    }
}

#[test]
fn ops_have_their_images() {
    let (mut mounter, mut out) = mounter(int_table());
    let (key, new, old) = (int_key(45, 1), row_v2(&[(2, b"new")], &[]), row_v2(&[(2, b"old")], &[]));
    let delete = RawChange { op: ChangeOp::Delete, ..update(&key, b"", &old) };
    for change in [insert(&key, &new), update(&key, &new, &old), delete.clone()] {
        assert_eq!(mounter.mount(&change, &mut out).unwrap().rows, 1);
    }
    let nothing = RawChange { old_value: Default::default(), ..delete };
    assert_eq!(mounter.mount(&nothing, &mut out).unwrap(), Mounted::default(), "a delete of nothing writes nothing");
    let batch = out.finish();
    let batch = Batch::parse(&batch).unwrap();
    let seen: Vec<_> = batch
        .iter()
        .map(|row| (row.op(), row.after().and_then(|i| i.str(1)), row.before().and_then(|i| i.str(1))))
        .collect();
    assert_eq!(
        seen,
        [(Op::Insert, Some("new"), None), (Op::Update, Some("new"), Some("old")), (Op::Delete, None, Some("old"))]
    );
    let row = batch.row(0).unwrap();
    assert_eq!((row.commit_ts(), row.start_ts(), batch.table()), (42, 41, 45));
}

#[test]
fn an_update_that_changes_its_key_can_be_split() {
    // The unique key is `v`; rows are stored under a hidden row id.
    let keyed = || with_key(TableVersion { handle: TableKey::RowId, ..int_table() }, vec![1]);
    let row = |id: u8, v: &[u8]| row_v2(&[(1, &[id]), (2, v)], &[]);
    let key = int_key(45, 9);
    let cases = [
        (row(1, b"a"), row(2, b"a"), false),
        (row(1, b"a"), row(1, b"b"), true),
        (row(1, b""), row_v2(&[(1, &[1])], &[2]), true),
    ];
    for (old, new, changed) in cases {
        let change = update(&key, &new, &old);
        let (mut mounter, mut out) = mounter(keyed());
        let whole = mounter.mount(&change, &mut out).unwrap();
        assert_eq!((whole.rows, whole.key_changed), (1, changed));
        out.reset();
        let split = mounter.mount_split(&change, &mut out).unwrap();
        assert_eq!((split.rows, split.key_changed), (1 + u8::from(changed), changed));
        let batch = out.finish();
        let rows: Vec<_> = Batch::parse(&batch).unwrap().iter().map(|row| (row.op(), row.flags())).collect();
        let split = row_flags::SPLIT_UPDATE;
        assert_eq!(rows, if changed { vec![(Op::Delete, split), (Op::Insert, split)] } else { vec![(Op::Update, 0)] });
    }
}

#[test]
fn rows_of_partitions_are_taken_and_of_others_refused() {
    let mut table = int_table();
    table.partitions = vec![(TableId(46), "p0".to_owned()), (TableId(47), "p1".to_owned())];
    let (mut mounter, mut out) = mounter(table);
    let row = row_v2(&[(2, b"x")], &[]);
    for (id, ok) in [(46, true), (47, true), (45, false), (46, true), (48, false)] {
        let result = mounter.mount(&insert(&int_key(id, 1), &row), &mut out);
        assert_eq!(result.is_ok(), ok, "{id}");
        assert!(ok || matches!(result, Err(MountError::Key { .. })));
    }
    assert_eq!(out.rows(), 3);
}

#[test]
fn unknown_columns_are_told() {
    let (mut mounter, mut out) = mounter(int_table());
    let key = int_key(45, 1);
    let known = row_v2(&[(2, b"x")], &[]);
    let cases = [
        (row_v2(&[(2, b"x"), (3, b"y")], &[]), 1),
        (row_v2(&[(2, b"x")], &[3, 4]), 2),
        (row_v2(&[(3, b"y")], &[2]), 1),
        // Format 1: ids 2 and 9.
        (b"\x08\x04\x02\x02x\x08\x12\x08\x02".to_vec(), 1),
    ];
    for (row, unknown) in cases {
        for change in [insert(&key, &row), update(&key, &known, &row), update(&key, &row, &known)] {
            assert_eq!(mounter.mount(&change, &mut out).unwrap().unknown_columns, unknown);
        }
    }
}

#[test]
fn timestamps_are_written_in_the_zone_that_was_asked_for() {
    let zone = |name| TimestampZone::Zone(TimeZone::get(name).unwrap());
    let cases = [
        (TimestampZone::Utc, "2020-02-20 02:20:20"),
        (zone("Asia/Shanghai"), "2020-02-20 10:20:20"),
        (zone("America/New_York"), "2020-02-19 21:20:20"),
    ];
    for (timestamp_zone, want) in cases {
        let mut table = int_table();
        for id in [3, 4, 5, 6] {
            table.columns.push(column(id, ty(if id == 4 { TypeCode::DateTime } else { TypeCode::Timestamp })));
        }
        table.columns[5].origin_default = Some(b"2020-02-20 02:20:20".to_vec());
        let options = MountOptions { timestamp_zone, verify_checksum: false };
        let mut mounter = TableMounter::new(Arc::new(table.clone()), options).unwrap();
        let mut out = mounter.writer(1, 0);
        let packed = 1_848_068_099_308_257_280_u64.to_le_bytes();
        let row = row_v2(&[(3, &packed), (4, &packed), (5, &[0])], &[2]);
        mounter.mount(&insert(&int_key(45, 1), &row), &mut out).unwrap();
        let batch = out.finish();
        let image = Batch::parse(&batch).unwrap().row(0).unwrap().after().unwrap();
        let text = |col: usize| String::from_utf8(value_text(&image, col, &table.columns[col].ty).unwrap()).unwrap();
        assert_eq!(text(2), want);
        assert_eq!(text(3), "2020-02-20 02:20:20", "wall clocks do not move");
        assert_eq!(text(4), "0000-00-00 00:00:00");
        assert_eq!(text(5), want, "defaults move too");
    }
}

#[test]
fn virtual_columns_are_left_out_and_positions_close_up() {
    let mut table = int_table();
    table.columns[0].flags.generated_virtual = true;
    table.handle = TableKey::RowId;
    let (mounter, _) = mounter(table);
    assert_eq!(mounter.positions(), [1]);
    assert_eq!(mounter.columns()[0].position, 0);
}

#[test]
fn errors_name_what_they_are_about_and_leave_no_row() {
    let (mut mounter, mut out) = mounter(int_table());
    let key = int_key(45, 1);
    let good = row_v2(&[(2, b"x")], &[]);
    mounter.mount(&insert(&key, &good), &mut out).unwrap();
    let len = out.len_bytes();
    let mut unordered = row_v2(&[(3, b"x"), (2, b"y")], &[]);
    unordered[6..8].copy_from_slice(&[1, 1]);
    let cases: Vec<(RawChange, u16, &str)> = vec![
        (insert(b"m", &good), 1401, "test.t"),
        (insert(&key, &[128, 0, 9]), 1402, "42"),
        (insert(&key, b""), 1402, "42"),
        (insert(&key, &unordered), 1403, "`v`"),
        (insert(&key, b"\x08\x04\x05\0\0\0\0\0\0\0\0"), 1403, "`v`"),
        (update(&key, &good, &row_v2(&[(1, b"abc")], &[])), 1403, "`id`"),
        (update(&key, &good, b""), 1402, "test.t"),
        (insert(&[&key[..11], b"\x01abc\0\0\0\0\0\xfa"].concat(), &good), 1403, "`id`"),
    ];
    for (change, code, part) in cases {
        let error = mounter.mount_split(&change, &mut out).unwrap_err();
        assert_eq!(error.code().0, code, "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(CODES.iter().any(|page| page.code == error.code()));
        assert_eq!((out.rows(), out.len_bytes()), (1, len), "{error}");
    }
}

#[test]
fn a_full_batch_takes_neither_half_of_a_split() {
    let table = with_key(TableVersion { handle: TableKey::RowId, ..int_table() }, vec![0]);
    let mut info = table.clone();
    info.columns[1].ty.code = TypeCode::LongBlob;
    let (mut mounter, mut out) = mounter(info);
    // Both halves together exceed a batch, either alone does not.
    let big = vec![b'x'; 9 << 20];
    let row = |id: u8| {
        let mut row = vec![128, 1, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0];
        row.extend(((big.len() + 1) as u32).to_le_bytes());
        row.push(id);
        row.extend(&big);
        row
    };
    let mut change = update(&int_key(45, 1), &row(1), &row(2));
    change.commit_ts = Ts::new(77);
    let error = mounter.mount_split(&change, &mut out).unwrap_err();
    assert!(error.is_retryable() && error.code().0 == 1406, "{error}");
    assert_eq!(out.rows(), 0);
}
