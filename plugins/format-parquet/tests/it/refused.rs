//! What no file can hold, and that the rows before and after it are there whole.

use super::{file, one_row};
use std::sync::Arc;
use tg_format_common::{ChangeEvent, Datum, EncodeError};
use tg_format_fixtures::{columns, plain_table, table, wide_rows};
use tg_format_parquet::{GROUP_BYTES_MAX, GROUP_ROWS_MAX, Options, Parquet, ZeroDates, decode};
use tgr1::{Batch, PackedTime};
use tidegate_sdk::TableSchema;

/// Some columns of the table of all types, without a key.
fn only(names: &[&str]) -> TableSchema {
    let mut all = columns();
    all.retain(|c| names.contains(&c.name.as_str()));
    table("some", all)
}

fn reason(result: Result<Vec<u8>, EncodeError>) -> String {
    match result.unwrap_err() {
        EncodeError::Value { column, reason, .. } => format!("{column}: {reason}"),
        other => other.to_string(),
    }
}

fn first_value(content: &[u8]) -> Datum {
    let ChangeEvent::Row(row) = decode(content).unwrap().remove(0) else { panic!() };
    row.after.unwrap().remove(0).value
}

#[test]
fn a_date_in_no_calendar() {
    for name in ["da", "dt6", "ts3"] {
        let mut schema = only(&[name]);
        for packed in [PackedTime::ZERO, PackedTime::from_parts(2023, 2, 30, 0, 0, 0, 0).unwrap()] {
            let batch = one_row(&schema, |out| out.put_u64(0, packed.0));
            assert!(reason(file(Options::default(), &schema, &batch)).contains("zero-dates"));
            let null = Options { zero_dates: ZeroDates::Null, ..Options::default() };
            assert_eq!(first_value(&file(null, &schema, &batch).unwrap()), Datum::Null);
            schema.columns[0].props.nullable = false;
            assert!(reason(file(null, &schema, &batch)).contains("in no calendar"));
            schema.columns[0].props.nullable = true;
        }
    }
}

#[test]
fn values_that_are_not_their_types() {
    for (name, bytes, why) in [("tx", &b"\xff"[..], "UTF-8"), ("de", b"1e5", "digits"), ("j", b"\"\x80\"", "UTF-8")] {
        let schema = only(&[name]);
        let batch = one_row(&schema, |out| out.put_bytes(0, bytes));
        assert!(reason(file(Options::default(), &schema, &batch)).contains(why), "{name}");
    }
    let mut schema = only(&["ii"]);
    let wide = one_row(&schema, |out| out.put_i64(0, i64::MAX));
    assert!(reason(file(Options::default(), &schema, &wide)).contains("greater"));
    schema.columns[0].props.nullable = false;
    assert!(reason(file(Options::default(), &schema, &one_row(&schema, |_| ()))).contains("NULL"));
}

#[test]
fn a_column_with_the_name_of_a_change_column() {
    let mut schema = only(&["tx"]);
    schema.columns[0].name = "TiCDC-meta$Table".to_owned();
    assert!(matches!(Parquet::new(Options::default()).table(Arc::new(schema)), Err(EncodeError::Config(_))));
}

#[test]
fn a_refused_row_leaves_nothing_behind() {
    // The bad value comes last, when all other columns have theirs.
    let mut schema = only(&["tx", "ii", "vb", "da"]);
    schema.columns.sort_by_key(|c| c.name == "da");
    let row = |n: i64, date: PackedTime| {
        one_row(&schema, |out| {
            let at = |name: &str| schema.columns.iter().position(|c| c.name == name).unwrap();
            out.put_bytes(at("tx"), format!("text {n}").as_bytes());
            out.put_i64(at("ii"), n);
            out.put_u64(at("da"), date.0);
        })
    };
    let good = PackedTime::from_parts(2026, 1, 2, 0, 0, 0, 0).unwrap();
    let mut encoder = Parquet::new(Options { output_old_value: true, ..Options::default() });
    encoder.table(Arc::new(schema.clone())).unwrap();
    let mut open = encoder.open(schema.id).unwrap();
    for n in 0..30 {
        let batch = row(n, if n % 3 == 1 { PackedTime::ZERO } else { good });
        let before = open.len_bytes();
        let pushed = encoder.row(schema.id, &Batch::parse(&batch).unwrap().row(0).unwrap(), &mut open);
        assert_eq!(pushed.is_err(), n % 3 == 1);
        assert_eq!(open.len_bytes() == before, n % 3 == 1);
    }
    let content = open.finish().unwrap();
    let numbers: Vec<Datum> = decode(&content)
        .unwrap()
        .into_iter()
        .map(|event| {
            let ChangeEvent::Row(row) = event else { panic!() };
            row.after.unwrap().into_iter().find(|f| f.name == "ii").unwrap().value
        })
        .collect();
    assert_eq!(numbers, (0..30).filter(|n| n % 3 != 1).map(Datum::Int).collect::<Vec<_>>());
}

#[test]
fn row_groups_are_bounded_and_files_small() {
    let schema = plain_table();
    let batch = wide_rows(&schema, 10_000);
    let batch = Batch::parse(&batch).unwrap();
    let mut encoder = Parquet::new(Options::default());
    encoder.table(Arc::new(schema.clone())).unwrap();
    let mut open = encoder.open(schema.id).unwrap();
    let mut rows = 0;
    let mut greatest = 0;
    while rows < 150_000 {
        for row in &batch {
            encoder.row(schema.id, &row, &mut open).unwrap();
            greatest = greatest.max(open.len_bytes());
            rows += 1;
        }
    }
    let content = open.finish().unwrap();
    assert!(greatest < GROUP_BYTES_MAX + content.len(), "{greatest} bytes were held for a file of {}", content.len());
    let groups =
        parquet::file::metadata::ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(content)).unwrap();
    let counts: Vec<i64> = groups.row_groups().iter().map(|g| g.num_rows()).collect();
    assert!(counts.len() > 1 && counts.iter().sum::<i64>() == 150_000, "{counts:?}");
    for group in groups.row_groups() {
        assert!(group.num_rows() <= GROUP_ROWS_MAX as i64 && group.total_byte_size() <= GROUP_BYTES_MAX as i64);
    }
}
