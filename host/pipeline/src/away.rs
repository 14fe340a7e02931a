//! Slots on other nodes: what a run tells them, what they report, and the end that runs one for somebody else's run.
//!
//! A run keeps its schema, its controller, its DDLs and its progress to itself, wherever its slots are. A slot that is away subscribes,
//! sorts, mounts and writes as one in this process does, under the same epoch. When the two lose each other, the run ends and another
//! begins; the epoch of that one ends whoever still writes.

use crate::error::PipelineError;
use crate::feed::{FeedParts, FeedPlan, next_span};
use crate::feed_end::end_tasks;
use crate::open_slot::open_slot;
use crate::resume::{Counted, LaneState, Resume};
use crate::slot::SlotReport;
use crate::slot_end::{NewSpan, SlotEnd};
use crate::stats::{Stats, StatsSnapshot};
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tg_model::{Code, Coded, Position, SlotId, SpanId, TableId, TableVersion, Ts};
use tg_upstream::FeedOptions;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

/// A slot reports its progress at most this often.
const REPORT_EVERY: Duration = Duration::from_millis(5);
/// And its counts this often: a sign of life too.
const COUNT_EVERY: Duration = Duration::from_millis(200);
/// A run whose time passes says so twice a second. After so long without a word from it a slot ends, whose place another has by then.
const RUN_SILENCE_MAX: Duration = Duration::from_secs(20);
/// After so long without a report a slot counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// What another node is to know to run a slot; it has the changefeed's record itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotAsk {
    /// Which slot.
    pub slot: SlotId,
    /// Slots of the changefeed.
    pub slots: u16,
    /// Lanes of each.
    pub lanes: u16,
    /// Everything up to here is done.
    pub start: Position,
    /// What was stored beside it, of this slot only; its label names the plugins to be run.
    pub resume: Resume,
    /// As in [`FeedPlan`].
    pub replay_until: Ts,
}

impl SlotAsk {
    pub(crate) fn new(slot: SlotId, plan: &FeedPlan, label: &str) -> Self {
        let lanes = plan.resume.lanes.iter().filter(|l| l.slot == slot).cloned().collect();
        let resume = Resume { label: label.to_owned(), lanes, ..plan.resume.clone() };
        let (slots, lanes) = (plan.slots, plan.lanes);
        Self { slot, slots, lanes, start: plan.start, resume, replay_until: plan.replay_until }
    }
}

/// What a run tells a slot elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "fields are named for what they are")]
pub enum AwayCommand {
    /// Subscribe a physical table and write its rows above `start`.
    AddSpan { span: SpanId, table: TableId, version: Arc<TableVersion>, start: Ts },
    /// Its rows look different from here on.
    SetVersion { span: SpanId, version: Arc<TableVersion> },
    /// Let go of it.
    RemoveSpan { span: SpanId },
    /// Rows may leave up to here.
    Emit(Position),
    /// Time passes.
    Tick,
    /// Finish the transaction, let every lane finish, and stand still.
    Drain,
}

/// What a slot elsewhere reports.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "fields are named for what they are")]
pub enum AwayReport {
    /// Where it is, with so many changes of its tables applied.
    Progress { applied: u64, resolved: Ts, checkpoint: Position },
    /// What a lane's sink keeps.
    State(LaneState),
    /// Everything up to here is durable, and nothing is under way.
    Drained(Position),
    /// What it has counted since the report before.
    Counts(StatsSnapshot),
    /// It has ended over an error.
    Failed { code: Code, message: String, retryable: bool },
}

/// A slot that runs elsewhere. It ends when the commands do; so does the run when the reports do.
#[derive(Debug)]
pub struct AwaySlot {
    /// To it.
    pub commands: mpsc::UnboundedSender<AwayCommand>,
    /// From it.
    pub reports: mpsc::Receiver<AwayReport>,
    /// What its lanes' positions turned out to mean.
    pub counted: Counted,
}

/// Says where slots run.
pub trait SlotPlaces: Send + Sync {
    /// Has a slot run elsewhere; `None`: it is to run in this process. When it answers, nobody else writes the slot any more.
    fn open(&self, ask: SlotAsk) -> BoxFuture<'_, Result<Option<AwaySlot>, PipelineError>>;
}

/// Passes on what a slot reports, as if it were in this process.
pub(crate) async fn attend(
    slot: SlotId,
    mut from: mpsc::Receiver<AwayReport>,
    to: mpsc::UnboundedSender<SlotReport>,
    stats: Arc<Stats>,
) {
    let lost = |reason: &str| SlotReport::Failed(PipelineError::SlotLost { slot, reason: reason.to_owned() });
    loop {
        let next = tokio::select! {
            next = tokio::time::timeout(SILENCE_MAX, from.recv()) => next,
            // The run is over: it is to find nobody at work when another begins.
            () = to.closed() => {
                let ends = async { while from.recv().await.is_some() {} };
                let _ = tokio::time::timeout(SILENCE_MAX, ends).await;
                return;
            }
        };
        let report = match next {
            Err(_) => lost("it was not heard of for too long"),
            Ok(None) => lost("the connection to its node broke"),
            Ok(Some(AwayReport::Counts(counts))) => {
                stats.absorb(&counts);
                continue;
            }
            Ok(Some(AwayReport::State(state))) => SlotReport::State(state),
            Ok(Some(AwayReport::Drained(at))) => SlotReport::Drained { slot, at },
            Ok(Some(AwayReport::Progress { applied, resolved, checkpoint })) => {
                SlotReport::Progress { slot, applied, resolved, checkpoint }
            }
            Ok(Some(AwayReport::Failed { code, message, retryable })) => {
                SlotReport::Failed(PipelineError::Away { slot, code, message, retryable })
            }
        };
        let ends = matches!(report, SlotReport::Failed(_));
        if to.send(report).is_err() || ends {
            return;
        }
    }
}

/// A slot of a run on another node, in this process.
pub struct HostedSlot {
    end: SlotEnd,
    counted: Counted,
    parts: FeedParts,
    options: FeedOptions,
    reports: mpsc::UnboundedReceiver<SlotReport>,
    tasks: JoinSet<()>,
    /// The run's numbers of spans, and this process's.
    spans: HashMap<SpanId, SpanId>,
    /// Partitions share their table's version: as in the run, where it is one object.
    versions: HashMap<TableId, Arc<TableVersion>>,
    counts: StatsSnapshot,
}

impl HostedSlot {
    /// Takes the slot over: when this returns, whoever wrote it before is fenced, where the downstream does that. The plan is the
    /// run's.
    ///
    /// # Errors
    /// When its plugins cannot be started.
    pub async fn open(slot: SlotId, plan: &FeedPlan, parts: FeedParts) -> Result<Self, PipelineError> {
        let (reports_tx, reports) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let (end, counted, _) = open_slot(slot, plan, &parts, &reports_tx, &mut tasks).await?;
        let options = FeedOptions { filter_loop: plan.filter_loop };
        let (spans, versions, counts) = (HashMap::new(), HashMap::new(), StatsSnapshot::default());
        Ok(Self { end, counted, parts, options, reports, tasks, spans, versions, counts })
    }

    /// What the lanes' positions turned out to mean: the first thing that the run has to hear.
    #[must_use]
    pub const fn counted(&self) -> Counted {
        self.counted
    }

    /// Runs until the commands end or stay away, nobody takes the reports, or an error ends it. Nothing of it is left when this returns.
    pub async fn serve(mut self, mut commands: mpsc::Receiver<AwayCommand>, reports: mpsc::Sender<AwayReport>) {
        let mut counting = tokio::time::interval(COUNT_EVERY);
        counting.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_report = Instant::now();
        let mut heard = Instant::now();
        loop {
            let goes_on = tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(command) => {
                        heard = Instant::now();
                        self.command(command);
                        true
                    }
                    None => false,
                },
                () = tokio::time::sleep_until(heard + RUN_SILENCE_MAX) => {
                    tracing::warn!("the run of a slot on this node was not heard of for {RUN_SILENCE_MAX:?}: the slot ends");
                    false
                }
                Some(ended) = self.tasks.join_next() => self.task_ended(ended, &reports).await,
                _ = counting.tick() => tell(&reports, self.count()).await,
                report = async {
                    tokio::time::sleep_until(next_report).await;
                    self.reports.recv().await
                } => {
                    next_report = Instant::now() + REPORT_EVERY;
                    match report {
                        Some(report) => self.report(report, &reports).await,
                        None => fail(&reports, &PipelineError::Gone { part: "a slot" }).await,
                    }
                }
                () = reports.closed() => false,
            };
            if !goes_on {
                break;
            }
        }
        self.shut_down().await;
    }

    /// A part that ends by itself has reported why, unless it panicked. False: it is over.
    async fn task_ended(&self, ended: Result<(), tokio::task::JoinError>, reports: &mpsc::Sender<AwayReport>) -> bool {
        match ended {
            Err(e) if e.is_panic() => fail(reports, &PipelineError::Gone { part: "a task (it panicked)" }).await,
            _ => true,
        }
    }

    /// The one object for all that have this version of a table.
    fn shared(&mut self, version: Arc<TableVersion>) -> Arc<TableVersion> {
        let known = self.versions.entry(version.table).or_insert_with(|| Arc::clone(&version));
        if **known != *version {
            *known = version;
        }
        Arc::clone(known)
    }

    fn command(&mut self, command: AwayCommand) {
        let command = match command {
            AwayCommand::AddSpan { span, table, version, start } => {
                AwayCommand::AddSpan { span, table, version: self.shared(version), start }
            }
            AwayCommand::SetVersion { span, version } => {
                AwayCommand::SetVersion { span, version: self.shared(version) }
            }
            other => other,
        };
        let upstream = &self.parts.upstream;
        match command {
            AwayCommand::AddSpan { span, table, version, start } => {
                let own = next_span();
                self.spans.insert(span, own);
                self.end.add_span(NewSpan { span: own, table, version, start }, upstream, self.options);
            }
            AwayCommand::SetVersion { span, version } => {
                if let Some(own) = self.spans.get(&span) {
                    self.end.set_version(*own, version);
                }
            }
            AwayCommand::RemoveSpan { span } => {
                if let Some(own) = self.spans.remove(&span) {
                    self.end.remove_span(own, upstream);
                }
            }
            AwayCommand::Emit(upto) => self.end.emit(upto),
            AwayCommand::Tick => self.end.tick(),
            AwayCommand::Drain => self.end.drain(),
        }
    }

    fn count(&mut self) -> AwayReport {
        let now = self.parts.stats.snapshot();
        let counts = now.since(&self.counts);
        self.counts = now;
        AwayReport::Counts(counts)
    }

    /// Sends a report and what has come with it; of progress only the newest counts. False: it is over.
    async fn report(&mut self, first: SlotReport, to: &mpsc::Sender<AwayReport>) -> bool {
        let (mut next, mut progress) = (Some(first), None);
        while let Some(report) = next.take().or_else(|| self.reports.try_recv().ok()) {
            let sent = match report {
                SlotReport::Progress { applied, resolved, checkpoint, .. } => {
                    progress = Some(AwayReport::Progress { applied, resolved, checkpoint });
                    true
                }
                // It belongs to the progress behind it.
                SlotReport::State(state) => tell(to, AwayReport::State(state)).await,
                SlotReport::Drained { at, .. } => tell(to, AwayReport::Drained(at)).await,
                SlotReport::Failed(e) => fail(to, &e).await,
                // Plugins are swapped where all slots are in one process.
                SlotReport::Switched { .. } | SlotReport::LaneSwitched { .. } | SlotReport::Broken(_) => true,
            };
            if !sent {
                return false;
            }
        }
        match progress {
            Some(progress) => tell(to, progress).await,
            None => true,
        }
    }

    async fn shut_down(self) {
        for own in self.spans.values() {
            self.parts.upstream.unsubscribe(*own);
        }
        let Self { end, tasks, .. } = self;
        drop(end);
        end_tasks(tasks).await;
    }
}

/// False: nobody takes it, or not for so long that nobody will.
async fn tell(to: &mpsc::Sender<AwayReport>, report: AwayReport) -> bool {
    tokio::time::timeout(RUN_SILENCE_MAX, to.send(report)).await.is_ok_and(|sent| sent.is_ok())
}

/// Says why it is over.
async fn fail(to: &mpsc::Sender<AwayReport>, error: &PipelineError) -> bool {
    let (code, retryable, message) = (error.code(), error.is_retryable(), error.to_string());
    tell(to, AwayReport::Failed { code, message, retryable }).await;
    false
}
