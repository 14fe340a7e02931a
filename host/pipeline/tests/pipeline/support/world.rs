//! One playground, one downstream, and runs of the pipeline between them.

use super::check::{Guarantee, check};
use super::downstream::{Downstream, now};
use super::elsewhere::{Elsewhere, Wire};
use super::faults::Faults;
use super::plugins::{Plugins, Version};
use super::reference::Reference;
use super::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tg_filter::{Filter, FilterConfig};
use tg_model::{Position, Ts};
use tg_mounter::MountOptions;
use tg_pipeline::{
    CanaryReport, CanaryRequest, Counted, FeedControl, FeedEnd, FeedParts, FeedPlan, FileQuarantine, PipelineError,
    QuarantineStore, Stats, SwapError, SwapOutcome, SwapParts, SwapRequest,
};
use tg_playground::{Playground, PlaygroundConfig};
use tg_sorter::{SorterConfig, SorterStore};
use tg_upstream::{Upstream, UpstreamConfig};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the changefeed is laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) slots: u16,
    pub(crate) lanes: u16,
}

pub(crate) struct World {
    pub(crate) playground: Playground,
    pub(crate) upstream: Upstream,
    pub(crate) sorters: Arc<SorterStore>,
    pub(crate) down: Downstream,
    pub(crate) store: Arc<Store>,
    pub(crate) reference: Reference,
    pub(crate) layout: Layout,
    pub(crate) target: Option<Ts>,
    pub(crate) rules: Vec<String>,
    /// What a run starts with that has no record of another.
    pub(crate) version: Version,
    pub(crate) quarantine: Option<FileQuarantine>,
    pub(crate) syncpoint_ms: u64,
    pub(crate) own_gates: bool,
    /// Slots with odd numbers run elsewhere.
    pub(crate) away: Option<Wire>,
    /// Ids of rows that are to arrive.
    pub(crate) expected: fn(i64) -> bool,
    pub(crate) dir: tempfile::TempDir,
}

/// A run that goes on beside the test.
pub(crate) struct Run {
    pub(crate) task: JoinHandle<Result<FeedEnd, PipelineError>>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) control: FeedControl,
    epoch: u64,
}

pub(crate) fn small_sorter(memory_limit_bytes: usize) -> SorterConfig {
    SorterConfig { memory_limit_bytes, spill_threshold_bytes: memory_limit_bytes / 4, ..SorterConfig::default() }
}

impl World {
    pub(crate) async fn new(layout: Layout, keeps: bool, faults: Faults) -> Self {
        Self::with(layout, keeps, faults, SorterConfig::default(), PlaygroundConfig::default()).await
    }

    pub(crate) async fn with(
        layout: Layout,
        keeps: bool,
        faults: Faults,
        sorter: SorterConfig,
        config: PlaygroundConfig,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let interval = config.resolved_interval_ms.min(20);
        let config = PlaygroundConfig { resolved_interval_ms: interval, ..config };
        let playground = Playground::start(config).await.unwrap();
        let pd_endpoints = vec![playground.pd_endpoint()];
        let upstream = Upstream::connect(UpstreamConfig {
            pd_endpoints,
            spill_dir: Some(dir.path().join("unmatched")),
            ..UpstreamConfig::default()
        })
        .await
        .unwrap();
        let start = now(&upstream).await;
        let down = Downstream::new(keeps, faults);
        Self {
            reference: Reference::new(&upstream, start),
            store: Arc::new(Store::new(down.clone(), Position::ddl(start))),
            sorters: SorterStore::open(&dir.path().join("sorter"), sorter).unwrap(),
            playground,
            upstream,
            down,
            layout,
            target: None,
            rules: vec!["*.*".to_owned()],
            version: Version::default(),
            quarantine: None,
            own_gates: false,
            syncpoint_ms: 0,
            away: None,
            expected: |_| true,
            dir,
        }
    }

    /// Starts from what the store holds.
    pub(crate) async fn run(&self) -> Run {
        let rules = FilterConfig { rules: self.rules.clone(), ..FilterConfig::default() };
        let resume = self.store.inner.lock().resume.clone();
        let named = Some(&resume.label).filter(|l| !l.is_empty()).map(|l| Version::of_label(l));
        let version = named.unwrap_or(self.version);
        let plan = FeedPlan {
            start: self.store.checkpoint_now(),
            resume,
            target: self.target,
            slots: self.layout.slots,
            lanes: self.layout.lanes,
            filter: Arc::new(Filter::new(&rules, false, false).unwrap()),
            mount: MountOptions::default(),
            filter_loop: false,
            replay_until: if self.down.keeps { Ts::ZERO } else { now(&self.upstream).await },
            syncpoint_ms: self.syncpoint_ms,
            own_gates: self.own_gates,
            raw_aside: self.quarantine.is_some(),
            feed_buffer_bytes: 8 << 20,
            linger: Duration::ZERO,
        };
        let stats = Arc::new(Stats::default());
        let control = FeedControl::new();
        let plugins = Plugins::of_a_new_run(&self.down, version);
        let epoch = plugins.epoch();
        let parts = FeedParts {
            upstream: self.upstream.clone(),
            sorters: Arc::clone(&self.sorters),
            plugins: Arc::new(plugins),
            store: Arc::clone(&self.store) as _,
            quarantine: self.quarantine.clone().map(|q| Arc::new(q) as Arc<dyn QuarantineStore>),
            control: control.clone(),
            stats: Arc::clone(&stats),
            places: None,
        };
        let away = self.away.map(|wire| Elsewhere { plan: plan.clone(), parts: parts.clone(), wire });
        let parts = FeedParts { places: away.map(|away| Arc::new(away) as _), ..parts };
        let (stop, stopped) = watch::channel(false);
        Run { task: tokio::spawn(tg_pipeline::run(plan, parts, stopped)), stop, stats, control, epoch }
    }

    /// The next run is to have these plugins, not those that the run before had.
    pub(crate) fn resume_with(&self, version: Version) {
        use tg_pipeline::PluginSource as _;
        self.down.state.lock().lanes_move = true;
        let mut inner = self.store.inner.lock();
        inner.resume.label = Plugins::of_run(&self.down, 0, version).label();
        inner.resume.counted = Counted::Otherwise;
    }

    /// Runs, and starts again after every error that says it may pass, until everything at or below `ts` is durable.
    pub(crate) async fn until(&self, ts: Ts) {
        let mut run = self.run().await;
        while self.store.checkpoint_now() < Position::rows(ts) {
            if run.task.is_finished() {
                run = self.again(run).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        run.stop().await;
    }

    /// A run after one that ended by an error.
    pub(crate) async fn again(&self, run: Run) -> Run {
        use tg_model::Coded as _;
        match run.task.await.unwrap() {
            Ok(end) => panic!("the run ended by itself: {end:?}"),
            Err(e) => assert!(may_pass(&e), "the run ended for good: {} {e}", e.code()),
        }
        self.run().await
    }

    /// Swaps the plugins of a run.
    pub(crate) async fn swap(
        &self,
        run: &Run,
        version: Version,
        parts: SwapParts,
        probation: Duration,
    ) -> Result<SwapOutcome, SwapError> {
        self.down.state.lock().lanes_move |= parts.stages;
        let plugins = Arc::new(Plugins::of_run(&self.down, run.epoch, version));
        run.control.swap(SwapRequest { plugins, parts, probation }).await
    }

    /// Looks at other plugins beside those of a run.
    pub(crate) async fn canary(
        &self,
        run: &Run,
        version: Version,
        parts: SwapParts,
        share: u8,
    ) -> Result<CanaryReport, SwapError> {
        let plugins = Arc::new(Plugins::of_run(&self.down, run.epoch, version));
        let time = Duration::from_secs(30);
        run.control.canary(CanaryRequest { plugins, parts, share, windows: 20, time }).await
    }

    /// Waits until everything at or below `ts` is durable in a run that goes on.
    pub(crate) async fn reached(&self, run: &Run, ts: Ts) {
        while self.store.checkpoint_now() < Position::rows(ts) {
            assert!(!run.task.is_finished(), "the run has ended");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A timestamp of now, above all that was committed.
    pub(crate) async fn now(&self) -> Ts {
        now(&self.upstream).await
    }

    /// Compares both sides at `ts`.
    pub(crate) async fn check(&mut self, ts: Ts, guarantee: Guarantee) {
        let mut upstream = self.reference.upto(ts).await;
        upstream.retain(|c| (self.expected)(c.id));
        assert!(!upstream.is_empty(), "a test without rows proves nothing");
        let state = self.down.state.lock();
        check(&state, &self.store.inner.lock(), &upstream, guarantee);
    }

    /// The downstream's rows of a table are the upstream's at `ts`, in all columns that print as they are stored.
    pub(crate) fn same_rows(&self, schema: &str, name: &str, ts: Ts) {
        let table = self.playground.table(schema, name).unwrap();
        let state = self.down.state.lock();
        let there = self.playground.rows_at(schema, name, ts.get());
        let here = state.rows.keys().filter(|(t, _)| t.0 == table.id).count();
        assert_eq!(here, there.len(), "{schema}.{name} has another number of rows");
        for row in there {
            let id: i64 = std::str::from_utf8(row[0].as_ref().unwrap()).unwrap().parse().unwrap();
            let mine = state.rows.get(&(tg_model::TableId(table.id), id)).unwrap();
            assert_eq!(mine, &row, "{schema}.{name} row {id}");
        }
    }
}

fn may_pass(e: &PipelineError) -> bool {
    use tg_model::Coded as _;
    e.is_retryable()
}

impl Run {
    /// Ends the run as a node does that shuts down.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(true);
        match self.task.await.unwrap() {
            Ok(_) => {}
            Err(e) => assert!(may_pass(&e), "the run ended for good: {e}"),
        }
    }

    /// Ends the run as a crash does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}
