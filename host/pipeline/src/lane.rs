//! A lane: one ordered stream of batches into one sink instance at a time.

use crate::aside::Aside;
use crate::budget::Budget;
use crate::canary::SinkShadow;
use crate::error::{Fate as _, PipelineError};
use crate::held::{Held, LaneWork};
use crate::known::Known;
use crate::lane_swap::{LaneSwap, Switched};
use crate::lane_write::{Doing, Trouble};
use crate::ports::{PluginSource, SinkStart};
use crate::replay::LaneReplay;
use crate::resume::{Counted, LaneState};
use crate::stats::{Stats, add};
use crate::tick::{tick, ticked};
use std::sync::Arc;
use tg_model::{LaneId, Position, SlotId};
use tg_plugin::{CallError, SinkPort};
use tokio::sync::mpsc;

/// What a slot tells a lane.
pub(crate) enum LaneItem {
    Work(LaneWork),
    /// Everything before it is to be written by the present sink, everything behind it by another.
    Swap(LaneSwap),
    /// The last swap is for good.
    Settle,
    /// A row that was put aside is wanted after all.
    Replay(LaneReplay),
    /// Another sink is looked at beside the present one; `None`: not any more.
    Shadow(Option<Box<SinkShadow>>),
}

/// What a lane tells its slot.
pub(crate) enum LaneReport {
    /// Everything up to and with this window is durable; `state`: what its sink keeps.
    Durable { lane: LaneId, window: u64, state: Option<LaneState> },
    /// A swap is over. An error: the sink before it goes on.
    Switched { outcome: Result<Switched, PipelineError> },
    /// The sink of the last swap failed on probation; the one before it goes on.
    Broken { error: PipelineError },
    /// The lane has ended.
    Failed { error: PipelineError },
}

/// Runs until the slot drops its end or an error is final.
pub(crate) struct Lane {
    pub(crate) slot: SlotId,
    pub(crate) lane: LaneId,
    pub(crate) lanes: u16,
    pub(crate) sink: Box<dyn SinkPort>,
    /// Where the sink comes from; the number names the choice within the run.
    pub(crate) plugins: (u64, Arc<dyn PluginSource>),
    /// Where the sink before it comes from, while the last swap is on probation.
    pub(crate) fallback: Option<(u64, Arc<dyn PluginSource>)>,
    pub(crate) known: Known,
    pub(crate) items: mpsc::Receiver<LaneItem>,
    /// Taken from `items` and next to be looked at.
    pub(crate) next: Option<LaneItem>,
    pub(crate) reports: mpsc::UnboundedSender<LaneReport>,
    pub(crate) held: Held,
    /// Everything of the lane up to here is durable.
    pub(crate) at: Position,
    /// What positions that its store holds for the lane mean.
    pub(crate) counted: Counted,
    /// What the sink keeps, as acknowledged with `at` or before.
    pub(crate) state: Option<Arc<[u8]>>,
    pub(crate) barrier_id: u32,
    /// A call since the last acknowledgement had an unknown outcome.
    pub(crate) unsure: bool,
    pub(crate) doing: Doing,
    /// Another sink that is only looked at.
    pub(crate) shadow: Option<Box<SinkShadow>>,
    pub(crate) budget: Budget,
    pub(crate) aside: Aside,
    pub(crate) stats: Arc<Stats>,
}

impl Lane {
    pub(crate) async fn run(mut self) {
        if let Err(error) = self.serve().await {
            let _ = self.reports.send(LaneReport::Failed { error });
        }
        self.sink.close().await;
    }

    async fn serve(&mut self) -> Result<(), PipelineError> {
        let mut tick = tick();
        loop {
            let item = match self.next.take() {
                Some(item) => Some(item),
                None => tokio::select! {
                    biased;
                    item = self.items.recv() => item,
                    _ = tick.tick() => {
                        self.tick().await?;
                        continue;
                    }
                },
            };
            match item {
                None => return Ok(()),
                Some(LaneItem::Work(work)) => {
                    self.held.push(work);
                    self.write_out().await?;
                }
                Some(LaneItem::Swap(swap)) => {
                    let outcome = self.swap(swap).await?;
                    let _ = self.reports.send(LaneReport::Switched { outcome });
                }
                Some(LaneItem::Settle) => self.fallback = None,
                Some(LaneItem::Shadow(shadow)) => self.shadow = shadow,
                Some(LaneItem::Replay(row)) => self.replay(row).await?,
            }
        }
    }

    async fn tick(&mut self) -> Result<(), PipelineError> {
        match ticked(self.sink.as_mut()).await {
            Ok(()) => Ok(()),
            Err(e) => self.mend(Trouble::Call(e)).await.map(drop),
        }
    }

    /// Makes what is held, and what comes meanwhile up to the flush limits, durable.
    async fn write_out(&mut self) -> Result<(), PipelineError> {
        let mut done = None;
        while !self.held.is_empty() {
            match self.attempt().await {
                Ok(window) => done = Some(window),
                Err(trouble) => done = self.mend(trouble).await?.or(done),
            }
        }
        if let Some(window) = done {
            let (slot, lane, at) = (self.slot, self.lane, self.at);
            let state = self.state.clone().map(|state| LaneState { slot, lane, at, state });
            let _ = self.reports.send(LaneReport::Durable { lane, window, state });
        }
        Ok(())
    }

    /// Gets the lane going again after a failure, if that can be done without the run starting anew: the instance is dead or was on
    /// probation, and nothing it was asked for has an unknown outcome. Answers the last window that turned out to be durable.
    pub(crate) async fn mend(&mut self, trouble: Trouble) -> Result<Option<u64>, PipelineError> {
        let error = match trouble {
            Trouble::Final(error) => return Err(error),
            Trouble::Call(error) => error,
        };
        let doing = std::mem::take(&mut self.doing);
        if self.unsure || error.is_unknown() || error.is_fenced() {
            return Err(self.error(error));
        }
        if let Some(before) = self.fallback.take() {
            tracing::warn!(slot = self.slot.0, lane = self.lane.0, error = %error, "a swapped sink failed; the one before it goes on");
            let _ = self.reports.send(LaneReport::Broken { error: self.error(error.clone()) });
            self.plugins = before;
            return self.reopen(&error).await;
        }
        if !error.is_stopped() {
            return Err(self.error(error));
        }
        add(&self.stats.plugin_stops, 1);
        let Some(wait) = self.budget.stopped(std::time::Instant::now()) else { return Err(self.error(error)) };
        tracing::warn!(slot = self.slot.0, lane = self.lane.0, error = %error, "a sink was stopped; it is started anew");
        match doing {
            Doing::Giving(id, piece) => self.suspect(id, &piece, &error).await?,
            Doing::Flushing => self.suspect_flush(error.clone()).await?,
            // Another try may pass, many will not.
            Doing::Other if self.budget.in_a_row() > OTHER_STOPS_MAX => return Err(self.error(error)),
            Doing::Other => {}
        }
        tokio::time::sleep(wait).await;
        self.reopen(&error).await
    }

    /// A fresh instance; what its store holds for the lane.
    pub(crate) async fn fresh(&mut self) -> Result<Option<Position>, PipelineError> {
        let opened = self.plugins.1.sink(self.start()).await;
        let opened = opened.map_err(|source| {
            let what = format!("slot {}, lane {}", self.slot, self.lane);
            PipelineError::Start { what, source }
        })?;
        self.sink = opened.sink;
        self.known = Known::default();
        self.unsure = false;
        self.held.restart();
        Ok(opened.durable.and_then(|at| self.counted.trust(at)))
    }

    /// A fresh instance goes on from what is durable.
    async fn reopen(&mut self, why: &CallError) -> Result<Option<u64>, PipelineError> {
        match self.fresh().await? {
            Some(durable) if durable > self.at => {
                let done = self.held.skip_to(durable).ok_or_else(|| self.error(why.clone()))?;
                self.at = durable;
                Ok(Some(done))
            }
            Some(_) => Ok(None),
            None => {
                self.held.mark_repeated();
                Ok(None)
            }
        }
    }

    pub(crate) fn start(&self) -> SinkStart {
        SinkStart {
            slot: self.slot,
            lane: self.lane,
            lanes: self.lanes,
            start: self.at,
            state: self.state.as_deref().map(<[u8]>::to_vec),
        }
    }

    pub(crate) fn failed(&self, trouble: Trouble) -> PipelineError {
        match trouble {
            Trouble::Call(e) => self.error(e),
            Trouble::Final(e) => e,
        }
    }

    pub(crate) fn error(&self, source: CallError) -> PipelineError {
        PipelineError::Sink { slot: self.slot, lane: self.lane, source }
    }
}

/// Stops in a row over something else than rows before the run starts anew.
const OTHER_STOPS_MAX: u32 = 3;
