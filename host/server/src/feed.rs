//! The supervisor of one changefeed: starts its runs, waits between them, keeps its record true.

use crate::ServerError;
use crate::choice::Choice;
use crate::cluster::Spreading;
use crate::endpoints::Endpoints;
use crate::handle::{Handle, Running, View};
use crate::node::Node;
use crate::plugins::FeedPlugins;
use crate::progress::{StoredProgress, now_ms, resume_under};
use crate::record::Record;
use jiff::Timestamp;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tg_api::{FeedError, FeedState};
use tg_cluster::{Backoff, BackoffStep};
use tg_config::Scheme;
use tg_filter::{EventFilterConfig, Filter, FilterConfig};
use tg_metastore::{Guard, Revision};
use tg_model::{ChangefeedId, Coded, Position, Ts};
use tg_mounter::{MountOptions, TimestampZone};
use tg_pipeline::{
    Counted, FeedControl, FeedEnd, FeedParts, FeedPlan, PipelineError, QuarantineStore, Resume, SlotPlaces, Stats,
};
use tokio::sync::watch;

/// How often garbage collection is held anew.
const GC_EVERY: Duration = Duration::from_secs(60);
/// Changes that may wait between the upstream and a slot's sorter.
const FEED_BUFFER_BYTES: usize = 16 << 20;

impl Node {
    /// Starts the supervisor of a changefeed.
    /// In a cluster: if this node has been given it; whoever has will start it, if another.
    pub(crate) fn launch(self: &Arc<Self>, id: &ChangefeedId) {
        let Some(guard) = self.guard(id) else { return };
        let (stop, stopped) = watch::channel(false);
        let view = Arc::new(View::new(FeedState::Normal, Ts::ZERO));
        let (node, id) = (Arc::clone(self), id.clone());
        let spreading = Mutex::default();
        let supervisor = Supervisor { node, guard, id: id.clone(), view: Arc::clone(&view), stop: stopped, spreading };
        let task = tokio::spawn(supervisor.run());
        self.feeds.lock().insert(id, Handle { stop, view, task });
    }

    /// Stops a changefeed's supervisor and waits for it; nothing happens when it has none.
    pub(crate) async fn halt(&self, id: &ChangefeedId) {
        let handle = self.feeds.lock().remove(id);
        if let Some(handle) = handle {
            let _ = handle.stop.send(true);
            if handle.task.await.is_err() {
                tracing::warn!(changefeed = %id, "the changefeed's supervisor ended badly");
            }
        }
    }

    pub(crate) fn gc_service(&self, id: &ChangefeedId) -> String {
        format!("tidegate-{}-{}-{}", self.options.cluster, id.namespace, id.name)
    }
}

pub(crate) struct Supervisor {
    pub(crate) node: Arc<Node>,
    /// What its writes to the records depend on.
    pub(crate) guard: Guard,
    pub(crate) id: ChangefeedId,
    pub(crate) view: Arc<View>,
    stop: watch::Receiver<bool>,
    /// Where its slots are.
    pub(crate) spreading: Mutex<Spreading>,
}

/// How a run ended without an error.
enum RunEnd {
    Feed(FeedEnd),
    /// For another one whose slots are elsewhere.
    Moves,
}

impl Supervisor {
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        let born = Instant::now();
        let mut reached = Ts::ZERO;
        loop {
            let ended = self.one_run_or_stop().await;
            let lost = match &ended {
                Err(ServerError::Pipeline(PipelineError::SlotLost { slot, .. })) => Some(slot.0),
                _ => None,
            };
            lost.iter().for_each(|slot| self.spreading.lock().lost(*slot));
            self.view.run_ends(lost.is_some() || matches!(ended, Ok(RunEnd::Moves)));
            let (checkpoint, _) = self.view.progress();
            if checkpoint > reached {
                reached = checkpoint;
                backoff.progressed();
            }
            let error = match ended {
                Ok(RunEnd::Feed(FeedEnd::Stopped)) => return,
                Ok(RunEnd::Feed(FeedEnd::Finished)) => return self.settle(FeedState::Finished, None).await,
                Ok(RunEnd::Moves) => continue,
                Err(error) => error,
            };
            if self.is_replaced().await {
                tracing::info!(changefeed = %self.id, error = %error, "the run ended: another node has the changefeed");
                return;
            }
            if lost.is_some() {
                // The node is left out from here on, so this does not go on for ever; and the others have nothing to wait for.
                tracing::warn!(changefeed = %self.id, code = %error.code(), error = %error, "slots go to other nodes");
                continue;
            }
            tracing::error!(changefeed = %self.id, code = %error.code(), error = %error, "the changefeed's run ended");
            let shown = self.shown(&error);
            match backoff.failed(born.elapsed().as_millis() as u64, error.is_retryable()) {
                BackoffStep::GiveUp => return self.settle(FeedState::Failed, Some(shown)).await,
                BackoffStep::RetryAfterMs(ms) => {
                    self.view.set_state(FeedState::Warning, Some(shown));
                    if self.stopped_within(Duration::from_millis(ms)).await {
                        return;
                    }
                }
            }
        }
    }

    /// Whether another node runs the changefeed: then errors of this run are expected and nobody's business.
    async fn is_replaced(&self) -> bool {
        let Guard::Run(run) = self.guard else { return false };
        self.node.store.holds_run(&self.id, run).await.is_ok_and(|held| !held)
    }

    async fn stopped_within(&mut self, wait: Duration) -> bool {
        let told = async { self.stop.wait_for(|s| *s).await.is_ok() };
        tokio::time::timeout(wait, told).await.is_ok()
    }

    fn shown(&self, error: &ServerError) -> FeedError {
        FeedError {
            time: Timestamp::now(),
            addr: self.node.options.address.clone(),
            code: error.code().to_string(),
            message: error.to_string(),
        }
    }

    /// The changefeed stands still from here on: its record says so.
    async fn settle(&self, state: FeedState, error: Option<FeedError>) {
        self.view.set_state(state, error.clone());
        if let Err(e) = self.record_state(state, error).await {
            tracing::error!(changefeed = %self.id, error = %e, "the changefeed's state could not be stored");
        }
        if state == FeedState::Finished
            && let Err(e) = self.node.upstream.release_gc(&self.node.gc_service(&self.id)).await
        {
            tracing::warn!(changefeed = %self.id, error = %e, "the hold on garbage collection stays until it expires");
        }
    }

    async fn record_state(&self, state: FeedState, error: Option<FeedError>) -> Result<(), ServerError> {
        let (info, seen) = self.node.store.info(&self.id).await?;
        let record = Record { state, error, ..Record::read(&info)? };
        self.node.store.update(&self.id, seen, &record.write(), Some(self.guard)).await?;
        Ok(())
    }

    /// A run. Before it has begun to write, a stop ends it at once: whatever it connects to may be away for long.
    async fn one_run_or_stop(&mut self) -> Result<RunEnd, ServerError> {
        let mut stop = self.stop.clone();
        let (plan, parts) = tokio::select! {
            biased;
            _ = stop.wait_for(|s| *s) => return Ok(RunEnd::Feed(FeedEnd::Stopped)),
            ready = Box::pin(self.prepare()) => ready?,
        };
        self.one_run(plan, parts).await
    }

    /// Connects what a run needs.
    async fn prepare(&self) -> Result<(FeedPlan, FeedParts), ServerError> {
        let node = Arc::clone(&self.node);
        let (info, seen) = node.store.info(&self.id).await?;
        let mut record = Record::read(&info)?;
        let (mut status, _) = node.store.status(&self.id).await?;
        let mut resume = resume_under(&record.incarnation, &status)?;
        let choice = node.choose((&self.id, self.guard), &mut record, seen, &resume.label).await?;
        if status.epoch > 0 && resume.label != choice.label {
            tracing::info!(changefeed = %self.id, "rows may take other lanes than before: all begin at the checkpoint");
            resume.counted = Counted::Otherwise;
        }
        status.epoch += 1;
        status.updated_ms = now_ms();
        node.store.advance(&self.id, self.guard, &status).await?;
        let start = status.checkpoint;
        self.hold_gc(start).await?;

        let layout = (record.layout, record.incarnation.as_str());
        let endpoints = Endpoints::connect(&record.uri, &record.config, layout, &node.options.secrets_dir()).await?;
        let (keeps_progress, linger) = (endpoints.keeps_progress, endpoints.linger);
        let epoch = (self.guard.revision(), status.epoch);
        let plugins = FeedPlugins::find(&node.registry, &self.id, epoch, choice, Arc::new(endpoints)).await?;
        // What fences itself downstream needs no clock.
        let gate = node.cluster.as_ref().filter(|_| !keeps_progress).map(|c| c.gate.clone());
        let plugins = Arc::new(plugins.gated(gate));
        let replay_until = if keeps_progress { record.repeat_until } else { node.upstream.tso().await? };
        let stats = Arc::new(Stats::default());
        let run = (status.epoch, record.incarnation.as_str());
        let store =
            StoredProgress::open(node.store.clone(), self.id.clone(), self.guard, run, Arc::clone(&stats)).await?;
        // A folder is another one on every node.
        let spread = keeps_progress && record.config.tidegate.spread && record.uri.scheme != Scheme::File;
        self.view.set_pins(&record.pins);
        let places = if spread { self.place(record.layout.slots, epoch) } else { None };
        let quarantine = node.quarantine_of_run(&self.id, &record.config).await?;
        let control = FeedControl::new();
        let running = Running { control: control.clone(), plugins: Arc::clone(&plugins) };
        self.view.run_begins(Arc::clone(&stats), running);
        let plan = plan(&record, (start, resume), replay_until, linger)?;
        let parts = FeedParts {
            upstream: node.upstream.clone(),
            sorters: Arc::clone(&node.sorters),
            plugins,
            store: Arc::new(store),
            quarantine: quarantine.map(|q| Arc::new(q) as Arc<dyn QuarantineStore>),
            control,
            stats,
            places: places.map(|places| Arc::new(places) as Arc<dyn SlotPlaces>),
        };
        Ok((plan, parts))
    }

    async fn one_run(&self, plan: FeedPlan, parts: FeedParts) -> Result<RunEnd, ServerError> {
        let start = plan.start;
        self.view.set_state(FeedState::Normal, None);
        let spread = parts.places.is_some().then_some(plan.slots);
        let (end, ends) = watch::channel(false);
        let mut run = Box::pin(tg_pipeline::run(plan, parts, ends));
        let mut stop = self.stop.clone();
        // Beside the run, not between its steps: PD may take long to answer.
        let moves = tokio::select! {
            ended = &mut run => return Ok(RunEnd::Feed(ended?)),
            lost = self.keep_holding(start) => return Err(lost),
            _ = stop.wait_for(|s| *s) => false,
            () = self.placed_otherwise(spread) => true,
        };
        let _ = end.send(true);
        let ended = run.await?;
        Ok(if moves && ended == FeedEnd::Stopped { RunEnd::Moves } else { RunEnd::Feed(ended) })
    }

    /// Holds garbage collection again and again; ends only when what is needed is gone.
    async fn keep_holding(&self, start: Position) -> ServerError {
        loop {
            tokio::time::sleep(GC_EVERY).await;
            // Until the run has read its schema, the view knows nothing of this run.
            let checkpoint = self.view.progress().0.max(start.checkpoint_ts());
            match self.hold_gc(Position::rows(checkpoint)).await {
                Ok(()) => {}
                Err(e) if e.is_retryable() => {
                    tracing::warn!(changefeed = %self.id, error = %e, "garbage collection could not be held; again in a minute");
                }
                Err(e) => return e,
            }
        }
    }

    /// Keeps what a restart from `at` needs.
    async fn hold_gc(&self, at: Position) -> Result<(), ServerError> {
        let start = at.checkpoint_ts().prev();
        let kept = self.node.upstream.hold_gc(&self.node.gc_service(&self.id), start, self.node.options.gc_ttl).await?;
        if kept > start { Err(ServerError::Collected { start, safe_point: kept }) } else { Ok(()) }
    }
}

impl Node {
    /// The plugins a run starts with: those that its progress is stored under. The record says nothing else from then on.
    async fn choose(
        &self,
        (id, guard): (&ChangefeedId, Guard),
        record: &mut Record,
        seen: Revision,
        label: &str,
    ) -> Result<Choice, ServerError> {
        let choice = match record.chosen(label) {
            Some(choice) => choice.clone(),
            None => Choice::resolve(&self.registry, &record.uri, &record.config).await?,
        };
        let settled = record.choices.len() == 1 && record.choices.iter().all(|c| c.label == choice.label);
        if !settled {
            record.settle(choice.clone());
            self.store.update(id, seen, &record.write(), Some(guard)).await?;
        }
        Ok(choice)
    }
}

/// The filter of a configuration.
pub(crate) fn filter(config: &tg_config::ChangefeedConfig) -> Result<Filter, ServerError> {
    let f = &config.filter;
    let event_filters = f.event_filters.iter().map(|e| EventFilterConfig {
        matcher: e.matcher.clone(),
        ignore_event: e.ignore_event.clone(),
        ignore_sql: e.ignore_sql.clone(),
        ignore_insert_value_expr: e.ignore_insert_value_expr.clone(),
        ignore_update_new_value_expr: e.ignore_update_new_value_expr.clone(),
        ignore_update_old_value_expr: e.ignore_update_old_value_expr.clone(),
        ignore_delete_value_expr: e.ignore_delete_value_expr.clone(),
        ignore_update_only_columns: e.ignore_update_only_columns.clone(),
    });
    let rules = FilterConfig {
        rules: f.rules.clone(),
        ignore_txn_start_ts: f.ignore_txn_start_ts.clone(),
        event_filters: event_filters.collect(),
    };
    Ok(Filter::new(&rules, config.case_sensitive, config.force_replicate)?)
}

/// Milliseconds between two sync points; zero: none are wanted.
fn syncpoint_ms(config: &tg_config::ChangefeedConfig) -> u64 {
    let every = config.sync_point_interval.get().as_millis();
    if config.enable_sync_point { u64::try_from(every).unwrap_or(u64::MAX) } else { 0 }
}

pub(crate) fn plan(
    record: &Record,
    (start, resume): (Position, Resume),
    replay_until: Ts,
    linger: Duration,
) -> Result<FeedPlan, ServerError> {
    let mount = MountOptions {
        timestamp_zone: TimestampZone::Utc,
        verify_checksum: record.config.integrity.integrity_check_level == "correctness",
    };
    Ok(FeedPlan {
        start,
        resume,
        target: record.target_ts,
        slots: record.layout.slots,
        lanes: record.layout.lanes,
        filter: Arc::new(filter(&record.config)?),
        mount,
        filter_loop: record.config.bdr_mode,
        replay_until,
        syncpoint_ms: syncpoint_ms(&record.config),
        own_gates: record.config.tidegate.resolved_gate == tg_config::changefeed::ResolvedGate::Table,
        raw_aside: record.config.tidegate.quarantine.undecodable,
        feed_buffer_bytes: FEED_BUFFER_BYTES,
        linger,
    })
}
