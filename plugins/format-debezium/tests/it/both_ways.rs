//! What was encoded reads back, as far as the format keeps it, and arbitrary bytes are an error.

use proptest::prelude::*;
use tg_format_common::{ChangeEvent, Column, Datum, Encoder, Messages, RowChange, value};
use tg_format_debezium::{Debezium, Options, decode, decode_key};
use tg_format_fixtures::{datum, encoded, expected, sorted};
use tgr1::{Logical, Value};

fn options() -> Options {
    Options { enable_tidb_extension: true, ..Options::default() }
}

/// What the format keeps of a value.
fn kept(column: &Column, of: Value<'_>) -> Datum {
    let mut out = Vec::new();
    match (column.spec.logical, of) {
        (Logical::Enum, Value::UInt(number)) => value::enum_name(&mut out, column, number),
        (Logical::Set, Value::UInt(bits)) => value::set_names(&mut out, column, bits),
        (Logical::Decimal, Value::Bytes(text)) => {
            return Datum::Float(std::str::from_utf8(text).unwrap().parse().unwrap());
        }
        (Logical::UInt, Value::UInt(value)) if i64::try_from(value).is_err() => return Datum::Int(-1),
        _ => return datum(column, of),
    }
    Datum::Text(String::from_utf8(out).unwrap())
}

fn decoded(messages: &Messages) -> Vec<RowChange> {
    let read =
        |m: tg_format_common::Message<'_>| decode(&decode_key(m.key.unwrap()).unwrap(), m.value.unwrap()).unwrap();
    messages.iter().map(|m| sorted(read(m))).collect()
}

#[test]
fn without_schemas_values_are_json() {
    let messages = encoded(&mut Debezium::new(Options { disable_schema: true, ..Options::default() }), 4);
    let text = String::from_utf8(messages.get(0).unwrap().value.unwrap().to_vec()).unwrap();
    assert!(!text.contains("\"schema\":"), "{text}");
    let rows = decoded(&messages);
    assert_eq!(rows.len(), 12);
    assert!(rows.iter().flat_map(|row| row.after.iter().flatten()).all(|f| f.ty.is_none()));
}

#[test]
fn old_values_and_start_ts_are_options() {
    let options = Options { output_old_value: false, include_start_ts: true, ..options() };
    let messages = encoded(&mut Debezium::new(options), 4);
    assert!(decoded(&messages).iter().all(|row| row.after.is_none() || row.before.is_none()));
    let text = String::from_utf8(messages.get(0).unwrap().value.unwrap().to_vec()).unwrap();
    assert!(text.contains(",\"start_ts\":"), "{text}");
}

#[test]
fn watermarks() {
    let mut out = Messages::new();
    Debezium::new(options()).watermark(77, 9, &mut out).unwrap();
    let message = out.get(0).unwrap();
    assert_eq!(decode_key(message.key.unwrap()), Ok(Vec::new()));
    assert_eq!(decode(&[], message.value.unwrap()), Ok(ChangeEvent::Watermark(77)));
    Debezium::new(Options::default()).watermark(77, 9, &mut out).unwrap();
    assert_eq!(out.len(), 1, "none without the extension");
}

proptest! {
    #[test]
    fn rows_read_back(seed: u64) {
        let messages = encoded(&mut Debezium::new(options()), seed);
        let want = expected(seed, kept);
        prop_assert_eq!(decoded(&messages), want);
    }

    #[test]
    fn other_bytes_are_an_error(seed: u64, at: usize, byte: u8) {
        let messages = encoded(&mut Debezium::new(options()), seed);
        let mut value = messages.get(0).unwrap().value.unwrap().to_vec();
        prop_assert!(decode(&[], &value[..at % value.len()]).is_err());
        let at = at % value.len();
        value[at] = byte;
        let _ = decode(&[], &value);
        let _ = decode_key(&value);
    }
}
