//! What a row change costs in this sink: as the component that ships and as the same crate natively, in interleaved samples, into
//! a database that takes everything and does nothing. Rows as sysbench makes them: `id`, `k`, `c` char(120), `pad` char(60).
//!
//! The native side is what the profile makes of it; the component is always optimised.
#![allow(clippy::unwrap_used, reason = "a program for people who look at it")]

#[path = "../../../sql-common/tests/common/mod.rs"]
mod common;
mod nowhere;

use common::{Change, NoBatch, V, batch, column, table, text};
use nowhere::{Nowhere, instance, version};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tg_model::{Position, Ts};
use tg_plugin::SinkPort;
use tg_plugin_mysql::MysqlSink;
use tgr1::BatchBuf;
use tidegate_sdk::{Context, LogicalType as L, Sink, native};

/// Rows of a batch.
const ROWS: i64 = 4096;
/// Flushes of a sample.
const FLUSHES: u32 = 100;
/// Samples; the median counts.
const SAMPLES: usize = 7;

fn rows(update: bool) -> Vec<Change> {
    let row = |id: i64, c: &str| {
        vec![V::I(id * 7919), V::I(id * 48_271 % 500_000), text(&c.repeat(120)), text(&"p".repeat(60))]
    };
    let change = |id| if update { Change::Update(row(id, "b"), row(id, "c")) } else { Change::Insert(row(id, "c")) };
    (0..ROWS).map(change).collect()
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Nanoseconds a row.
fn timed(mut flush: impl FnMut(u32)) -> f64 {
    let start = Instant::now();
    (0..FLUSHES).for_each(&mut flush);
    start.elapsed().as_nanos() as f64 / f64::from(FLUSHES) / ROWS as f64
}

fn main() {
    let columns = [("id", L::Int), ("k", L::Int), ("c", L::Text), ("pad", L::Text)];
    let schema = table(1, "sbtest1", columns.map(|(n, l)| column(n, l)).to_vec(), &[&[0]]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut component = runtime.block_on(instance());
    runtime.block_on(component.on_schema(version(), Arc::from([]))).unwrap();
    let context = Context { endpoints: vec!["downstream".into()], ..Context::default() };
    let host: Rc<dyn native::Host> = Rc::new(Nowhere);
    let (mut twin, _) = native::scope(host, || MysqlSink::open(context)).unwrap();
    twin.on_schema(Arc::clone(&schema), &[]).unwrap();
    for (name, update) in [("inserts", false), ("updates", true)] {
        let data = batch(&schema, &rows(update), 0);
        let shared = Arc::new(BatchBuf::new(data.clone()).unwrap());
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..SAMPLES {
            a.push(timed(|id| {
                runtime.block_on(component.write(Arc::clone(&shared))).unwrap();
                let at = Position::rows(Ts::new(1));
                let kind = tg_plugin::BarrierKind::Checkpoint;
                runtime.block_on(component.flush(tg_plugin::Barrier { id, kind, at })).unwrap();
            }));
            b.push(timed(|id| {
                twin.write(&NoBatch, &data).unwrap();
                let at = tidegate_sdk::Position { ts: 1, stage: 1, seq: 0 };
                let kind = tidegate_sdk::BarrierKind::Checkpoint;
                twin.flush(tidegate_sdk::Barrier { id, kind, at }).unwrap();
            }));
        }
        let (a, b) = (median(a), median(b));
        println!("{name}: component {a:.0} ns/row, native {b:.0} ns/row, throughput {:.2} x native", b / a);
    }
}
