//! The client of the upstream alone: receive, decode, match, and drop what comes.

use super::child::{Args, say};
use crate::measure::{process_cpu, rss_peak_bytes};
use std::time::Instant;
use tg_model::{Span, SpanId, TableId, Ts};
use tg_upstream::{FeedEvent, FeedOptions, Upstream, UpstreamConfig, feed_channel};

/// Changes that may wait.
pub(crate) const BUFFER_BYTES: usize = 16 << 20;

/// Runs until everything has come.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let threads = args.get("threads")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(receive(args))
}

async fn receive(args: &Args) -> anyhow::Result<()> {
    let pd_endpoints = vec![args.get("pd")?];
    let upstream = Upstream::connect(UpstreamConfig { pd_endpoints, ..UpstreamConfig::default() }).await?;
    let (tx, mut rx) = feed_channel(BUFFER_BYTES);
    let span = Span::of_table(TableId(args.get("table")?));
    let (start, target): (u64, u64) = (args.get("start")?, args.get("target")?);
    upstream.subscribe(SpanId(1), &span, Ts::new(start), FeedOptions::default(), tx);
    let (mut rows, mut bytes, mut begin) = (0, 0, (Instant::now(), process_cpu()));
    loop {
        match rx.recv().await {
            FeedEvent::Initialized { .. } => {
                begin = (Instant::now(), process_cpu());
                say("subscribed", &Args::default())?;
            }
            FeedEvent::Changes { changes, weight_bytes, .. } => {
                if rows == 0 {
                    begin.0 = Instant::now();
                }
                rows += changes.len();
                bytes += weight_bytes;
            }
            FeedEvent::Resolved { ts, .. } if ts.get() >= target => break,
            FeedEvent::Resolved { .. } => {}
            FeedEvent::Failed { error, .. } => return Err(anyhow::anyhow!("{error}")),
        }
    }
    let done = Args::default()
        .with("rows", rows)
        .with("bytes", bytes)
        .with("wall_ns", begin.0.elapsed().as_nanos())
        .with("cpu_ns", (process_cpu() - begin.1).as_nanos())
        .with("rss", rss_peak_bytes());
    say("done", &done)
}
