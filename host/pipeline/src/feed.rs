//! One run of a changefeed: from its checkpoint until it is stopped, finished or broken.

use crate::away::SlotPlaces;
use crate::control::{FeedControl, SpanPlace};
use crate::ddl::{DdlExecutor, DdlItem, DdlReport};
use crate::ddl_stream::DdlStream;
use crate::error::PipelineError;
use crate::feed_swap::{Swaps, open_executor};
use crate::ports::{PluginSource, ProgressStore, QuarantineStore};
use crate::resume::{Counted, Resume, STATES_MAX_BYTES};
use crate::slot::SlotReport;
use crate::slot_end::{NewSpan, SlotEnd};
use crate::start::{self, OpenSlots};
use crate::stats::{Stats, set, set_ts};
use crate::swap::{SwapEvent, SwapParts};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tg_cluster::{Controller, Effect, Event};
use tg_filter::Filter;
use tg_model::{Position, SpanId, Stage, TableId, Ts};
use tg_mounter::MountOptions;
use tg_schema::SchemaStore;
use tg_sorter::SorterStore;
use tg_upstream::{FeedOptions, FeedReceiver, Upstream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How often progress is stored and slots are told that time passes.
const TICK: Duration = Duration::from_millis(500);
/// Most DDL feed events taken at once.
const DDL_BURST_EVENTS: usize = 256;

/// What a run is to do.
#[derive(Clone)]
pub struct FeedPlan {
    /// Everything up to here is done.
    pub start: Position,
    /// What was stored beside it.
    pub resume: Resume,
    /// Ends here.
    pub target: Option<Ts>,
    /// Writer slots; fixed for the changefeed's life.
    pub slots: u16,
    /// Lanes of each slot; fixed for the changefeed's life.
    pub lanes: u16,
    /// Which tables, rows and DDLs.
    pub filter: Arc<Filter>,
    /// How rows are mounted.
    pub mount: MountOptions,
    /// Leave out rows that a CDC wrote upstream.
    pub filter_loop: bool,
    /// Rows up to this ts may have been written before without a trace of it (no progress kept downstream).
    pub replay_until: Ts,
    /// Milliseconds of the upstream's clock between two sync points; zero: none.
    pub syncpoint_ms: u64,
    /// Slots wait for their own spans only, not for the slowest of the changefeed.
    pub own_gates: bool,
    /// Rows that cannot be mounted are put aside, where there is a place for them.
    pub raw_aside: bool,
    /// Changes that may wait between the upstream and the sorters.
    pub feed_buffer_bytes: usize,
    /// How long rows that are written may wait for others before they are made durable: for sinks to whom a few large pieces are
    /// better than many small ones.
    pub linger: Duration,
}

/// What a run works with.
#[derive(Clone)]
pub struct FeedParts {
    /// The cluster.
    pub upstream: Upstream,
    /// Where changes wait.
    pub sorters: Arc<SorterStore>,
    /// Starts sinks, dispatchers and transforms.
    pub plugins: Arc<dyn PluginSource>,
    /// Keeps progress.
    pub store: Arc<dyn ProgressStore>,
    /// Keeps rows that are put aside; `None`: such a row ends the run.
    pub quarantine: Option<Arc<dyn QuarantineStore>>,
    /// Where slots run; `None`: all in this process.
    pub places: Option<Arc<dyn SlotPlaces>>,
    /// Changes the run; one of its own.
    pub control: FeedControl,
    /// Counts.
    pub stats: Arc<Stats>,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeedEnd {
    /// The target-ts is reached and durable.
    Finished,
    /// It was told to stop.
    Stopped,
}

/// Runs a changefeed until `stop` turns true, the target is reached, or an error ends it. Progress is stored before it returns.
///
/// # Errors
/// Whatever ended the run; [`tg_model::Coded::is_retryable`] tells whether to start another one.
pub async fn run(plan: FeedPlan, parts: FeedParts, mut stop: watch::Receiver<bool>) -> Result<FeedEnd, PipelineError> {
    let mut feed = tokio::select! {
        biased;
        () = told_to_stop(&mut stop) => return Ok(FeedEnd::Stopped),
        feed = Box::pin(Feed::start(plan, parts)) => feed?,
    };
    let ended = feed.serve(stop).await;
    if matches!(ended, Ok(FeedEnd::Stopped)) {
        feed.settle_down().await;
    }
    let stored = feed.store_checkpoint().await;
    feed.shut_down().await;
    let end = ended?;
    stored?;
    Ok(end)
}

/// The schema a run starts with: as of the newest DDL that is done. A DDL exactly at the start's ts comes again through the DDL
/// stream unless the start says that it is done.
fn schema_ts(start: Position) -> Ts {
    match start.stage {
        Stage::Ddl | Stage::Syncpoint => start.ts,
        Stage::Before | Stage::Rows => start.ts.prev(),
    }
}

/// Ends when `stop` is true, or nobody is left who could say so.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|s| *s).await;
}

pub(crate) struct Feed {
    pub(crate) plan: FeedPlan,
    pub(crate) parts: FeedParts,
    pub(crate) controller: Controller,
    schema: SchemaStore,
    ddl_stream: DdlStream,
    ddl_feed: FeedReceiver,
    pub(crate) ddl_work: mpsc::UnboundedSender<DdlItem>,
    ddl_reports: mpsc::UnboundedReceiver<DdlReport>,
    ddl_runs: bool,
    /// For those who want to hear of it: the checkpoint that is stored.
    pub(crate) told_checkpoint: watch::Sender<Position>,
    pub(crate) slots: Vec<SlotEnd>,
    pub(crate) slot_reports: mpsc::UnboundedReceiver<SlotReport>,
    pub(crate) spans: HashMap<TableId, SpanId>,
    pub(crate) ddl_spans: Vec<SpanId>,
    pub(crate) stored: Position,
    pub(crate) resume: Resume,
    pub(crate) resume_changed: bool,
    pub(crate) swaps: Swaps,
    finished: bool,
    effects: Vec<Effect>,
    pub(crate) tasks: JoinSet<()>,
}

/// Span ids are unique within the process.
pub(crate) fn next_span() -> SpanId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    SpanId(NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Feed {
    async fn start(plan: FeedPlan, parts: FeedParts) -> Result<Self, PipelineError> {
        let from = schema_ts(plan.start);
        let mut schema = start::load_schema(&parts.upstream, from).await?;
        // The store wants to hear the start before anything else: see `tg_schema` on multi schema changes.
        schema.cap_resolved(from);
        let (ddl_tx, ddl_feed) = tg_upstream::feed_channel(plan.feed_buffer_bytes);
        let options = FeedOptions { filter_loop: false };
        let mut ddl_spans = Vec::new();
        for span in schema.ddl_spans() {
            let id = next_span();
            parts.upstream.subscribe(id, &span, from, options, ddl_tx.clone());
            ddl_spans.push(id);
        }
        let everything = SwapParts { sink: true, stages: true };
        let executor = open_executor(&parts.plugins, everything, plan.lanes, plan.start).await?;
        let Some(opened) = executor.sink else { return Err(PipelineError::Gone { part: "the DDL executor" }) };
        let (ddl_work, items) = mpsc::unbounded_channel();
        let (reports, ddl_reports) = mpsc::unbounded_channel();
        let (told_checkpoint, checkpoint) = watch::channel(plan.start);
        let mut tasks = JoinSet::new();
        let executor = DdlExecutor {
            sink: opened.sink,
            transforms: executor.transforms.unwrap_or_default(),
            store: Arc::clone(&parts.store),
            items,
            checkpoint,
            reports,
            stats: Arc::clone(&parts.stats),
        };
        tasks.spawn(executor.run());
        let OpenSlots { ends: slots, reports: slot_reports, counted, behind } =
            start::open_slots(&plan, &parts, &mut tasks).await?;
        let resume = Resume { counted, ..start::resume(&plan, parts.plugins.label()) };
        Ok(Self {
            controller: start::controller(&plan),
            swaps: Swaps::new(&plan, behind, Arc::clone(&parts.plugins), parts.control.inbox()),
            // Whoever starts anew is not to look for it again.
            resume_changed: counted != Counted::Same,
            resume,
            ddl_runs: false,
            told_checkpoint,
            ddl_stream: DdlStream::new(ddl_spans.iter().copied(), from),
            stored: plan.start,
            plan,
            parts,
            schema,
            ddl_feed,
            ddl_work,
            ddl_reports,
            slots,
            slot_reports,
            spans: HashMap::new(),
            ddl_spans,
            finished: false,
            effects: Vec::new(),
            tasks,
        })
    }

    async fn serve(&mut self, mut stop: watch::Receiver<bool>) -> Result<FeedEnd, PipelineError> {
        self.add_tables()?;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut events = Vec::with_capacity(DDL_BURST_EVENTS);
        while !self.finished {
            tokio::select! {
                biased;
                () = told_to_stop(&mut stop) => return Ok(FeedEnd::Stopped),
                // These come before the reports, which may always be there.
                _ = tick.tick() => {
                    self.store_checkpoint().await?;
                    self.slots.iter().for_each(SlotEnd::tick);
                    self.schema.gc(self.controller.checkpoint().checkpoint_ts());
                    self.swap_tick().await?;
                }
                Some(opened) = self.swaps.opened.recv(), if self.swaps.may_change(self.controller.checkpoint()) => self.swap_opened(opened).await?,
                Some(asked) = self.swaps.inbox.recv(), if self.swaps.takes_requests(self.ddl_runs) => self.asked(asked).await?,
                report = self.slot_reports.recv() => self.slot_report(report).await?,
                report = self.ddl_reports.recv() => self.ddl_report(report).await?,
                () = self.ddl_feed.recv_many(&mut events, DDL_BURST_EVENTS), if self.controller.ddl_room() > DDL_BURST_EVENTS => {
                    for event in events.drain(..) {
                        self.ddl_event(event)?;
                    }
                }
                Some(ended) = self.tasks.join_next() => self.task_ended(ended)?,
            }
        }
        Ok(FeedEnd::Finished)
    }

    fn add_tables(&mut self) -> Result<(), PipelineError> {
        let tables: Vec<_> = self.schema.tables().filter(|v| self.plan.filter.replicates(v)).cloned().collect();
        tracing::info!(tables = tables.len(), start = %self.plan.start, "changefeed starts");
        for version in tables {
            self.step(Event::Table(version))?;
        }
        self.step(Event::Started)
    }

    pub(crate) async fn slot_report(&mut self, report: Option<SlotReport>) -> Result<(), PipelineError> {
        match report.ok_or(PipelineError::Gone { part: "a slot" })? {
            SlotReport::Failed(error) => Err(error),
            SlotReport::Progress { slot, applied, resolved, checkpoint } => {
                self.step(Event::Slot { slot, applied, resolved, checkpoint })
            }
            SlotReport::State(state) => {
                self.resume.set_lane(state);
                self.resume_changed = true;
                let bytes = self.resume.state_bytes();
                let limit = STATES_MAX_BYTES;
                if bytes > limit { Err(PipelineError::StateTooLarge { bytes, limit }) } else { Ok(()) }
            }
            SlotReport::Drained { slot, at } => self.swap_step(SwapEvent::Drained { slot, at }).await,
            SlotReport::Switched { stall } => self.swap_step(SwapEvent::Part { ok: true, stall }).await,
            SlotReport::LaneSwitched { outcome } => self.lane_switched(outcome.map(|s| s.stall)).await,
            SlotReport::Broken(error) => self.swap_broken(error).await,
        }
    }

    async fn ddl_report(&mut self, report: Option<DdlReport>) -> Result<(), PipelineError> {
        match report.ok_or(PipelineError::Gone { part: "the DDL executor" })? {
            DdlReport::Failed(error) => Err(error),
            DdlReport::Switched => self.swap_step(SwapEvent::Part { ok: true, stall: Duration::ZERO }).await,
            DdlReport::Done { ts, seq } => {
                self.ddl_runs = false;
                self.step(Event::DdlDone { ts, seq })
            }
        }
    }

    /// A part that ends by itself has reported why, unless it panicked.
    fn task_ended(&mut self, ended: Result<(), tokio::task::JoinError>) -> Result<(), PipelineError> {
        match ended {
            Err(e) if e.is_panic() => Err(PipelineError::Gone { part: "a task (it panicked)" }),
            _ => Ok(()),
        }
    }

    fn ddl_event(&mut self, event: tg_upstream::FeedEvent) -> Result<(), PipelineError> {
        let Some(resolved) = self.ddl_stream.take(event, &mut self.schema)? else { return Ok(()) };
        for event in self.ddl_stream.apply(&mut self.schema, &self.plan.filter)? {
            self.step(Event::Ddl(Arc::new(event)))?;
        }
        self.step(Event::DdlResolved(resolved))
    }

    fn step(&mut self, event: Event) -> Result<(), PipelineError> {
        let mut effects = std::mem::take(&mut self.effects);
        self.controller.step(event, &mut effects);
        for effect in effects.drain(..) {
            self.effect(effect)?;
        }
        self.effects = effects;
        let stats = &self.parts.stats;
        set_ts(&stats.resolved_ts, self.controller.resolved_ts());
        set_ts(&stats.emit_ts, self.controller.emit_ts());
        set_ts(&stats.checkpoint_ts, self.controller.checkpoint().checkpoint_ts());
        set(&stats.spans, self.controller.tables() as u64);
        Ok(())
    }

    fn execute(&mut self, item: DdlItem) -> Result<(), PipelineError> {
        self.ddl_runs = true;
        self.ddl_work.send(item).map_err(|_| PipelineError::Gone { part: "the DDL executor" })
    }

    fn effect(&mut self, effect: Effect) -> Result<(), PipelineError> {
        match effect {
            Effect::AddSpan { slot, table, version, start } => {
                let span = next_span();
                self.spans.insert(table, span);
                self.parts.control.set_span(table, Some(SpanPlace { slot, version: Arc::clone(&version) }));
                let options = FeedOptions { filter_loop: self.plan.filter_loop };
                let new = NewSpan { span, table, version, start };
                self.slots[usize::from(slot.0)].add_span(new, &self.parts.upstream, options);
            }
            Effect::SetVersion { slot, table, version } => {
                if let Some(span) = self.spans.get(&table) {
                    self.parts.control.set_span(table, Some(SpanPlace { slot, version: Arc::clone(&version) }));
                    self.slots[usize::from(slot.0)].set_version(*span, version);
                }
            }
            Effect::RemoveSpan { slot, table } => {
                if let Some(span) = self.spans.remove(&table) {
                    self.parts.control.set_span(table, None);
                    self.slots[usize::from(slot.0)].remove_span(span, &self.parts.upstream);
                }
            }
            Effect::Emit { slot, upto } => self.slots[usize::from(slot.0)].emit(upto),
            Effect::Execute(event) => self.execute(DdlItem::Run(event))?,
            Effect::Syncpoint(ts) => self.execute(DdlItem::Syncpoint(ts))?,
            Effect::Checkpoint(_) => {}
            Effect::Finished => self.finished = true,
        }
        Ok(())
    }
}
