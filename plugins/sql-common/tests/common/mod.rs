//! Tables and batches for tests.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses some of it")]

use std::sync::Arc;
use tgr1::{BatchWriter, ColumnSpec, ImageKind, Logical, Op, PackedTime};
use tidegate_sdk::{Column, ColumnProps, Index, LogicalType, RowBatch, TableRef, TableSchema};

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum V {
    Null,
    I(i64),
    U(u64),
    F(f64),
    B(Vec<u8>),
}

pub(crate) fn text(s: &str) -> V {
    V::B(s.as_bytes().to_vec())
}

#[allow(clippy::too_many_arguments)]
pub(crate) fn time(y: u16, mo: u8, d: u8, h: u8, mi: u8, s: u8, us: u32) -> V {
    V::U(PackedTime::from_parts(y, mo, d, h, mi, s, us).unwrap().0)
}

pub(crate) fn column(name: &str, logical: LogicalType) -> Column {
    let text = logical == LogicalType::Text;
    Column {
        id: 0,
        name: name.to_owned(),
        logical,
        source_type: String::new(),
        props: ColumnProps { nullable: true, ..ColumnProps::default() },
        length: None,
        decimals: None,
        charset: if text { "utf8mb4".into() } else { String::new() },
        collation: if text { "utf8mb4_bin".into() } else { String::new() },
        members: Vec::new(),
        default_value: None,
        attrs: Vec::new(),
    }
}

/// A table `db.name`; the first of `unique` is the row key.
pub(crate) fn table(id: u64, name: &str, mut columns: Vec<Column>, unique: &[&[u32]]) -> Arc<TableSchema> {
    for (i, c) in columns.iter_mut().enumerate() {
        c.id = i as i64 + 1;
    }
    let index = |(i, columns): (usize, &&[u32])| Index {
        name: format!("u{i}"),
        columns: columns.to_vec(),
        unique: true,
        primary: i == 0,
    };
    Arc::new(TableSchema {
        id: TableRef { table: id, version: 1 },
        database: "db".into(),
        name: name.into(),
        columns,
        indexes: unique.iter().enumerate().map(index).collect(),
        row_key: (!unique.is_empty()).then_some(0),
        charset: "utf8mb4".into(),
        collation: "utf8mb4_bin".into(),
        attrs: Vec::new(),
    })
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Change {
    Insert(Vec<V>),
    Update(Vec<V>, Vec<V>),
    Delete(Vec<V>),
}

fn put(w: &mut BatchWriter, kind: ImageKind, row: &[V]) {
    w.begin_image(kind);
    for (i, v) in row.iter().enumerate() {
        match v {
            V::Null => w.put_null(i),
            V::I(v) => w.put_i64(i, *v),
            V::U(v) => w.put_u64(i, *v),
            V::F(v) => w.put_f64(i, *v),
            V::B(v) => w.put_bytes(i, v),
        }
    }
}

pub(crate) fn batch(schema: &TableSchema, changes: &[Change], row_flags: u16) -> Vec<u8> {
    let specs: Vec<ColumnSpec> = schema
        .columns
        .iter()
        .enumerate()
        .map(|(i, c)| ColumnSpec::new(i as u16, Logical::from_u8(c.logical as u8).unwrap()))
        .collect();
    let mut w = BatchWriter::new(schema.id.table, schema.id.version, &specs, 1024);
    for (i, change) in changes.iter().enumerate() {
        let ts = 100 + i as u64;
        match change {
            Change::Insert(after) => {
                w.begin_row(ts, ts - 1, Op::Insert, row_flags);
                put(&mut w, ImageKind::After, after);
            }
            Change::Update(before, after) => {
                w.begin_row(ts, ts - 1, Op::Update, row_flags);
                put(&mut w, ImageKind::After, after);
                put(&mut w, ImageKind::Before, before);
            }
            Change::Delete(before) => {
                w.begin_row(ts, ts - 1, Op::Delete, row_flags);
                put(&mut w, ImageKind::Before, before);
            }
        }
        w.end_row().unwrap();
    }
    w.finish()
}

/// The batch in the host, for sinks that never ask it.
pub(crate) struct NoBatch;

impl RowBatch for NoBatch {
    fn table(&self) -> TableRef {
        TableRef::default()
    }
    fn row_count(&self) -> u32 {
        0
    }
    fn byte_size(&self) -> u32 {
        0
    }
    fn read(&self, _: Option<&[u32]>, _: u32, _: u32) -> Result<Vec<u8>, String> {
        Err("not in this test".into())
    }
}

/// `db.t` with a number as its key and a text.
pub(crate) fn plain() -> Arc<TableSchema> {
    table(1, "t", vec![column("id", LogicalType::Int), column("v", LogicalType::Text)], &[&[0]])
}

/// A row of [`plain`], and changes of such rows.
pub(crate) fn row(id: i64, v: &str) -> Vec<V> {
    vec![V::I(id), text(v)]
}

pub(crate) fn ins(id: i64, v: &str) -> Change {
    Change::Insert(row(id, v))
}

pub(crate) fn upd(id: i64, before: &str, after: &str) -> Change {
    Change::Update(row(id, before), row(id, after))
}

pub(crate) fn del(id: i64, v: &str) -> Change {
    Change::Delete(row(id, v))
}
