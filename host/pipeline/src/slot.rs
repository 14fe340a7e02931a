//! A slot: merges its spans in commit order, cuts windows, takes them through the stages, feeds the lanes, reports progress.

use crate::aside::Aside;
use crate::canary::{SinkShadow, StageShadow};
use crate::error::PipelineError;
use crate::frontier::Frontier;
use crate::lane::{LaneItem, LaneReport};
use crate::lane_cursor::LaneCursor;
use crate::lane_swap::Switched;
use crate::replay::Replay;
use crate::resume::LaneState;
use crate::slot_route::Window;
use crate::slot_swap::{Mode, SlotSwitch};
use crate::stages::Stages;
use crate::stats::{Stats, add};
use crate::tables::Tables;
use crate::tap::Taps;
use crate::windows::Windows;
use std::sync::Arc;
use std::time::Duration;
use tg_model::{LaneId, Position, SlotId, SpanId, TableVersion, Ts};
use tg_sorter::{SortedChange, Sorter};
use tg_upstream::{FeedEvent, FeedReceiver};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc;

/// Most feed events taken between two looks at commands and acknowledgements.
const FEED_BURST_EVENTS: usize = 256;
/// With more than this in memory, or anything on disk, a sorter's calls may wait for the disk.
const SORTER_CALM_BYTES: usize = 8 << 20;

/// What the feed tells a slot.
pub(crate) enum SlotCommand {
    AddSpan {
        span: SpanId,
        version: Arc<TableVersion>,
        start: Ts,
    },
    SetVersion {
        span: SpanId,
        version: Arc<TableVersion>,
    },
    RemoveSpan {
        span: SpanId,
    },
    Emit(Position),
    Tick,
    /// Finish the transaction and let every lane finish; then stand still until the switch.
    Drain,
    /// Other plugins take over.
    Switch(SlotSwitch),
    /// The last swap is for good.
    Settle,
    /// A row that was put aside is wanted after all.
    Replay(Replay),
    /// New plugins are looked at beside the present ones; with nothing in it: not any more.
    Shadow {
        stages: Option<Box<StageShadow>>,
        sinks: Vec<SinkShadow>,
    },
}

/// What a slot tells the feed.
pub(crate) enum SlotReport {
    Progress {
        slot: SlotId,
        applied: u64,
        resolved: Ts,
        checkpoint: Position,
    },
    /// What a lane's sink keeps.
    State(LaneState),
    /// Everything up to here is durable and nothing is under way.
    Drained {
        slot: SlotId,
        at: Position,
    },
    /// The stages have changed. For so long no window was cut.
    Switched {
        stall: Duration,
    },
    LaneSwitched {
        outcome: Result<Switched, PipelineError>,
    },
    /// Plugins on probation have failed.
    Broken(PipelineError),
    Failed(PipelineError),
}

/// One lane as its slot sees it.
pub(crate) struct LaneEnd {
    pub(crate) items: mpsc::Sender<LaneItem>,
    pub(crate) cursor: LaneCursor,
}

pub(crate) struct Slot {
    pub(crate) id: SlotId,
    pub(crate) feed: FeedReceiver,
    pub(crate) commands: mpsc::UnboundedReceiver<SlotCommand>,
    pub(crate) lane_reports: mpsc::UnboundedReceiver<LaneReport>,
    pub(crate) reports: mpsc::UnboundedSender<SlotReport>,
    pub(crate) sorter: Sorter,
    pub(crate) tables: Tables,
    pub(crate) stages: Stages,
    pub(crate) lanes: Vec<LaneEnd>,
    /// Rows with a commit-ts at or below this may have been handed over before the start.
    pub(crate) replay_until: Ts,
    /// Rows that cannot be mounted are put aside.
    pub(crate) raw_aside: bool,
    pub(crate) aside: Aside,
    pub(crate) stats: Arc<Stats>,
    pub(crate) progress: Progress,
    pub(crate) mode: Mode,
    /// The stages may still be taken back.
    pub(crate) probation: bool,
    /// A window that the stages on probation could not take.
    pub(crate) parked: Option<Window>,
    /// Others that are only looked at.
    pub(crate) shadow: Option<Box<StageShadow>>,
    /// Who looks at rows as they pass.
    pub(crate) taps: Arc<Taps>,
}

/// Where the slot stands.
pub(crate) struct Progress {
    pub(crate) windows: Windows,
    pub(crate) frontier: Frontier,
    /// Span commands applied.
    applied: u64,
    /// Rows may leave up to here.
    upto: Position,
    /// Rows have been cut up to here.
    pub(crate) cut: Position,
    /// No transaction is cut in two there.
    pub(crate) cut_between: bool,
    last_report: Option<(u64, Ts, Position)>,
    /// The sorter may hold more rows below the limit.
    pub(crate) more: bool,
    /// Everything below has been mounted; at it there may be more.
    pub(crate) newest: Ts,
    /// Commit-ts of the last change that was mounted.
    pub(crate) mounted: Ts,
    /// Taken from the sorter, and for the next window because a batch was full. Empty otherwise.
    pub(crate) left: Vec<SortedChange>,
}

impl Progress {
    pub(crate) fn new(slots: u16, lanes: u16, start: Position) -> Self {
        Self {
            windows: Windows::new(slots, lanes, start),
            frontier: Frontier::default(),
            applied: 0,
            upto: start,
            cut: start,
            cut_between: true,
            last_report: None,
            more: false,
            newest: Ts::ZERO,
            mounted: Ts::ZERO,
            left: Vec::new(),
        }
    }

    /// How far rows may leave now: as told, and as far as the slot's own spans are resolved.
    pub(crate) fn limit(&self) -> Position {
        self.upto.min(Position::rows(self.frontier.min()))
    }
}

impl Slot {
    /// Runs until the feed drops its ends, or an error is final.
    pub(crate) async fn run(mut self) {
        if let Err(error) = self.serve().await {
            let _ = self.reports.send(SlotReport::Failed(error));
        }
    }

    async fn serve(&mut self) -> Result<(), PipelineError> {
        let mut events = Vec::with_capacity(FEED_BURST_EVENTS);
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command).await?,
                    None => return Ok(()),
                },
                Some(report) = self.lane_reports.recv() => self.lane_report(report)?,
                () = self.feed.recv_many(&mut events, FEED_BURST_EVENTS) => {
                    self.drain_commands().await?;
                    may_block(self.uses_disk(), || events.drain(..).try_for_each(|event| self.feed_event(event)))?;
                }
            }
            self.drain_commands().await?;
            while let Ok(report) = self.lane_reports.try_recv() {
                self.lane_report(report)?;
            }
            self.pump().await?;
            self.drained();
            self.report();
        }
    }

    async fn drain_commands(&mut self) -> Result<(), PipelineError> {
        while let Ok(command) = self.commands.try_recv() {
            self.command(command).await?;
        }
        Ok(())
    }

    async fn command(&mut self, command: SlotCommand) -> Result<(), PipelineError> {
        match command {
            SlotCommand::AddSpan { span, version, start } => {
                self.sorter.add_span(span, version.table);
                self.progress.frontier.add(span, start);
                let unused = self.tables.set(span, version);
                self.drop_schemas(unused).await?;
                self.progress.applied += 1;
            }
            SlotCommand::SetVersion { span, version } => {
                let unused = self.tables.set(span, version);
                self.drop_schemas(unused).await?;
            }
            SlotCommand::RemoveSpan { span } => {
                self.sorter.remove_span(span);
                self.progress.frontier.remove(span);
                let unused = self.tables.remove(span);
                self.drop_schemas(unused).await?;
                self.progress.applied += 1;
            }
            SlotCommand::Emit(upto) => self.progress.upto = self.progress.upto.max(upto),
            SlotCommand::Tick => {
                let upto = self.progress.windows.done().checkpoint_ts();
                may_block(self.uses_disk(), || self.sorter.forget(upto));
            }
            SlotCommand::Replay(row) => self.replay(row).await?,
            SlotCommand::Shadow { stages, sinks } => {
                self.shadow = stages;
                let mut sinks = sinks.into_iter();
                for lane in &self.lanes {
                    let _ = lane.items.send(LaneItem::Shadow(sinks.next().map(Box::new))).await;
                }
            }
            SlotCommand::Drain => self.drain(),
            SlotCommand::Switch(switch) => self.switch(switch).await?,
            // The news that they failed came too late for a roll-back: the next run begins at this window.
            SlotCommand::Settle if self.parked.is_some() => {
                return Err(PipelineError::Gone { part: "a slot whose new plugins failed" });
            }
            SlotCommand::Settle => {
                self.probation = false;
                for lane in &self.lanes {
                    let _ = lane.items.send(LaneItem::Settle).await;
                }
            }
        }
        Ok(())
    }

    fn uses_disk(&self) -> bool {
        self.sorter.spilled_bytes() > 0 || self.sorter.pending_bytes() > SORTER_CALM_BYTES
    }

    /// Tells the stages of versions that are not used any more.
    pub(crate) async fn drop_schemas(
        &mut self,
        unused: impl IntoIterator<Item = Arc<TableVersion>>,
    ) -> Result<(), PipelineError> {
        for version in unused {
            self.stages.forget(&version).await?;
        }
        Ok(())
    }

    fn feed_event(&mut self, event: FeedEvent) -> Result<(), PipelineError> {
        match event {
            FeedEvent::Changes { span, changes, weight_bytes } => {
                add(&self.stats.rows_in, changes.len() as u64);
                add(&self.stats.bytes_in, weight_bytes as u64);
                self.sorter.push(span, changes).map_err(|source| PipelineError::Sorter { slot: self.id, source })?;
            }
            FeedEvent::Resolved { span, ts } => self.progress.frontier.advance(span, ts),
            FeedEvent::Initialized { .. } => add(&self.stats.spans_initialized, 1),
            FeedEvent::Failed { span, error } => {
                // A feed that failed while its span was being removed is nobody's loss.
                let Some(version) = self.tables.version(span) else { return Ok(()) };
                let table = format!("{}.{}", version.schema, version.name);
                return Err(PipelineError::Upstream { table, source: error });
            }
        }
        Ok(())
    }

    pub(crate) fn lane_report(&mut self, report: LaneReport) -> Result<(), PipelineError> {
        let report = match report {
            LaneReport::Durable { lane, window, state } => {
                self.progress.windows.acknowledged(lane, window);
                let Some(state) = state else { return Ok(()) };
                SlotReport::State(state)
            }
            LaneReport::Switched { outcome } => SlotReport::LaneSwitched { outcome },
            LaneReport::Broken { error } => SlotReport::Broken(error),
            LaneReport::Failed { error } => return Err(error),
        };
        let _ = self.reports.send(report);
        Ok(())
    }

    fn report(&mut self) {
        let p = &mut self.progress;
        let now = (p.applied, p.frontier.min(), p.windows.done());
        if p.last_report != Some(now) {
            p.last_report = Some(now);
            let (applied, resolved, checkpoint) = now;
            let _ = self.reports.send(SlotReport::Progress { slot: self.id, applied, resolved, checkpoint });
        }
    }

    pub(crate) fn lane(&self, lane: LaneId) -> Option<&LaneEnd> {
        self.lanes.get(usize::from(lane.0))
    }
}

/// Runs work that may wait for the disk so that other tasks of this thread go on meanwhile, where the runtime has other threads.
pub(crate) fn may_block<R>(waits: bool, work: impl FnOnce() -> R) -> R {
    let others = || Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    if waits && others() { tokio::task::block_in_place(work) } else { work() }
}
