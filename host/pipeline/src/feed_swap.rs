//! How a feed carries a swap out.

use crate::control::{Asked, SwapError, SwapOutcome, SwapRequest, SwapStatus};
use crate::ddl::{DdlItem, ExecutorFresh};
use crate::error::PipelineError;
use crate::feed::{Feed, FeedPlan};
use crate::feed_canary::Look;
use crate::lane_swap::LaneSwap;
use crate::ports::{DDL_SLOT, OpenSink, PluginSource, SinkStart};
use crate::replay::ReplayError;
use crate::slot::SlotCommand;
use crate::slot_end::SlotEnd;
use crate::slot_swap::SlotSwitch;
use crate::stages::StageSet;
use crate::stats::add;
use crate::swap::{SwapEffect, SwapEvent, SwapMachine, SwapParts};
use std::sync::Arc;
use std::time::Duration;
use tg_model::{LaneId, Position, SlotId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// How long a swap of stages waits for what lanes had written before the run began.
const CATCH_UP_MAX: Duration = Duration::from_secs(20);

/// A choice of plugins; the number names it within the run.
pub(crate) type Choice = (u64, Arc<dyn PluginSource>);

/// Instances of a choice, started beside those that run.
pub(crate) struct Fresh {
    stages: Vec<StageSet>,
    /// By slot and lane.
    sinks: Vec<Vec<Option<OpenSink>>>,
    executor: ExecutorFresh,
}

/// What a feed knows of swaps.
pub(crate) struct Swaps {
    pub(crate) machine: SwapMachine,
    pub(crate) inbox: mpsc::Receiver<Asked>,
    /// What the task says that starts the instances.
    pub(crate) opened: mpsc::UnboundedReceiver<Result<Fresh, PipelineError>>,
    opened_tx: mpsc::UnboundedSender<Result<Fresh, PipelineError>>,
    pub(crate) current: Choice,
    former: Option<Choice>,
    coming: Option<Choice>,
    parts: SwapParts,
    fresh: Option<Fresh>,
    reply: Option<oneshot::Sender<Result<SwapOutcome, SwapError>>>,
    positions: Vec<Position>,
    probation: Duration,
    settles_at: Option<Instant>,
    failure: Option<PipelineError>,
    newest: u64,
    /// Where the farthest lane stood when the run began. Below it a row's lane decides whether it is left out as written, so until
    /// everything up to here is done the stages stay as they are.
    behind: Position,
    /// From when on a swap waits for that.
    waits_since: Option<Instant>,
}

impl Swaps {
    pub(crate) fn new(
        plan: &FeedPlan,
        behind: Position,
        plugins: Arc<dyn PluginSource>,
        inbox: mpsc::Receiver<Asked>,
    ) -> Self {
        let (opened_tx, opened) = mpsc::unbounded_channel();
        Self {
            machine: SwapMachine::new(plan.slots, plan.lanes),
            inbox,
            opened,
            opened_tx,
            current: (0, plugins),
            former: None,
            coming: None,
            parts: SwapParts::default(),
            fresh: None,
            reply: None,
            positions: Vec::new(),
            probation: Duration::ZERO,
            settles_at: None,
            failure: None,
            newest: 0,
            behind,
            waits_since: None,
        }
    }

    /// Instances that are started can take over, as far as lanes go.
    pub(crate) fn may_change(&self, checkpoint: Position) -> bool {
        !self.parts.stages || checkpoint >= self.behind
    }

    /// A request can be looked at.
    pub(crate) const fn takes_requests(&self, ddl_runs: bool) -> bool {
        // The executor changes between two statements, and one of them may take an hour.
        !self.machine.is_busy() && !ddl_runs
    }

    fn answer(&mut self, with: Result<SwapOutcome, SwapError>) {
        if let Some(reply) = self.reply.take() {
            // Whoever asked may have gone.
            let _ = reply.send(with);
        }
    }
}

impl Feed {
    pub(crate) async fn asked(&mut self, asked: Asked) -> Result<(), PipelineError> {
        // Whoever asks has all slots brought here first.
        let Some(slots) = self.slots.iter().map(SlotEnd::here).collect::<Option<Vec<_>>>() else {
            asked.refuse();
            return Ok(());
        };
        match asked {
            Asked::Swap(request, reply) => self.swap_asked(request, reply).await,
            Asked::Canary(request, reply) => {
                let slots = slots.into_iter().map(mpsc::UnboundedSender::downgrade).collect();
                let control = self.parts.control.clone();
                let now = Arc::clone(&self.swaps.current.1);
                let look = Look { now, request, slots, control, lanes: self.plan.lanes, start: self.stored };
                self.tasks.spawn(async move { _ = reply.send(look.run().await) });
                Ok(())
            }
            Asked::Replay(replay) => {
                let slot = replay.slot;
                if let Some(commands) = slots.get(usize::from(slot.0)) {
                    let _ = commands.send(SlotCommand::Replay(replay));
                } else {
                    let _ = replay.reply.send(Err(ReplayError::NoLane { slot }));
                }
                Ok(())
            }
        }
    }

    async fn swap_asked(
        &mut self,
        request: SwapRequest,
        reply: oneshot::Sender<Result<SwapOutcome, SwapError>>,
    ) -> Result<(), PipelineError> {
        let s = &mut self.swaps;
        s.newest += 1;
        s.coming = Some((s.newest, request.plugins));
        (s.parts, s.probation, s.reply) = (request.parts, request.probation, Some(reply));
        (s.positions, s.failure, s.waits_since) = (Vec::new(), None, None);
        self.swap_step(SwapEvent::Begin(request.parts)).await
    }

    pub(crate) async fn swap_opened(&mut self, opened: Result<Fresh, PipelineError>) -> Result<(), PipelineError> {
        match opened {
            Ok(fresh) => {
                self.swaps.fresh = Some(fresh);
                self.swap_step(SwapEvent::Opened).await
            }
            Err(e) => {
                self.swaps.failure = Some(e);
                self.swap_step(SwapEvent::OpenFailed).await
            }
        }
    }

    pub(crate) async fn swap_broken(&mut self, error: PipelineError) -> Result<(), PipelineError> {
        self.swaps.failure.get_or_insert(error);
        self.swap_step(SwapEvent::Broken).await
    }

    /// A lane has changed, or could not.
    pub(crate) async fn lane_switched(
        &mut self,
        outcome: Result<Duration, PipelineError>,
    ) -> Result<(), PipelineError> {
        let event = match outcome {
            Ok(stall) => SwapEvent::Part { ok: true, stall },
            Err(e) => {
                self.swaps.failure.get_or_insert(e);
                SwapEvent::Part { ok: false, stall: Duration::ZERO }
            }
        };
        self.swap_step(event).await
    }

    pub(crate) async fn swap_tick(&mut self) -> Result<(), PipelineError> {
        if self.swaps.settles_at.is_some_and(|at| at <= Instant::now()) {
            self.swap_step(SwapEvent::Settle).await?;
        }
        self.give_up_waiting().await
    }

    /// Instances that are started and cannot take over for long are let go.
    async fn give_up_waiting(&mut self) -> Result<(), PipelineError> {
        let s = &mut self.swaps;
        if s.may_change(self.controller.checkpoint()) || s.opened.is_empty() {
            s.waits_since = None;
            return Ok(());
        }
        let since = *s.waits_since.get_or_insert_with(Instant::now);
        if since.elapsed() < CATCH_UP_MAX {
            return Ok(());
        }
        s.waits_since = None;
        // Errors too: there is one reason to give.
        drop(s.opened.try_recv());
        s.failure = Some(PipelineError::Behind { at: self.controller.checkpoint(), behind: s.behind });
        self.swap_step(SwapEvent::OpenFailed).await
    }

    pub(crate) async fn swap_step(&mut self, event: SwapEvent) -> Result<(), PipelineError> {
        let mut effects = Vec::new();
        let mut next = Some(event);
        while let Some(event) = next.take() {
            self.swaps.machine.step(event, &mut effects);
            for effect in effects.drain(..) {
                match effect {
                    SwapEffect::Record { floors } => {
                        self.record_swap(floors).await?;
                        next = Some(SwapEvent::Recorded);
                    }
                    effect => self.swap_effect(&effect)?,
                }
            }
        }
        Ok(())
    }

    fn swap_effect(&mut self, effect: &SwapEffect) -> Result<(), PipelineError> {
        match effect {
            SwapEffect::Open { back } => self.open_fresh(*back),
            SwapEffect::Drain => self.tell_slots(|| SlotCommand::Drain),
            SwapEffect::Switch => self.switch_all(),
            SwapEffect::Done { stall } => self.swap_done(*stall),
            SwapEffect::RolledBack { .. } => self.rolled_back(),
            SwapEffect::Refused => self.refused(),
            SwapEffect::Settled => {
                self.swaps.former = None;
                self.swaps.settles_at = None;
                self.parts.control.set_status(SwapStatus::Steady);
                self.tell_slots(|| SlotCommand::Settle);
            }
            SwapEffect::Failed => {
                return Err(self.swaps.failure.take().unwrap_or(PipelineError::Gone { part: "a swap" }));
            }
            SwapEffect::Record { .. } => {}
        }
        Ok(())
    }

    fn tell_slots(&self, command: impl Fn() -> SlotCommand) {
        for slot in self.slots.iter().filter_map(SlotEnd::here) {
            // A slot that failed has reported why.
            let _ = slot.send(command());
        }
    }

    /// Starts the instances in a task of their own: everything goes on meanwhile.
    fn open_fresh(&mut self, back: bool) {
        let s = &mut self.swaps;
        if back {
            s.coming = s.former.take();
            s.settles_at = None;
        }
        self.parts.control.set_status(SwapStatus::Swapping);
        let Some((_, plugins)) = s.coming.clone() else { return };
        let (parts, tell) = (s.parts, s.opened_tx.clone());
        let (slots, lanes, start) = (self.plan.slots, self.plan.lanes, self.stored);
        self.tasks.spawn(async move {
            let _ = tell.send(open(&plugins, parts, (slots, lanes), start).await);
        });
    }

    /// From here on a crash restarts with the plugins that are coming.
    async fn record_swap(&mut self, floors: Vec<Position>) -> Result<(), PipelineError> {
        if let Some((_, plugins)) = &self.swaps.coming {
            self.resume.label = plugins.label();
        }
        if !floors.is_empty() {
            self.resume.raise_floors(&floors);
            self.swaps.positions = floors;
        }
        self.resume_changed = true;
        self.store_checkpoint().await
    }

    fn switch_all(&mut self) {
        let (Some((version, plugins)), Some(fresh)) = (self.swaps.coming.clone(), self.swaps.fresh.take()) else {
            return;
        };
        // Whoever is taken back has nobody behind.
        let probation = version == self.swaps.newest && !self.swaps.probation.is_zero();
        let Fresh { stages, sinks, executor } = fresh;
        let (mut stages, mut sinks) = (stages.into_iter(), sinks.into_iter());
        for slot in self.slots.iter().filter_map(SlotEnd::here) {
            let swap = |ready| LaneSwap { version, plugins: Arc::clone(&plugins), ready, probation };
            let lanes = sinks.next().into_iter().flatten().map(swap).collect();
            let switch = SlotSwitch { stages: stages.next(), lanes, probation };
            let _ = slot.send(SlotCommand::Switch(switch));
        }
        let _ = self.ddl_work.send(DdlItem::Swap(executor));
        self.swaps.former = Some(std::mem::replace(&mut self.swaps.current, (version, plugins)));
    }

    fn swap_done(&mut self, stall: Duration) {
        add(&self.parts.stats.swaps, 1);
        let s = &mut self.swaps;
        s.coming = None;
        s.settles_at = Some(Instant::now() + s.probation);
        self.parts.control.set_status(SwapStatus::Probation);
        tracing::info!(plugins = s.current.1.label(), stall_us = stall.as_micros() as u64, "plugins are swapped");
        let positions = std::mem::take(&mut s.positions);
        s.answer(Ok(SwapOutcome { positions, stall }));
    }

    fn rolled_back(&mut self) {
        add(&self.parts.stats.rollbacks, 1);
        let s = &mut self.swaps;
        (s.coming, s.former) = (None, None);
        let why = Arc::new(s.failure.take().unwrap_or(PipelineError::Gone { part: "a plugin" }));
        tracing::error!(plugins = s.current.1.label(), error = %why, "swapped plugins failed; those before them run again");
        self.parts.control.set_status(SwapStatus::RolledBack(Arc::clone(&why)));
        s.answer(Err(SwapError::RolledBack(why)));
    }

    fn refused(&mut self) {
        let s = &mut self.swaps;
        s.coming = None;
        self.parts.control.set_status(SwapStatus::Steady);
        let why = s.failure.take().unwrap_or(PipelineError::Gone { part: "a plugin" });
        tracing::warn!(error = %why, "a swap is refused");
        s.answer(Err(SwapError::Refused(Arc::new(why))));
    }
}

/// Starts what is to change; sinks only where they may be started beside those that still write.
async fn open(
    plugins: &Arc<dyn PluginSource>,
    parts: SwapParts,
    (slots, lanes): (u16, u16),
    start: Position,
) -> Result<Fresh, PipelineError> {
    let mut fresh = Fresh { stages: Vec::new(), sinks: Vec::new(), executor: ExecutorFresh::default() };
    for slot in (0..slots).map(SlotId) {
        if parts.stages {
            fresh.stages.push(StageSet::open(plugins, slot, lanes).await?);
        }
        if parts.sink {
            fresh.sinks.push(open_sinks(plugins, slot, lanes, start).await?);
        }
    }
    fresh.executor = open_executor(plugins, parts, lanes, start).await?;
    Ok(fresh)
}

async fn open_sinks(
    plugins: &Arc<dyn PluginSource>,
    slot: SlotId,
    lanes: u16,
    start: Position,
) -> Result<Vec<Option<OpenSink>>, PipelineError> {
    let mut sinks = Vec::new();
    for lane in (0..lanes).map(LaneId) {
        let at = SinkStart { slot, lane, lanes, start, state: None };
        let opened = if plugins.opens_warm() { Some(plugins.sink(at).await) } else { None };
        let failed = |source| PipelineError::Start { what: format!("slot {slot}, lane {lane}"), source };
        sinks.push(opened.transpose().map_err(failed)?);
    }
    Ok(sinks)
}

/// What the DDL executor needs of a choice of plugins.
pub(crate) async fn open_executor(
    plugins: &Arc<dyn PluginSource>,
    parts: SwapParts,
    lanes: u16,
    start: Position,
) -> Result<ExecutorFresh, PipelineError> {
    let failed = |source| PipelineError::Start { what: "the DDL executor".to_owned(), source };
    let at = SinkStart { slot: SlotId(0), lane: LaneId(lanes), lanes, start, state: None };
    let sink = if parts.sink { Some(plugins.sink(at).await.map_err(failed)?) } else { None };
    let transforms = if parts.stages { Some(plugins.transforms(DDL_SLOT).await.map_err(failed)?) } else { None };
    Ok(ExecutorFresh { sink, transforms })
}
