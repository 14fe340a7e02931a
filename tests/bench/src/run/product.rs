//! The product's process: one changefeed, from the upstream's sockets to a sink.

use super::child::{Args, heard, say};
use super::feed::BUFFER_BYTES;
use super::idle;
use super::plugins::{Forgetful, Plugins};
use crate::measure::{process_cpu, rss_bytes, rss_peak_bytes};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tg_filter::{Filter, FilterConfig};
use tg_model::{Position, Ts};
use tg_mounter::MountOptions;
use tg_pipeline::{FeedControl, FeedParts, FeedPlan, Resume, Stats};
use tg_sorter::{SorterConfig, SorterStore};
use tg_upstream::{Upstream, UpstreamConfig};
use tokio::sync::watch;
use tokio::time::sleep;

/// How often the counters are looked at.
const POLL: Duration = Duration::from_millis(2);

/// Runs until the rows are durable, or as long as it is told.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let threads = args.get("threads")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(changefeed(args))
}

fn plan(args: &Args) -> anyhow::Result<FeedPlan> {
    let filter = FilterConfig { rules: vec![args.get("rule")?], ..FilterConfig::default() };
    Ok(FeedPlan {
        start: Position::ddl(Ts::new(args.get("start")?)),
        resume: Resume::default(),
        target: None,
        slots: args.get("slots")?,
        lanes: args.get("lanes")?,
        filter: Arc::new(Filter::new(&filter, false, false)?),
        mount: MountOptions::default(),
        filter_loop: false,
        replay_until: Ts::ZERO,
        syncpoint_ms: 0,
        own_gates: false,
        raw_aside: false,
        feed_buffer_bytes: BUFFER_BYTES,
        linger: Duration::ZERO,
    })
}

async fn changefeed(args: &Args) -> anyhow::Result<()> {
    let plan = plan(args)?;
    let memory: usize = args.get("sorter_bytes")?;
    let dir = tempfile::tempdir()?;
    let sorter = SorterConfig {
        memory_limit_bytes: memory,
        spill_threshold_bytes: SorterConfig::SPILL_THRESHOLD_BYTES.min(memory / 4),
        ..SorterConfig::default()
    };
    let pd_endpoints = vec![args.get("pd")?];
    let config =
        UpstreamConfig { pd_endpoints, spill_dir: Some(dir.path().join("unmatched")), ..UpstreamConfig::default() };
    let upstream = Upstream::connect(config).await?;
    let stats = Arc::new(Stats::default());
    let parts = FeedParts {
        places: None,
        upstream: upstream.clone(),
        sorters: SorterStore::open(&dir.path().join("sorter"), sorter)?,
        plugins: Arc::new(Plugins::new(args.get("how")?, args.get("mysql_port")?, plan.lanes).await?),
        store: Arc::new(Forgetful),
        quarantine: None,
        control: FeedControl::new(),
        stats: Arc::clone(&stats),
    };
    let (stop, stopped) = watch::channel(false);
    let (mode, rows) = (args.get::<String>("mode")?, args.get("rows")?);
    let mut running = tokio::spawn(tg_pipeline::run(plan, parts, stopped));
    let measured = async {
        match mode.as_str() {
            "idle" => idle::idle(&stats, args).await,
            "paced" => idle::latency(&upstream, &stats, args).await,
            _ => until_durable(&stats, rows).await,
        }
    };
    let done = tokio::select! {
        ended = &mut running => anyhow::bail!("the changefeed ended early: {:?}", ended?.map_err(|e| e.to_string())),
        done = measured => done?,
    };
    say("done", &done.with("rss", rss_peak_bytes()))?;
    let _ = stop.send(true);
    running.await??;
    Ok(())
}

/// Waits until the table is subscribed, then until its rows are durable.
async fn until_durable(stats: &Stats, rows: u64) -> anyhow::Result<Args> {
    while stats.snapshot().spans_initialized == 0 {
        sleep(POLL).await;
    }
    let cpu = process_cpu();
    let rss_before = rss_bytes();
    say("subscribed", &Args::default())?;
    let mut begin = Instant::now();
    loop {
        let now = stats.snapshot();
        if now.rows_in == 0 {
            begin = Instant::now();
        }
        if now.rows_durable >= rows {
            break;
        }
        sleep(POLL).await;
    }
    let (wall, cpu) = (begin.elapsed(), process_cpu() - cpu);
    let now = stats.snapshot();
    Ok(Args::default()
        .with("rows", now.rows_durable)
        .with("bytes", now.bytes_in)
        .with("windows", now.windows)
        .with("flushes", now.flushes)
        .with("wall_ns", wall.as_nanos())
        .with("cpu_ns", cpu.as_nanos())
        .with("rss_before", rss_before))
}

/// Ends when the starter says a line.
pub(crate) async fn told_to_end() -> anyhow::Result<()> {
    heard().await.map(drop)
}
