//! What was encoded reads back with its schemas, and arbitrary bytes are an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tg_format_avro::{BigintUnsigned, DecimalMode, Registry, SchemaId, SchemaText};
use tg_format_common::{Column, Datum, Encoder, Messages, RowChange, value};
use tg_format_debezium_avro::{DebeziumAvro, Decoder, Options};
use tg_format_fixtures::{all_types, datum, encoded, expected, rows, sorted};
use tgr1::{Batch, Logical, Value};

/// A registry in memory that gives Glue's ids.
#[derive(Clone, Default)]
struct Schemas(Arc<Mutex<BTreeMap<(String, String), u8>>>);

impl Registry for Schemas {
    fn schema_id(&mut self, subject: &str, schema: &str) -> Result<SchemaId, String> {
        let mut all = self.0.lock().unwrap();
        let next = all.len() as u8 + 1;
        Ok(SchemaId::Glue([*all.entry((subject.to_owned(), schema.to_owned())).or_insert(next); 16]))
    }
}

impl SchemaText for Schemas {
    fn text(&self, id: &SchemaId) -> Option<String> {
        let all = self.0.lock().unwrap();
        all.iter().find(|(_, known)| SchemaId::Glue([**known; 16]) == *id).map(|((_, text), _)| text.clone())
    }
}

fn options() -> Options {
    Options { bigint_unsigned: BigintUnsigned::String, ..Options::default() }
}

fn encoder(options: Options, schemas: &Schemas) -> DebeziumAvro<Schemas> {
    DebeziumAvro::new(options, Box::new(|schema, table| format!("{schema}.{table}")), schemas.clone())
}

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

/// NULL does not say of which type it is.
fn plainly(mut row: RowChange) -> RowChange {
    for field in row.after.iter_mut().chain(row.before.iter_mut()).flatten() {
        field.ty = field.ty.filter(|_| field.value != Datum::Null);
    }
    row
}

fn decoded(schemas: &Schemas, messages: &Messages) -> Vec<RowChange> {
    let mut decoder = Decoder::new(schemas.clone());
    messages.iter().map(|m| plainly(sorted(decoder.decode(m.key, m.value.unwrap()).unwrap()))).collect()
}

#[test]
fn names_of_records_and_old_values() {
    let schemas = Schemas::default();
    let messages = encoded(&mut encoder(Options { output_old_value: false, ..options() }, &schemas), 1);
    let texts: Vec<String> = schemas.0.lock().unwrap().keys().map(|(_, text)| text.clone()).collect();
    assert!(texts[0].contains(r#""name":"allKey","namespace":"default.shop""#), "{}", texts[0]);
    assert!(texts[1].contains(r#""name":"allEnvelope","namespace":"default.shop""#), "{}", texts[1]);
    assert!(decoded(&schemas, &messages).iter().all(|row| row.after.is_none() || row.before.is_none()));
}

#[test]
fn a_long_that_is_too_small_is_an_error() {
    let schema = Arc::new(all_types());
    let mut encoder = encoder(Options::default(), &Schemas::default());
    encoder.table(Arc::clone(&schema), None).unwrap();
    let mut out = Messages::new();
    let mut codes = Vec::new();
    for row in &Batch::parse(&rows(&schema, 1, 40)).unwrap() {
        codes.extend(encoder.row(schema.id, &row, 0, &mut out).err().map(|error| error.code()));
    }
    assert!(codes.len() > 5 && codes.iter().all(|code| *code == "value-not-encodable"), "{codes:?}");
    assert_eq!(codes.len() + out.len(), 40);
}

proptest! {
    #[test]
    fn rows_read_back(seed: u64) {
        for options in [options(), Options { decimal: DecimalMode::String, ..options() }] {
            let schemas = Schemas::default();
            let messages = encoded(&mut encoder(options, &schemas), seed);
            let want: Vec<_> = expected(seed, named).into_iter().map(plainly).collect();
            prop_assert_eq!(decoded(&schemas, &messages), want);
        }
    }

    #[test]
    fn other_bytes_are_an_error(seed: u64, at: usize, byte: u8, noise in proptest::collection::vec(any::<u8>(), 0..64)) {
        let schemas = Schemas::default();
        let messages = encoded(&mut encoder(options(), &schemas), seed);
        let mut decoder = Decoder::new(schemas);
        let message = messages.get(0).unwrap();
        let mut value = message.value.unwrap().to_vec();
        prop_assert!(decoder.decode(message.key, &value[..at % value.len()]).is_err());
        let at = at % value.len();
        value[at] = byte;
        let _ = decoder.decode(message.key, &value);
        let _ = decoder.decode(Some(&noise), &noise);
    }
}
