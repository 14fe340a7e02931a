//! The dispatcher in-process, on tables and batches made here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;
use tg_plugin_dispatcher::KeyDispatcher;
use tgr1::{Batch, BatchWriter, ColumnSpec, ImageKind, Logical, Op};
use tidegate_sdk::{
    Column, ColumnProps, Context, Decisions, Dispatcher, Failure, Index, LogicalType, RowBatch, TableRef, TableSchema,
};

const LANES: u32 = 16;

/// A key value.
#[derive(Clone, Copy)]
enum Key<'a> {
    Int(i64),
    Float(f64),
    Str(&'a str),
}

struct Lent(TableRef, u32);

impl RowBatch for Lent {
    fn table(&self) -> TableRef {
        self.0
    }
    fn row_count(&self) -> u32 {
        self.1
    }
    fn byte_size(&self) -> u32 {
        0
    }
    fn read(&self, _: Option<&[u32]>, _: u32, _: u32) -> Result<Vec<u8>, String> {
        Err("not here".to_owned())
    }
}

fn column(logical: LogicalType, collation: &str) -> Column {
    Column {
        id: 1,
        name: "k".to_owned(),
        logical,
        source_type: String::new(),
        props: ColumnProps { row_key: true, ..ColumnProps::default() },
        length: None,
        decimals: None,
        charset: String::new(),
        collation: collation.to_owned(),
        members: Vec::new(),
        default_value: None,
        attrs: Vec::new(),
    }
}

fn index(unique: bool, columns: &[u32]) -> Index {
    Index { name: "i".to_owned(), columns: columns.to_vec(), unique, primary: false }
}

/// A table whose columns all are its key.
fn keyed(columns: Vec<Column>) -> TableSchema {
    let key: Vec<u32> = (0..columns.len() as u32).collect();
    TableSchema {
        id: TableRef { table: 77, version: 1 },
        database: "test".to_owned(),
        name: "t".to_owned(),
        columns,
        indexes: vec![index(true, &key)],
        row_key: Some(0),
        charset: String::new(),
        collation: String::new(),
        attrs: Vec::new(),
    }
}

fn batch(logical: &[Logical], rows: &[Vec<Key<'_>>]) -> Vec<u8> {
    let specs: Vec<ColumnSpec> = (0u16..).zip(logical).map(|(i, l)| ColumnSpec::new(i, *l)).collect();
    let mut w = BatchWriter::new(77, 1, &specs, 4096);
    for row in rows {
        w.begin_row(9, 8, Op::Insert, 0);
        w.begin_image(ImageKind::After);
        for (i, v) in row.iter().enumerate() {
            match *v {
                Key::Int(n) => w.put_i64(i, n),
                Key::Float(f) => w.put_f64(i, f),
                Key::Str(s) => w.put_bytes(i, s.as_bytes()),
            }
        }
        w.end_row().unwrap();
    }
    w.finish()
}

fn dispatch(schema: &TableSchema, lanes: u32, data: &[u8]) -> Result<Decisions, Failure> {
    let mut d = KeyDispatcher::open(Context { lanes, ..Context::default() })?;
    d.on_schema(Arc::new(schema.clone()))?;
    d.dispatch(&Lent(schema.id, Batch::parse(data)?.len() as u32), data)
}

fn text_lanes(collation: &str, keys: &[&str]) -> Vec<u16> {
    let rows: Vec<Vec<Key<'_>>> = keys.iter().map(|k| vec![Key::Str(k)]).collect();
    let schema = keyed(vec![column(LogicalType::Text, collation)]);
    dispatch(&schema, LANES, &batch(&[Logical::Text], &rows)).unwrap().lanes
}

fn words() -> Vec<String> {
    (0..1000).map(|n| format!("w{n}")).collect()
}

/// How many lanes get rows.
fn spread_of(schema: &TableSchema) -> usize {
    let mut d = KeyDispatcher::open(Context { lanes: LANES, ..Context::default() }).unwrap();
    let plan = d.on_schema(Arc::new(schema.clone())).unwrap();
    let rows: Vec<Vec<Key<'_>>> = (0..1000).map(|n| vec![Key::Int(n)]).collect();
    let (logical, rows) = match plan.columns {
        Some(c) if c.is_empty() => (vec![], vec![vec![]; 1000]),
        _ => (vec![Logical::Int], rows),
    };
    let decided = dispatch(schema, LANES, &batch(&logical, &rows)).unwrap();
    decided.lanes.into_iter().collect::<BTreeSet<_>>().len().max(1)
}

#[test]
fn keys_of_byte_collations_are_spread_evenly() {
    let words = words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    for collation in ["utf8mb4_bin", "utf8mb4_0900_bin", "latin1_bin", "binary"] {
        let lanes = text_lanes(collation, &words);
        for lane in 0..LANES as u16 {
            let n = lanes.iter().filter(|l| **l == lane).count();
            assert!((30..110).contains(&n), "{collation}: lane {lane} has {n} of 1000");
        }
    }
}

#[test]
fn keys_of_other_collations_share_the_lane_of_their_table() {
    let words = words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    for collation in ["utf8mb4_general_ci", "utf8mb4_0900_ai_ci", "utf8mb4_unicode_ci", "gbk_chinese_ci", ""] {
        let lanes: BTreeSet<u16> = text_lanes(collation, &words).into_iter().collect();
        assert!(lanes.len() <= 1, "{collation}: {lanes:?}");
    }
}

#[test]
fn trailing_spaces_do_not_make_another_key_and_case_does() {
    let lanes = text_lanes("utf8mb4_bin", &["ab", "ab ", "ab        ", "", "   "]);
    assert!(lanes[0] == lanes[1] && lanes[1] == lanes[2] && lanes[3] == lanes[4], "{lanes:?}");
    let lower: Vec<String> = words();
    let upper: Vec<String> = lower.iter().map(|w| w.to_ascii_uppercase()).collect();
    let lanes = |w: &[String]| text_lanes("utf8mb4_bin", &w.iter().map(String::as_str).collect::<Vec<_>>());
    let differ = lanes(&lower).iter().zip(lanes(&upper)).filter(|(a, b)| **a != *b).count();
    assert!(differ > 800, "{differ}");
}

#[test]
fn bytes_keep_their_trailing_spaces() {
    let schema = keyed(vec![column(LogicalType::Bytes, "binary")]);
    let of = |key: &str| dispatch(&schema, u16::MAX.into(), &batch(&[Logical::Bytes], &[vec![Key::Str(key)]]));
    assert_ne!(of("ab").unwrap().lanes, of("ab ").unwrap().lanes);
}

#[test]
fn both_zeros_are_one_key() {
    let schema = keyed(vec![column(LogicalType::Float64, "")]);
    let rows = [vec![Key::Float(0.0)], vec![Key::Float(-0.0)]];
    let lanes = dispatch(&schema, u16::MAX.into(), &batch(&[Logical::Float64], &rows)).unwrap().lanes;
    assert_eq!(lanes[0], lanes[1]);
}

#[test]
fn values_do_not_shift_between_columns() {
    let schema = keyed(vec![column(LogicalType::Text, "utf8mb4_bin"), column(LogicalType::Text, "utf8mb4_bin")]);
    let rows = [vec![Key::Str("a"), Key::Str("bc")], vec![Key::Str("ab"), Key::Str("c")]];
    let lanes = dispatch(&schema, u16::MAX.into(), &batch(&[Logical::Text, Logical::Text], &rows)).unwrap().lanes;
    assert_ne!(lanes[0], lanes[1]);
}

#[test]
fn only_tables_whose_row_key_is_their_one_unique_key_are_spread() {
    let plain = keyed(vec![column(LogicalType::Int, "")]);
    assert_eq!(spread_of(&plain), LANES as usize);
    let mut not_unique = plain.clone();
    not_unique.indexes.push(index(false, &[0]));
    assert_eq!(spread_of(&not_unique), LANES as usize);
    let mut unique = plain.clone();
    unique.indexes.push(index(true, &[0]));
    let keyless = TableSchema { row_key: None, indexes: Vec::new(), ..plain.clone() };
    let hidden = TableSchema { attrs: vec![("hidden-keys".to_owned(), "true".to_owned())], ..plain };
    for schema in [unique, keyless, hidden] {
        assert_eq!(spread_of(&schema), 1, "{schema:?}");
    }
}

#[test]
fn the_hash_is_the_same_for_ever() {
    // Worked out by hand from the definition of hash version 1. A dispatcher that answers otherwise needs another number.
    let schema = keyed(vec![column(LogicalType::Int, "")]);
    let rows: Vec<Vec<Key<'_>>> = [0, 1, -1, 42, i64::MAX].map(|n| vec![Key::Int(n)]).to_vec();
    assert_eq!(dispatch(&schema, 1000, &batch(&[Logical::Int], &rows)).unwrap().lanes, [89, 116, 367, 272, 579]);
    let words = text_lanes("utf8mb4_bin", &["", "a", "tidegate", "twelve bytes"]);
    assert_eq!(words, [1, 6, 7, 11]);
}

#[test]
fn a_table_that_was_dropped_is_not_known() {
    let schema = keyed(vec![column(LogicalType::Int, "")]);
    let mut d = KeyDispatcher::open(Context { lanes: 4, ..Context::default() }).unwrap();
    d.on_schema(Arc::new(schema.clone())).unwrap();
    d.drop_schema(schema.id);
    let data = batch(&[Logical::Int], &[vec![Key::Int(1)]]);
    assert!(d.dispatch(&Lent(schema.id, 1), &data).is_err());
    assert!(KeyDispatcher::open(Context::default()).is_err());
}
