//! Parquet files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod both_ways;
mod columns;
mod refused;

use std::sync::Arc;
use tg_format_common::EncodeError;
use tg_format_parquet::{Options, Parquet};
use tgr1::{Batch, BatchWriter, ColumnSpec, ImageKind, Logical, Op};
use tidegate_sdk::TableSchema;

/// A file of the rows of a batch.
fn file(options: Options, schema: &TableSchema, batch: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = Parquet::new(options);
    encoder.table(Arc::new(schema.clone()))?;
    let mut file = encoder.open(schema.id)?;
    for row in &Batch::parse(batch).unwrap() {
        encoder.row(schema.id, &row, &mut file)?;
    }
    file.finish()
}

/// A batch of one inserted row; what `put` leaves out is NULL.
fn one_row(schema: &TableSchema, put: impl FnOnce(&mut BatchWriter)) -> Vec<u8> {
    let logical = |c: &tidegate_sdk::Column| Logical::from_u8(c.logical as u8).unwrap();
    let specs: Vec<ColumnSpec> = (0..).zip(&schema.columns).map(|(i, c)| ColumnSpec::new(i, logical(c))).collect();
    let mut out = BatchWriter::new(schema.id.table, schema.id.version, &specs, 1024);
    out.begin_row(7, 6, Op::Insert, 0);
    out.begin_image(ImageKind::After);
    put(&mut out);
    out.end_row().unwrap();
    out.finish()
}
