//! Measuring an encoder.

use crate::{plain_table, wide_rows};
use std::sync::Arc;
use std::time::Instant;
use tg_format_common::{Encoder, Messages};
use tgr1::Batch;

const ROWS: usize = 1000;
const WARM_UP: usize = 20;
const ROUNDS: usize = 400;

/// Prints nanoseconds and bytes a row of an encoder over batches of 1,000 inserts, each row about 200 bytes.
pub fn measure(name: &str, encoder: &mut dyn Encoder) {
    let schema = plain_table();
    let data = wide_rows(&schema, ROWS);
    let batch = Batch::parse(&data).unwrap();
    let id = schema.id;
    encoder.table(Arc::new(schema), None).unwrap();
    let mut out = Messages::new();
    let mut round = |out: &mut Messages| {
        out.clear();
        for row in &batch {
            encoder.row(id, &row, 1_700_000_000_123, out).unwrap();
        }
    };
    (0..WARM_UP).for_each(|_| round(&mut out));
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| round(&mut out));
    let rows = (ROWS * ROUNDS) as f64;
    let nanos = start.elapsed().as_nanos() as f64 / rows;
    println!("{name:<14} {nanos:>8.1} ns/row  {:>6} bytes/row  {:>9.0} rows/s", out.len_bytes() / ROWS, 1e9 / nanos);
}
