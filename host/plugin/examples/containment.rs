//! How soon each hostile guest is stopped, and what its neighbour notices of it.
//!
//! `cargo run -p tg-plugin --example containment --release`
//!
//! Every guest gets 300 ms of its own time for a call. A neighbour on a thread of its own writes batches all the while; the last
//! line is the same without anybody hostile.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "an example")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{barrier, batch, engine, none, short_spec, spec, table};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tg_model::Coded;
use tg_plugin::{Plugin, SinkInstance, SinkPort};

const DEADLINE: Duration = Duration::from_millis(300);
/// What the stop may take beyond the deadline.
const GRACE: Duration = Duration::from_millis(50);
/// Modes of the hostile sink.
const MODES: &[&str] = &[
    "loop",
    "slow-loop",
    "sleep",
    "memory",
    "stack",
    "stack-wide",
    "trap",
    "abort",
    "exit",
    "open-abort",
    "open-loop",
    "wrong-ack",
    "repeated-ack",
    "huge-state",
    "row-outside",
    "too-many-refused",
    "huge-answer",
    "long-message",
    "log-flood",
    "stdout-flood",
    "storm",
    "read-flood",
    "handles",
    "state-keys",
    "state-flood",
    "clock-storm",
    "random-storm",
    "metric-storm",
    "secret",
    "http",
    "queue",
    "store",
    "files",
    "env",
    "net",
];
/// Rows of a neighbour's batch.
const ROWS: i64 = 1000;

/// A life until it ends; the time of its longest call and the code it ended with.
async fn live(plugin: &Plugin, mode: &str) -> (Duration, u16) {
    let mut longest = Duration::ZERO;
    let mut code = 0;
    let started = Instant::now();
    let opened = SinkInstance::open(plugin, &short_spec(&format!("{mode:?}"))).await;
    longest = longest.max(started.elapsed());
    let mut sink = match opened {
        Ok((sink, _)) => sink,
        Err(e) => return (longest, e.code().0),
    };
    for step in 0..4 {
        let started = Instant::now();
        let failed = match step {
            0 => sink.on_schema(table(), none()).await.err(),
            1 => sink.write(batch(8)).await.err(),
            n => sink.flush(barrier(n)).await.err(),
        };
        longest = longest.max(started.elapsed());
        if let Some(e) = failed {
            code = e.code().0;
            break;
        }
    }
    (longest, code)
}

/// Writes until told to stop; answers the latencies, sorted.
fn neighbour(plugin: Arc<Plugin>, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<Vec<Duration>> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut sink, _) = SinkInstance::open(&plugin, &spec("\"well\"")).await.unwrap();
            sink.on_schema(table(), none()).await.unwrap();
            let batch = batch(ROWS);
            let mut seen = Vec::new();
            while !stop.load(SeqCst) {
                let started = Instant::now();
                sink.write(Arc::clone(&batch)).await.unwrap();
                seen.push(started.elapsed());
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            seen.sort_unstable();
            seen
        })
    })
}

fn p99(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len() * 99 / 100).copied().unwrap_or_default()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let plugin = Arc::new(Plugin::load(&engine(8), tg_plugin_hostile::SINK.to_vec()).await.unwrap());
    println!("{:<18} {:>6} {:>12} {:>7} {:>16}", "guest", "ends", "longest call", "within", "neighbour p99");
    let mut late = 0;
    for mode in MODES {
        let stop = Arc::<AtomicBool>::default();
        let beside = neighbour(Arc::clone(&plugin), Arc::clone(&stop));
        let (longest, code) = live(&plugin, mode).await;
        stop.store(true, SeqCst);
        let seen = beside.join().unwrap();
        let within = longest <= DEADLINE + GRACE;
        late += u32::from(!within);
        let ends = if code == 0 { "well".to_owned() } else { format!("TG-{code}") };
        println!(
            "{mode:<18} {ends:>6} {:>9.1} ms {:>7} {:>13.3} ms",
            longest.as_secs_f64() * 1e3,
            if within { "yes" } else { "NO" },
            p99(&seen).as_secs_f64() * 1e3
        );
    }
    let stop = Arc::<AtomicBool>::default();
    let beside = neighbour(Arc::clone(&plugin), Arc::clone(&stop));
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.store(true, SeqCst);
    let quiet = p99(&beside.join().unwrap());
    println!("{} of {} guests later than {:?}", late, MODES.len(), DEADLINE + GRACE);
    println!("neighbour p99 alone: {:.3} ms", quiet.as_secs_f64() * 1e3);
}
