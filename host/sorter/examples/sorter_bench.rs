//! Prints what a change costs: in memory in several orders of arrival, and through disk.
//!
//! `cargo run -p tg-sorter --example sorter_bench`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use bytes::Bytes;
use std::time::{Duration, Instant};
use tg_model::{ChangeOp, RawChange, Span, SpanId, TableId, Ts};
use tg_sorter::{ChunkEnd, SorterConfig, SorterStore};

const CHUNK_BYTES: usize = 1 << 20;
const VALUE_BYTES: usize = 100;

/// A small generator: the bench needs repeatable disorder, not quality.
fn scramble(n: u64) -> u64 {
    let x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

struct Shape {
    name: &'static str,
    spans: u64,
    batch: u64,
    rounds: u64,
    /// How far commit-ts are disordered.
    disorder: u64,
    /// Rows of a transaction.
    txn: u64,
    /// Batches pushed between two releases.
    lag: u64,
    threshold_bytes: usize,
}

fn batch(shape: &Shape, round: u64, shared: &Bytes) -> Vec<RawChange> {
    let prefix = Span::of_table(TableId(45)).start().clone();
    let mut keys = Vec::with_capacity(shape.batch as usize * 19);
    for n in 0..shape.batch {
        keys.extend_from_slice(&prefix);
        keys.extend_from_slice(&(scramble(round * shape.batch + n) | 1 << 63).to_be_bytes());
    }
    let keys = Bytes::from(keys);
    let make = |n: u64| {
        let row = round * shape.batch + n;
        let ts = row / shape.txn * 10 + if shape.disorder > 0 { scramble(row / shape.txn) % shape.disorder } else { 0 };
        let from = n as usize * 19;
        RawChange {
            commit_ts: Ts::new(1000 + ts),
            start_ts: Ts::new(900 + ts),
            op: ChangeOp::Update,
            key: keys.slice(from..from + 19),
            value: shared.slice(..VALUE_BYTES),
            old_value: shared.slice(..VALUE_BYTES),
        }
    };
    (0..shape.batch).map(make).collect()
}

fn run(shape: &Shape) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let cfg = SorterConfig { spill_threshold_bytes: shape.threshold_bytes, ..SorterConfig::default() };
    let store = SorterStore::open(dir.path(), cfg).unwrap();
    let mut sorter = store.sorter();
    (0..shape.spans).for_each(|s| sorter.add_span(SpanId(s), TableId(45)));
    let shared = Bytes::from(vec![7; 1024]);
    let (mut push, mut release) = (Duration::ZERO, Duration::ZERO);
    let mut out = Vec::new();
    let (mut rows, mut spilled) = (0, 0);
    for round in 0..shape.rounds {
        let changes = batch(shape, round, &shared);
        let start = Instant::now();
        sorter.push(SpanId(round % shape.spans), changes).unwrap();
        push += start.elapsed();
        spilled = spilled.max(sorter.spilled_bytes());
        if !(round + 1).is_multiple_of(shape.lag) {
            continue;
        }
        let last = round + 1 == shape.rounds;
        let upto = if last { Ts::MAX } else { Ts::new(1000 + (round + 1) * shape.batch / shape.txn * 10 - 10) };
        loop {
            let start = Instant::now();
            let end = sorter.next_chunk(upto, CHUNK_BYTES, &mut out).unwrap();
            release += start.elapsed();
            rows += out.len();
            out.clear();
            if end == ChunkEnd::Exhausted {
                break;
            }
        }
        sorter.forget(upto);
    }
    let ns = |d: Duration| d.as_nanos() as f64 / rows as f64;
    let sum = ns(push) + ns(release);
    let usage = store.usage();
    println!(
        "{:<34} {rows:>8} rows  push {:>6.0}  release {:>6.0}  sum {sum:>6.0} ns/change  spilled at most {:>4} MiB  peak {:>4} MiB",
        shape.name,
        ns(push),
        ns(release),
        spilled >> 20,
        usage.memory_peak_bytes >> 20,
    );
    sum
}

fn main() {
    let base =
        Shape { name: "", spans: 10, batch: 256, rounds: 4000, disorder: 0, txn: 1, lag: 4, threshold_bytes: 1 << 30 };
    run(&Shape { name: "memory, sorted", ..base });
    let memory = run(&Shape { name: "memory, nearly sorted", disorder: 200, ..base });
    run(&Shape { name: "memory, shuffled", disorder: 20_000, ..base });
    run(&Shape { name: "memory, transactions of 100", txn: 100, disorder: 20, ..base });
    run(&Shape { name: "memory, far behind", lag: 1000, disorder: 2000, ..base });
    let disk = Shape { lag: 2000, disorder: 2000, threshold_bytes: 8 << 20, ..base };
    let spilled = run(&Shape { name: "spilled", ..disk });
    run(&Shape { name: "spilled, one transaction", txn: 1 << 40, ..disk });
    println!("spilled costs {:.1} times what memory costs", spilled / memory);
}
