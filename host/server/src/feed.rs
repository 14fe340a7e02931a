//! The supervisor of one changefeed: starts its runs, waits between them, keeps its record true.

use crate::ServerError;
use crate::choice::Choice;
use crate::endpoints::Endpoints;
use crate::handle::{Handle, Running, View};
use crate::node::Node;
use crate::plugins::FeedPlugins;
use crate::progress::{StoredProgress, now_ms, resume_of};
use crate::record::Record;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tg_api::{FeedError, FeedState};
use tg_cluster::{Backoff, BackoffStep};
use tg_filter::{EventFilterConfig, Filter, FilterConfig};
use tg_metastore::{Guard, Revision};
use tg_model::{ChangefeedId, Coded, Position, Ts};
use tg_mounter::{MountOptions, TimestampZone};
use tg_pipeline::{FeedControl, FeedEnd, FeedParts, FeedPlan, QuarantineStore, Resume, Stats};
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
        let supervisor = Supervisor { node, guard, id: id.clone(), view: Arc::clone(&view), stop: stopped };
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

struct Supervisor {
    node: Arc<Node>,
    /// What its writes to the records depend on.
    guard: Guard,
    id: ChangefeedId,
    view: Arc<View>,
    stop: watch::Receiver<bool>,
}

impl Supervisor {
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        let born = Instant::now();
        let mut reached = Ts::ZERO;
        loop {
            let ended = self.one_run_or_stop().await;
            self.view.run_ends();
            let (checkpoint, _) = self.view.progress();
            if checkpoint > reached {
                reached = checkpoint;
                backoff.progressed();
            }
            let error = match ended {
                Ok(FeedEnd::Stopped) => return,
                Ok(FeedEnd::Finished) => return self.settle(FeedState::Finished, None).await,
                Err(error) => error,
            };
            if self.is_replaced().await {
                tracing::info!(changefeed = %self.id, error = %error, "the run ended: another node has the changefeed");
                return;
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
    async fn one_run_or_stop(&mut self) -> Result<FeedEnd, ServerError> {
        let mut stop = self.stop.clone();
        let (plan, parts) = tokio::select! {
            biased;
            _ = stop.wait_for(|s| *s) => return Ok(FeedEnd::Stopped),
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
        let resume = resume_of(&status)?;
        let choice = node.choose((&self.id, self.guard), &mut record, seen, &resume.label).await?;
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
        let replay_until = if keeps_progress { Ts::ZERO } else { node.upstream.tso().await? };
        let stats = Arc::new(Stats::default());
        let store =
            StoredProgress::open(node.store.clone(), self.id.clone(), self.guard, status.epoch, Arc::clone(&stats))
                .await?;
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
        };
        Ok((plan, parts))
    }

    async fn one_run(&self, plan: FeedPlan, parts: FeedParts) -> Result<FeedEnd, ServerError> {
        let start = plan.start;
        self.view.set_state(FeedState::Normal, None);
        let run = tg_pipeline::run(plan, parts, self.stop.clone());
        // Beside the run, not between its steps: PD may take long to answer.
        tokio::select! {
            ended = Box::pin(run) => Ok(ended?),
            lost = self.keep_holding(start) => Err(lost),
        }
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

fn plan(
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
        own_gates: record.config.tidegate.resolved_gate == tg_config::changefeed::ResolvedGate::Table,
        raw_aside: record.config.tidegate.quarantine.undecodable,
        feed_buffer_bytes: FEED_BUFFER_BYTES,
        linger,
    })
}
