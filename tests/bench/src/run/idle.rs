//! What does not depend on throughput: CPU of an idle changefeed with many tables, and how long after the upstream's resolved-ts
//! the rows below it are durable.

use super::child::{Args, say};
use super::feed::BUFFER_BYTES;
use super::product::told_to_end;
use crate::measure::process_cpu;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tg_model::{Span, SpanId, TableId, Ts};
use tg_pipeline::Stats;
use tg_upstream::{FeedEvent, FeedOptions, FeedReceiver, Upstream, feed_channel};
use tokio::time::sleep;

/// Until the noise of the start is over.
const SETTLE: Duration = Duration::from_secs(2);
/// How often the checkpoint is looked at: the resolution of a delay.
const POLL: Duration = Duration::from_millis(1);
/// A span that the changefeed, which counts from one, does not reach.
const OWN_SPAN: SpanId = SpanId(u64::MAX);

/// CPU while nothing changes.
pub(crate) async fn idle(stats: &Stats, args: &Args) -> anyhow::Result<Args> {
    let (tables, seconds): (u64, u64) = (args.get("tables")?, args.get("seconds")?);
    let begin = Instant::now();
    while stats.snapshot().spans_initialized < tables {
        sleep(Duration::from_millis(20)).await;
    }
    let start = begin.elapsed();
    sleep(SETTLE).await;
    let (cpu, wall, before) = (process_cpu(), Instant::now(), stats.snapshot().checkpoint_ts);
    sleep(Duration::from_secs(seconds)).await;
    let (cpu, wall, after) = (process_cpu() - cpu, wall.elapsed(), stats.snapshot().checkpoint_ts);
    Ok(Args::default()
        .with("tables", stats.snapshot().spans)
        .with("start_ms", start.as_millis())
        .with("wall_ns", wall.as_nanos())
        .with("cpu_ns", cpu.as_nanos())
        .with("advanced_ms", Ts::new(after).ms_since(Ts::new(before))))
}

/// Delays from the arrival of a resolved-ts (on a subscription beside the changefeed's) until the checkpoint has reached it.
pub(crate) async fn latency(upstream: &Upstream, stats: &Stats, args: &Args) -> anyhow::Result<Args> {
    while stats.snapshot().spans_initialized == 0 {
        sleep(POLL).await;
    }
    let (tx, rx) = feed_channel(BUFFER_BYTES);
    let span = Span::of_table(TableId(args.get("table")?));
    upstream.subscribe(OWN_SPAN, &span, Ts::new(args.get("start")?), FeedOptions::default(), tx);
    say("subscribed", &Args::default())?;
    let (mut delays_ms, beside) = watch(rx, stats).await;
    delays_ms.sort_by(f64::total_cmp);
    let at = |q: f64| delays_ms.get(((delays_ms.len() as f64 * q) as usize).min(delays_ms.len().saturating_sub(1)));
    let quantile = |q| format!("{:.1}", at(q).copied().unwrap_or(f64::NAN));
    let now = stats.snapshot();
    Ok(Args::default()
        .with("n", delays_ms.len())
        .with("p50", quantile(0.5))
        .with("p99", quantile(0.99))
        .with("max", quantile(1.0))
        .with("rows", now.rows_durable)
        .with("beside", beside))
}

/// The delays, and the rows that came on the subscription beside, until told to end.
async fn watch(mut rx: FeedReceiver, stats: &Stats) -> (Vec<f64>, usize) {
    let (mut waiting, mut delays_ms, mut rows) = (VecDeque::new(), Vec::new(), 0);
    let end = told_to_end();
    tokio::pin!(end);
    loop {
        tokio::select! {
            event = rx.recv() => match event {
                FeedEvent::Resolved { ts, .. } => waiting.push_back((ts, Instant::now())),
                FeedEvent::Changes { changes, .. } => rows += changes.len(),
                FeedEvent::Initialized { .. } | FeedEvent::Failed { .. } => {}
            },
            () = sleep(POLL) => {}
            _ = &mut end => return (delays_ms, rows),
        }
        let checkpoint = Ts::new(stats.snapshot().checkpoint_ts);
        while let Some((_, since)) = waiting.pop_front_if(|(ts, _): &mut (Ts, Instant)| *ts <= checkpoint) {
            delays_ms.push(since.elapsed().as_secs_f64() * 1000.0);
        }
    }
}
