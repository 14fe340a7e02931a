//! Files read back with every option, and damaged ones are an error.

use super::file;
use proptest::prelude::*;
use tg_format_common::{Column, Datum, RowChange, value};
use tg_format_fixtures::{all_types, datum, expected, rows, sorted};
use tg_format_parquet::{FileError, Options, decode};
use tgr1::{Logical, Value};

/// What [`expected`] answers has so many rows.
const ROWS: usize = 12;
const ALL: Options = Options {
    include_commit_ts: true,
    output_old_value: true,
    column_ids: true,
    zero_dates: tg_format_parquet::ZeroDates::Refuse,
};

/// Members by their names.
fn named(column: &Column, of: Value<'_>) -> Datum {
    let mut out = Vec::new();
    match (column.spec.logical, of) {
        (Logical::Enum, Value::UInt(number)) => value::enum_name(&mut out, column, number),
        (Logical::Set, Value::UInt(bits)) => value::set_names(&mut out, column, bits),
        _ => return datum(column, of),
    }
    Datum::Text(String::from_utf8(out).unwrap())
}

fn written(options: Options, seed: u64) -> Vec<u8> {
    let schema = all_types();
    file(options, &schema, &rows(&schema, seed, ROWS)).unwrap()
}

fn read(content: &[u8]) -> Vec<RowChange> {
    decode(content).unwrap().into_iter().map(sorted).collect()
}

#[test]
fn without_old_values_an_update_is_one_row() {
    let options = Options { output_old_value: false, ..ALL };
    let want = expected(5, named).into_iter().map(|row| match row.after {
        Some(_) => RowChange { before: None, ..row },
        None => row,
    });
    assert_eq!(read(&written(options, 5)), want.collect::<Vec<_>>());
}

#[test]
fn without_commit_ts_there_is_none() {
    let options = Options { include_commit_ts: false, ..ALL };
    assert!(read(&written(options, 5)).iter().all(|row| row.commit_ts.is_none()));
}

/// Hexadecimal digits in a line of the file that is kept.
const LINE_DIGITS: usize = 128;

/// The file lies beside this one as version 1 wrote it, in hexadecimal; `TIDEGATE_UPDATE_GOLDEN=1` writes it anew.
#[test]
fn a_file_of_version_1_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/v1.hex");
    if std::env::var_os("TIDEGATE_UPDATE_GOLDEN").is_some() {
        let digits = hex::encode(written(ALL, 42)).into_bytes();
        let lines = digits.chunks(LINE_DIGITS).flat_map(|line| [line, b"\n".as_slice()].concat());
        std::fs::write(path, lines.collect::<Vec<u8>>()).unwrap();
    }
    let digits = std::fs::read_to_string(path).unwrap().replace('\n', "");
    assert_eq!(read(&hex::decode(digits).unwrap()), expected(42, named));
}

#[test]
fn a_file_without_rows_is_read() {
    let schema = all_types();
    let content = file(ALL, &schema, &rows(&schema, 1, 0)).unwrap();
    assert_eq!(decode(&content).unwrap(), []);
    assert!(matches!(decode(b"PAR1PAR1"), Err(FileError::Damaged(_))));
}

proptest! {
    #[test]
    fn rows_read_back(seed: u64) {
        prop_assert_eq!(read(&written(ALL, seed)), expected(seed, named));
    }

    #[test]
    fn other_bytes_are_an_error(seed: u64, at: usize, byte: u8, noise in proptest::collection::vec(any::<u8>(), 1..64)) {
        let mut content = written(ALL, seed);
        prop_assert!(decode(&content[..content.len() - 1]).is_err());
        prop_assert!(decode(&noise).is_err());
        let at = at % content.len();
        content[at] = byte;
        let _ = decode(&content);
    }
}
