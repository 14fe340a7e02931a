//! Rows through an encoder, and what should come back.

use crate::{all_types, fields, rows};
use std::sync::Arc;
use tg_format_common::{ChangeEvent, Column, Datum, Encoder, Field, Messages, RowChange, Table};
use tgr1::{Batch, Op, Value};

/// Rows of a generated batch.
const ROWS: usize = 12;

/// Encodes the batch of this seed, one message a row.
#[must_use]
pub fn encoded(encoder: &mut dyn Encoder, seed: u64) -> Messages {
    let schema = Arc::new(all_types());
    let data = rows(&schema, seed, ROWS);
    let mut out = Messages::new();
    encoder.table(Arc::clone(&schema), None).unwrap();
    for row in &Batch::parse(&data).unwrap() {
        encoder.row(schema.id, &row, 1_700_000_000_001, &mut out).unwrap();
    }
    assert_eq!(out.len(), ROWS);
    out
}

/// The changes of that batch, columns sorted, each value as `change` makes it.
#[must_use]
pub fn expected(seed: u64, change: impl Fn(&Column, Value<'_>) -> Datum) -> Vec<RowChange> {
    let table = Table::new(Arc::new(all_types()), None).unwrap();
    let data = rows(&table.schema, seed, ROWS);
    let image = |image: Option<tgr1::Image<'_>>| image.map(|image| fields(&table, &image, &change));
    let row = |row: tgr1::Row<'_>| RowChange {
        database: "shop".to_owned(),
        table: "all".to_owned(),
        op: row.op(),
        commit_ts: Some(row.commit_ts()),
        commit_ms: None,
        after: if row.op() == Op::Delete { None } else { image(row.after()) },
        before: if row.op() == Op::Insert { None } else { image(row.before()) },
        key_only: false,
        claim: None,
    };
    Batch::parse(&data).unwrap().into_iter().map(row).collect()
}

/// A decoded row, columns sorted, without the milliseconds of the commit.
#[must_use]
pub fn sorted(event: ChangeEvent) -> RowChange {
    let ChangeEvent::Row(mut row) = event else { panic!("{event:?}") };
    for image in row.after.iter_mut().chain(row.before.iter_mut()) {
        image.sort_by(|a: &Field, b| a.name.cmp(&b.name));
    }
    row.commit_ms = None;
    row
}
