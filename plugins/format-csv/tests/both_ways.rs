//! Files read back with every option, and arbitrary bytes are an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use std::sync::Arc;
use tg_format_common::{Column, Datum, RowChange, Table, value};
use tg_format_csv::{Binary, Csv, Decoder, Options};
use tg_format_fixtures::{all_types, datum, encoded, expected, sorted};
use tgr1::{Logical, Value};

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

fn file(options: &Options, seed: u64) -> Vec<u8> {
    let mut encoder = Csv::new(options.clone()).unwrap();
    let messages = encoded(&mut encoder, seed);
    let mut content = Vec::new();
    encoder.header(all_types().id, &mut content).unwrap();
    messages.iter().for_each(|m| content.extend_from_slice(m.value.unwrap()));
    content
}

fn read(options: &Options, content: &[u8]) -> Vec<RowChange> {
    let table = Table::new(Arc::new(all_types()), None).unwrap();
    Decoder::new(options, &table).file(content).unwrap().into_iter().map(sorted).collect()
}

fn variants() -> Vec<Options> {
    let all = Options { include_commit_ts: true, output_old_value: true, ..Options::default() };
    vec![
        all.clone(),
        Options { binary: Binary::Hex, output_field_header: true, ..all.clone() },
        Options { delimiter: "|;|".to_owned(), quote: Some(b'\''), null: "NULL".to_owned(), ..all.clone() },
        Options { quote: None, terminator: "\n".to_owned(), ..all.clone() },
        Options { quote: None, delimiter: "\t".to_owned(), ..all },
    ]
}

#[test]
fn without_old_values_an_update_is_one_line() {
    let options = Options { include_commit_ts: true, ..Options::default() };
    let want = expected(5, named).into_iter().map(|row| match row.after {
        Some(_) => RowChange { before: None, ..row },
        None => row,
    });
    assert_eq!(read(&options, &file(&options, 5)), want.collect::<Vec<_>>());
}

#[test]
fn names_of_the_fields() {
    let options =
        Options { include_commit_ts: true, output_old_value: true, output_field_header: true, ..Options::default() };
    let content = String::from_utf8(file(&options, 1)).unwrap();
    let head = "\"ticdc-meta$operation\",\"ticdc-meta$table\",\"ticdc-meta$schema\",\"ticdc-meta$commit-ts\",\"ticdc-meta$is-update\",\"id\",\"k\",";
    assert!(content.starts_with(head), "{content}");
}

#[test]
fn options_that_exclude_each_other() {
    let of = |delimiter: &str, quote| Options { delimiter: delimiter.to_owned(), quote, ..Options::default() };
    for bad in [of("", None), of("abcd", None), of("\n", None), of("a\"", Some(b'"')), of(",", Some(b'\n'))] {
        assert!(Csv::new(bad.clone()).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn rows_read_back(seed: u64) {
        for options in variants() {
            prop_assert_eq!(read(&options, &file(&options, seed)), expected(seed, named), "{:?}", options);
        }
    }

    #[test]
    fn other_bytes_are_an_error(seed: u64, at: usize, byte: u8, noise in proptest::collection::vec(any::<u8>(), 1..64)) {
        let table = Table::new(Arc::new(all_types()), None).unwrap();
        for options in variants() {
            let decoder = Decoder::new(&options, &table);
            let mut content = file(&options, seed);
            prop_assert!(decoder.file(&content[..content.len() - 1]).is_err());
            let at = at % content.len();
            content[at] = byte;
            let _ = decoder.file(&content);
            let _ = decoder.file(&noise);
        }
    }
}
