//! How a feed carries a look at new plugins out.

use crate::canary::{CanaryReport, CanaryRequest, Report, SinkShadow, StageShadow};
use crate::control::{FeedControl, SwapError};
use crate::error::PipelineError;
use crate::ports::{PluginSource, SinkStart};
use crate::slot::SlotCommand;
use crate::stages::StageSet;
use std::sync::Arc;
use tg_model::{LaneId, Position, SlotId};
use tokio::sync::{mpsc, watch};

/// A look, in a task of its own.
pub(crate) struct Look {
    pub(crate) now: Arc<dyn PluginSource>,
    pub(crate) request: CanaryRequest,
    /// The slots end when the feed lets go of them, not when this does.
    pub(crate) slots: Vec<mpsc::WeakUnboundedSender<SlotCommand>>,
    pub(crate) control: FeedControl,
    pub(crate) lanes: u16,
    pub(crate) start: Position,
}

impl Look {
    pub(crate) async fn run(self) -> Result<CanaryReport, SwapError> {
        let report: Report = Arc::new(watch::Sender::new(CanaryReport::default()));
        let mut seen = report.subscribe();
        let mut shadows = Vec::new();
        for slot in (0..self.slots.len() as u16).map(SlotId) {
            let opened = self.open(slot, &report).await;
            shadows.push(opened.map_err(|e| SwapError::Refused(Arc::new(e)))?);
        }
        for (slot, shadow) in self.slots.iter().zip(shadows) {
            if let Some(slot) = slot.upgrade() {
                let _ = slot.send(shadow);
            }
        }
        let enough = |r: &CanaryReport| r.windows >= self.request.windows || r.failure.is_some();
        // Without rows there is nothing to compare: the time ends it.
        tokio::select! {
            _ = tokio::time::timeout(self.request.time, seen.wait_for(enough)) => {}
            () = self.control.ended() => {}
        }
        for slot in &self.slots {
            if let Some(slot) = slot.upgrade() {
                let _ = slot.send(SlotCommand::Shadow { stages: None, sinks: Vec::new() });
            }
        }
        let seen = report.borrow().clone();
        Ok(seen)
    }

    async fn open(&self, slot: SlotId, report: &Report) -> Result<SlotCommand, PipelineError> {
        let CanaryRequest { plugins, parts, share, .. } = &self.request;
        let mut stages = None;
        if parts.stages {
            let set = StageSet::open(plugins, slot, self.lanes).await?;
            stages = Some(Box::new(StageShadow::new(slot, self.lanes, set, *share, Arc::clone(report))));
        }
        let mut sinks = Vec::new();
        for lane in (0..self.lanes).map(LaneId).filter(|_| parts.sink) {
            let at = SinkStart { slot, lane, lanes: self.lanes, start: self.start, state: None };
            let failed = |source| PipelineError::Start { what: format!("slot {slot}, lane {lane}"), source };
            let now = self.now.shadow_sink(at.clone()).await.map_err(failed)?.ok_or(PipelineError::NoShadow)?;
            let then = plugins.shadow_sink(at).await.map_err(failed)?.ok_or(PipelineError::NoShadow)?;
            sinks.push(SinkShadow::new(now, then, *share, Arc::clone(report)));
        }
        Ok(SlotCommand::Shadow { stages, sinks })
    }
}
