//! What it costs to hand rows to a plugin: the shipped `blackhole` as a component and the same crate in-process.
//!
//! `cargo run -p tg-plugin --example crossing --release`
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "an example")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{engine, none, spec, table};
use std::sync::Arc;
use std::time::Instant;
use tg_plugin::native::NativeSink;
use tg_plugin::{Plugin, SinkInstance, SinkPort};
use tg_plugin_blackhole::Blackhole;
use tgr1::{BatchBuf, BatchWriter, ColumnSpec, ImageKind, Logical, Op};

const ROWS: [u32; 4] = [1, 16, 256, 4096];
/// Rows handed over for each figure.
const ROWS_MEASURED: u32 = 1 << 21;
/// Calls for each figure at most.
const CALLS_MAX: u32 = 50_000;
/// With 40 bytes of row header, a bitmap of 8 and two slots of 8 this makes rows of 200 bytes.
const TEXT: [u8; 136] = [b'x'; 136];

fn batch(rows: u32) -> Arc<BatchBuf> {
    let specs = [ColumnSpec::new(0, Logical::Int), ColumnSpec::new(1, Logical::Text)];
    let mut w = BatchWriter::new(45, 7, &specs, 4096);
    for id in 0..rows {
        w.begin_row(100, 99, Op::Insert, 0);
        w.begin_image(ImageKind::After);
        w.put_i64(0, id.into());
        w.put_bytes(1, &TEXT);
        w.end_row().unwrap();
    }
    Arc::new(BatchBuf::new(w.finish()).unwrap())
}

/// Nanoseconds a call.
async fn measure(sink: &mut dyn SinkPort, rows: u32) -> f64 {
    let batch = batch(rows);
    let calls = (ROWS_MEASURED / rows).min(CALLS_MAX);
    sink.on_schema(table(), none()).await.unwrap();
    for _ in 0..calls / 10 + 1 {
        sink.write(Arc::clone(&batch)).await.unwrap();
    }
    let started = Instant::now();
    for _ in 0..calls {
        sink.write(Arc::clone(&batch)).await.unwrap();
    }
    started.elapsed().as_nanos() as f64 / f64::from(calls)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let plugin = Plugin::load(&engine(2), tg_builtin::BLACKHOLE.to_vec()).await.unwrap();
    println!("touch  rows/call | component us/call  ns/row | native us/call  ns/row | ratio");
    for touch in [false, true] {
        let spec = spec(&format!(r#"{{"touch":{touch}}}"#));
        for rows in ROWS {
            let (mut component, _) = SinkInstance::open(&plugin, &spec).await.unwrap();
            let (mut native, _) = NativeSink::open_in_place::<Blackhole>(&spec).unwrap();
            let (c, n) = (measure(&mut component, rows).await, measure(&mut native, rows).await);
            let per_row = |ns: f64| ns / f64::from(rows);
            println!(
                "{touch:<5} {rows:>10} | {:>17.2} {:>7.1} | {:>14.2} {:>7.1} | {:>5.2}",
                c / 1000.0,
                per_row(c),
                n / 1000.0,
                per_row(n),
                c / n
            );
        }
    }
}
