//! What was encoded reads back with its schemas, and arbitrary bytes are an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tg_format_avro::{Avro, BigintUnsigned, DecimalMode, Decoder, Options, Registry, SchemaId, SchemaText};
use tg_format_common::{ChangeEvent, Column, Datum, Encoder, Messages, RowChange, value};
use tg_format_fixtures::{columns, datum, encoded, expected, rows, sorted, table};
use tgr1::{Batch, Logical, Op, Value};
use tidegate_sdk::{ColumnProps, DdlEvent, DdlKind, Position};

/// A registry in memory: ids in order, by subject and text.
#[derive(Clone, Default)]
struct Schemas(Arc<Mutex<BTreeMap<(String, String), u32>>>);

impl Registry for Schemas {
    fn schema_id(&mut self, subject: &str, schema: &str) -> Result<SchemaId, String> {
        let mut all = self.0.lock().unwrap();
        let next = all.len() as u32 + 1;
        Ok(SchemaId::Confluent(*all.entry((subject.to_owned(), schema.to_owned())).or_insert(next)))
    }
}

impl SchemaText for Schemas {
    fn text(&self, id: &SchemaId) -> Option<String> {
        let all = self.0.lock().unwrap();
        all.iter().find(|(_, known)| SchemaId::Confluent(**known) == *id).map(|((_, text), _)| text.clone())
    }
}

fn encoder(options: Options, schemas: &Schemas) -> Avro<Schemas> {
    Avro::new(options, Box::new(|schema, table| format!("{schema}.{table}")), schemas.clone())
}

fn with_everything() -> Options {
    Options { enable_tidb_extension: true, include_before: true, ..Options::default() }
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

/// A decoded row with types told apart no further than the format does.
fn plainly(mut row: RowChange) -> RowChange {
    for field in row.after.iter_mut().chain(row.before.iter_mut()).flatten() {
        field.ty = None;
    }
    row
}

fn decoded(schemas: &Schemas, messages: &Messages) -> Vec<RowChange> {
    let mut decoder = Decoder::new(schemas.clone());
    messages.iter().map(|m| plainly(sorted(decoder.decode(m.key, m.value).unwrap()))).collect()
}

#[test]
fn subjects_and_headers() {
    let schemas = Schemas::default();
    let messages = encoded(&mut encoder(Options::default(), &schemas), 1);
    let subjects: Vec<String> = schemas.0.lock().unwrap().keys().map(|(subject, _)| subject.clone()).collect();
    assert_eq!(subjects, ["shop_all-key", "shop_all-value"]);
    let message = messages.get(0).unwrap();
    assert_eq!(
        (&message.key.unwrap()[..5], &message.value.unwrap()[..5]),
        (&[0, 0, 0, 0, 1][..], &[0, 0, 0, 0, 2][..])
    );
    let text = schemas.text(&SchemaId::Confluent(2)).unwrap();
    for part in [
        r#""logicalType":"decimal","precision":20,"scale":4"#,
        r#""allowed":"a,b\\,c,含","tidb_type":"ENUM""#,
        r#""length":"9","tidb_type":"BIT""#,
        r#""namespace":"default.shop""#,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn deletes_are_tombstones() {
    let schemas = Schemas::default();
    let messages = encoded(&mut encoder(Options::default(), &schemas), 1);
    let rows = decoded(&schemas, &messages);
    for (message, (row, want)) in messages.iter().zip(rows.iter().zip(expected(1, named))) {
        assert_eq!(message.value.is_none(), want.op == Op::Delete);
        assert_eq!((row.op == Op::Delete, row.key_only), (want.op == Op::Delete, want.op == Op::Delete));
    }
}

#[test]
fn deletes_and_statements_for_tests() {
    let schemas = Schemas::default();
    let options = Options { enable_watermark: true, ..Options::default() };
    let messages = encoded(&mut encoder(options.clone(), &schemas), 1);
    for (row, want) in decoded(&schemas, &messages).iter().zip(expected(1, named)) {
        let commit_ts = (want.op == Op::Delete).then_some(want.commit_ts).flatten();
        assert_eq!((row.op == Op::Delete, row.commit_ts), (want.op == Op::Delete, commit_ts));
    }
    let ddl = DdlEvent {
        at: Position { ts: 77, stage: 1, seq: 0 },
        kind: DdlKind::CreateTable,
        database: "shop".to_owned(),
        table: "all".to_owned(),
        query: "CREATE TABLE `shop`.`all` (id INT PRIMARY KEY)".to_owned(),
        before: None,
        after: None,
        maybe_done: false,
        attrs: vec![("action".to_owned(), "3".to_owned())],
    };
    let mut out = Messages::new();
    encoder(options, &schemas).ddl(&ddl, 9, &mut out).unwrap();
    let read = Decoder::new(schemas).decode(None, out.get(0).unwrap().value).unwrap();
    let ChangeEvent::Ddl(read) = read else { panic!("{read:?}") };
    assert_eq!((read.database.as_str(), read.table.as_str(), read.commit_ts), ("shop", "all", Some(77)));
    assert_eq!((read.query, read.kind.as_str()), (ddl.query, "3"));
}

#[test]
fn without_a_key_no_column_is_in_it() {
    let mut columns = columns();
    columns.iter_mut().for_each(|c| c.props = ColumnProps { primary_key: false, row_key: false, ..c.props });
    let schema = Arc::new(table("bare", columns));
    let data = rows(&schema, 1, 1);
    let (schemas, mut out) = (Schemas::default(), Messages::new());
    let mut avro = encoder(with_everything(), &schemas);
    avro.table(Arc::clone(&schema), None).unwrap();
    avro.row(schema.id, &Batch::parse(&data).unwrap().row(0).unwrap(), 9, &mut out).unwrap();
    let message = out.get(0).unwrap();
    let row = sorted(Decoder::new(schemas).decode(message.key, message.value).unwrap());
    assert!(message.key.is_none() && row.after.unwrap().iter().all(|f| !f.key));
}

#[test]
fn checkpoints_for_tests() {
    let schemas = Schemas::default();
    let mut out = Messages::new();
    encoder(Options { enable_watermark: true, ..Options::default() }, &schemas).watermark(77, 9, &mut out).unwrap();
    let value = out.get(0).unwrap().value;
    assert_eq!(Decoder::new(schemas.clone()).decode(None, value), Ok(ChangeEvent::Watermark(77)));
    encoder(Options::default(), &schemas).watermark(77, 9, &mut out).unwrap();
    assert_eq!(out.len(), 1, "none without the option");
}

proptest! {
    #[test]
    fn rows_read_back(seed: u64) {
        let as_text = Options { decimal: DecimalMode::String, bigint_unsigned: BigintUnsigned::String, ..with_everything() };
        for options in [with_everything(), as_text] {
            let schemas = Schemas::default();
            let messages = encoded(&mut encoder(options, &schemas), seed);
            let want: Vec<_> = expected(seed, named).into_iter().map(plainly).collect();
            prop_assert_eq!(decoded(&schemas, &messages), want);
        }
    }

    #[test]
    fn other_bytes_are_an_error(seed: u64, at: usize, byte: u8, noise in proptest::collection::vec(any::<u8>(), 0..64)) {
        let schemas = Schemas::default();
        let messages = encoded(&mut encoder(with_everything(), &schemas), seed);
        let mut decoder = Decoder::new(schemas);
        let message = messages.get(0).unwrap();
        let mut value = message.value.unwrap().to_vec();
        prop_assert!(decoder.decode(message.key, Some(&value[..at % value.len()])).is_err());
        let at = at % value.len();
        value[at] = byte;
        let _ = decoder.decode(message.key, Some(&value));
        let _ = decoder.decode(Some(&noise), Some(&noise));
    }
}
