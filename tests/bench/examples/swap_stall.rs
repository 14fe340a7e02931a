//! How long a swap of real components holds rows up: a playground with load, the built-in dispatcher and a sink that forgets.
//!
//! `cargo run -p tg-bench --example swap_stall -- [swaps] [rows per second]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tg_filter::{Filter, FilterConfig};
use tg_model::{ChangefeedId, LaneId, Position, SlotId, Ts};
use tg_mounter::MountOptions;
use tg_pipeline::{
    DdlState, FeedControl, FeedParts, FeedPlan, OpenSink, PipelineError, PluginSource, ProgressStore, Resume,
    SinkStart, Stats, SwapParts, SwapRequest,
};
use tg_playground::workload::{Sysbench, Workload as _};
use tg_playground::{Playground, PlaygroundConfig};
use tg_plugin::grant::LaneContext;
use tg_plugin::{
    CallError, DispatcherInstance, DispatcherPort, EngineOptions, Grants, InstanceSpec, Limits, Plugin, PluginEngine,
    SinkInstance,
};
use tg_sorter::{SorterConfig, SorterStore};
use tg_upstream::{Upstream, UpstreamConfig};
use tokio::sync::watch;

const SLOTS: u16 = 2;
const LANES: u16 = 2;

struct Components {
    sink: Arc<Plugin>,
    dispatcher: Arc<Plugin>,
    warm: bool,
}

fn spec(slot: SlotId, lane: LaneId, limits: Limits) -> InstanceSpec {
    let changefeed = ChangefeedId::new("default", "swap").unwrap();
    InstanceSpec {
        lane: LaneContext { changefeed, slot, lane, epoch: (1, 1) },
        lanes: LANES,
        config: String::new(),
        checkpoint: Position::ZERO,
        state: None,
        grants: Grants::default(),
        limits,
    }
}

impl PluginSource for Components {
    fn sink(&self, at: SinkStart) -> BoxFuture<'_, Result<OpenSink, CallError>> {
        async move {
            let (sink, durable) = SinkInstance::open(&self.sink, &spec(at.slot, at.lane, Limits::SINK)).await?;
            Ok(OpenSink { sink: Box::new(sink), durable })
        }
        .boxed()
    }

    fn dispatcher(&self, slot: SlotId, _: u16) -> BoxFuture<'_, Result<Box<dyn DispatcherPort>, CallError>> {
        async move {
            let spec = spec(slot, LaneId(0), Limits::DISPATCHER);
            Ok(Box::new(DispatcherInstance::open(&self.dispatcher, &spec).await?) as Box<dyn DispatcherPort>)
        }
        .boxed()
    }

    fn opens_warm(&self) -> bool {
        self.warm
    }
}

/// Progress that nobody reads again.
struct Forgetful;

impl ProgressStore for Forgetful {
    fn checkpoint<'a>(&'a self, _: Position, _: &'a Resume) -> BoxFuture<'a, Result<(), PipelineError>> {
        async { Ok(()) }.boxed()
    }

    fn ddl(&self, _: Ts, _: u32) -> BoxFuture<'_, Result<Option<DdlState>, PipelineError>> {
        async { Ok(None) }.boxed()
    }

    fn set_ddl(&self, _: Ts, _: u32, _: DdlState) -> BoxFuture<'_, Result<(), PipelineError>> {
        async { Ok(()) }.boxed()
    }
}

async fn feed(playground: &Playground, plugins: Arc<dyn PluginSource>, control: FeedControl) -> Arc<Stats> {
    let pd_endpoints = vec![playground.pd_endpoint()];
    let upstream = Upstream::connect(UpstreamConfig { pd_endpoints, ..UpstreamConfig::default() }).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let filter = Filter::new(&FilterConfig { rules: vec!["*.*".to_owned()], ..FilterConfig::default() }, false, false);
    let plan = FeedPlan {
        start: Position::ddl(upstream.tso().await.unwrap()),
        resume: Resume::default(),
        target: None,
        slots: SLOTS,
        lanes: LANES,
        filter: Arc::new(filter.unwrap()),
        mount: MountOptions::default(),
        filter_loop: false,
        replay_until: Ts::ZERO,
        syncpoint_ms: 0,
        own_gates: false,
        raw_aside: false,
        feed_buffer_bytes: 8 << 20,
        linger: Duration::ZERO,
    };
    let stats = Arc::new(Stats::default());
    let parts = FeedParts {
        places: None,
        upstream,
        sorters: SorterStore::open(dir.path(), SorterConfig::default()).unwrap(),
        plugins,
        store: Arc::new(Forgetful),
        quarantine: None,
        control,
        stats: Arc::clone(&stats),
    };
    tokio::spawn(async move {
        let (_stop, stopped) = watch::channel(false);
        let ended = tg_pipeline::run(plan, parts, stopped).await;
        drop(dir);
        panic!("the changefeed ended: {ended:?}");
    });
    stats
}

fn show(what: &str, mut stalls: Vec<Duration>) {
    stalls.sort_unstable();
    let at = |percent: usize| stalls.get((stalls.len() * percent / 100).min(stalls.len() - 1)).copied().unwrap();
    println!("{what}: {} swaps, stall p50 {:?}, p99 {:?}, max {:?}", stalls.len(), at(50), at(99), at(100));
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |default| args.next().and_then(|a| a.parse::<u64>().ok()).unwrap_or(default);
    let (swaps, rows_per_sec) = (number(1_000), number(10_000));
    let engine = PluginEngine::new(&EngineOptions { instances_max: 64, ..EngineOptions::default() }).unwrap();
    let load = async |bytes: &[u8]| Arc::new(Plugin::load(&engine, bytes.to_vec()).await.unwrap());
    let (sink, dispatcher) = (load(tg_builtin::BLACKHOLE).await, load(tg_builtin::DISPATCHER).await);
    let plugins = |warm| {
        let (sink, dispatcher) = (Arc::clone(&sink), Arc::clone(&dispatcher));
        Arc::new(Components { sink, dispatcher, warm }) as Arc<dyn PluginSource>
    };
    let playground = Playground::start(PlaygroundConfig { resolved_interval_ms: 20, ..PlaygroundConfig::default() });
    let playground = playground.await.unwrap();
    let mut work = Sysbench::new(8, 5, 1);
    work.prepare(playground.cluster()).unwrap();
    let control = FeedControl::new();
    let stats = feed(&playground, plugins(true), control.clone()).await;
    let cluster = playground.cluster().clone();
    tokio::spawn(tg_playground::workload::run(cluster, work, rows_per_sec, u64::MAX));
    while stats.snapshot().rows_durable == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let sinks = SwapParts { sink: true, stages: false };
    let stages = SwapParts { sink: false, stages: true };
    for (what, parts, warm) in [("sinks, warm", sinks, true), ("sinks", sinks, false), ("dispatchers", stages, false)] {
        let (begin, before) = (Instant::now(), stats.snapshot().rows_durable);
        let mut stalls = Vec::new();
        for _ in 0..swaps {
            let request = SwapRequest { plugins: plugins(warm), parts, probation: Duration::ZERO };
            stalls.push(control.swap(request).await.unwrap().stall);
        }
        let rows = stats.snapshot().rows_durable - before;
        show(what, stalls);
        println!("  {:.0} rows/s meanwhile", rows as f64 / begin.elapsed().as_secs_f64());
    }
}
