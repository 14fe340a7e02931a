//! How a slot changes its plugins.

use crate::error::PipelineError;
use crate::lane::LaneItem;
use crate::lane_swap::LaneSwap;
use crate::slot::{Slot, SlotReport};
use crate::slot_route::Window;
use crate::stages::StageSet;
use std::time::{Duration, Instant};
use tg_model::{Position, Ts};

/// Windows in flight up to which a slot that is to change its stages just waits for its lanes, which have enough to do.
const SETTLED_WINDOWS: usize = 1;

/// What a slot is doing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// Cutting windows.
    Open,
    /// Waiting for its lanes to get through most of what they have.
    Settling,
    /// Finishing the transaction and waiting for its lanes. From `since` on they have too little to do.
    Draining { since: Instant, upto: Option<Ts> },
    /// Standing still.
    Drained { since: Instant },
}

/// Other plugins.
pub(crate) struct SlotSwitch {
    /// Stages, if they change: the slot has drained.
    pub(crate) stages: Option<StageSet>,
    /// Sinks by lane, if they change.
    pub(crate) lanes: Vec<LaneSwap>,
    /// Whether stages that go come back when the new ones fail.
    pub(crate) probation: bool,
}

impl Slot {
    pub(crate) const fn drain(&mut self) {
        if matches!(self.mode, Mode::Open) {
            self.mode = Mode::Settling;
        }
    }

    /// Goes on with the drain as far as it has got.
    pub(crate) fn drained(&mut self) {
        if matches!(self.mode, Mode::Settling) && self.progress.windows.open() <= SETTLED_WINDOWS {
            let p = &self.progress;
            // The newest change that was mounted, or lies ready to be, is not the last of its transaction as far as one knows.
            let within = p.more && !p.cut_between && self.parked.is_none();
            let upto = within.then(|| p.left.last().map_or(p.newest, |s| s.change.commit_ts.max(p.newest)));
            self.mode = Mode::Draining { since: Instant::now(), upto };
        }
        if let Mode::Draining { since, upto: None } = self.mode
            && self.progress.windows.open() == 0
        {
            self.mode = Mode::Drained { since };
            let _ = self.reports.send(SlotReport::Drained { slot: self.id, at: self.progress.cut });
        }
    }

    /// Cuts windows to the end of the transaction that was cut in two.
    pub(crate) async fn finish_transaction(&mut self) -> Result<(), PipelineError> {
        while let Mode::Draining { since, upto: Some(upto) } = self.mode
            && self.progress.windows.has_room()
        {
            if self.window(Position::rows(upto)).await? {
                self.mode = Mode::Draining { since, upto: None };
                // Above there may be more.
                self.progress.more = true;
            }
        }
        Ok(())
    }

    /// Stages on probation cannot take this window: it waits for those before them.
    pub(crate) fn park(&mut self, window: Window, error: PipelineError) -> Result<(), PipelineError> {
        if !self.progress.cut_between {
            return Err(PipelineError::NoWayBack { at: self.progress.cut, source: Box::new(error) });
        }
        tracing::warn!(slot = self.id.0, error = %error, "swapped plugins failed; those before them are taken back");
        self.probation = false;
        self.stages.forget_all();
        self.parked = Some(window);
        self.mode = Mode::Draining { since: Instant::now(), upto: None };
        let _ = self.reports.send(SlotReport::Broken(error));
        Ok(())
    }

    /// Changes what is to be changed and goes on.
    pub(crate) async fn switch(&mut self, switch: SlotSwitch) -> Result<(), PipelineError> {
        for (end, swap) in self.lanes.iter().zip(switch.lanes) {
            // A lane that has ended has said why.
            let _ = end.items.send(LaneItem::Swap(swap)).await;
        }
        let Some(stages) = switch.stages else { return Ok(()) };
        self.shadow = None;
        let stall = match self.mode {
            Mode::Drained { since } => since.elapsed(),
            _ => Duration::ZERO,
        };
        assert!(matches!(self.mode, Mode::Drained { .. }), "stages change only while nothing is under way");
        let cut = self.progress.cut;
        assert!(
            self.lanes.iter().all(|l| l.cursor.durable() <= cut),
            "stages change at {cut}, below what a lane had written"
        );
        drop(self.stages.replace(stages));
        self.probation = switch.probation;
        for version in self.tables.close_idle() {
            let key_updates = self.stages.open(&version).await?;
            if let Some(open) = self.tables.get_mut(version.table) {
                open.key_updates = key_updates;
            }
        }
        self.mode = Mode::Open;
        let _ = self.reports.send(SlotReport::Switched { stall });
        match self.parked.take() {
            Some(window) => self.hand_over(window).await,
            None => Ok(()),
        }
    }
}
