//! Measuring an encoder.

use crate::{plain_table, wide_rows};
use std::sync::Arc;
use std::time::Instant;
use tg_format_common::{Encoder, Messages};
use tgr1::Batch;

const ROWS: usize = 1000;
const WARM_UP: usize = 20;
const ROUNDS: usize = 400;

/// Prints nanoseconds and bytes a row of an encoder over batches of 1,000 inserts, each row about 200 bytes: the fastest round, which
/// nothing else disturbed, and the median.
pub fn measure(name: &str, encoder: &mut dyn Encoder) {
    let schema = plain_table();
    let data = wide_rows(&schema, ROWS);
    let batch = Batch::parse(&data).unwrap();
    let id = schema.id;
    encoder.table(Arc::new(schema), None).unwrap();
    let mut out = Messages::new();
    let mut round = |out: &mut Messages| {
        let start = Instant::now();
        out.clear();
        for row in &batch {
            encoder.row(id, &row, 1_700_000_000_123, out).unwrap();
        }
        start.elapsed().as_nanos() as f64 / ROWS as f64
    };
    for _ in 0..WARM_UP {
        round(&mut out);
    }
    let mut nanos: Vec<f64> = (0..ROUNDS).map(|_| round(&mut out)).collect();
    nanos.sort_by(f64::total_cmp);
    let (fastest, median) = (nanos[0], nanos[ROUNDS / 2]);
    println!("{name:<14} {fastest:>8.1} ns/row fastest  {median:>8.1} median  {:>6} bytes/row", out.len_bytes() / ROWS);
}
