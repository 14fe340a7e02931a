//! How a lane changes its sink.

use crate::error::{Fate as _, PipelineError};
use crate::known::Known;
use crate::lane::Lane;
use crate::lane_write::Trouble;
use crate::ports::{OpenSink, PluginSource};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tg_model::Position;
use tg_plugin::BarrierKind;

/// Longest wait for a sink that goes: everything it wrote is durable.
const CLOSE_MAX: Duration = Duration::from_secs(10);

/// The sink that is to come.
pub(crate) struct LaneSwap {
    /// Names the choice of plugins within the run.
    pub(crate) version: u64,
    pub(crate) plugins: Arc<dyn PluginSource>,
    /// Started already, beside the one that still writes.
    pub(crate) ready: Option<OpenSink>,
    /// Whether the sink that goes comes back when the new one fails.
    pub(crate) probation: bool,
}

/// A swap that is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Switched {
    /// Rows up to here were written by the sink before.
    pub(crate) at: Position,
    /// For so long the lane could not write.
    pub(crate) stall: Duration,
}

impl Lane {
    /// Everything before is durable. The inner error: the sink before goes on.
    pub(crate) async fn swap(&mut self, swap: LaneSwap) -> Result<Result<Switched, PipelineError>, PipelineError> {
        let begin = Instant::now();
        let done = |lane: &Self| Switched { at: lane.at, stall: begin.elapsed() };
        if swap.version == self.plugins.0 {
            self.fallback = None;
            return Ok(Ok(done(self)));
        }
        let alive = match self.flush(BarrierKind::Swap, self.at).await {
            Ok(()) => true,
            // Should the sink that goes fail now, nothing is lost with it: everything is durable.
            Err(Trouble::Call(e)) if !e.is_fenced() && !self.unsure => {
                tracing::warn!(slot = self.slot.0, lane = self.lane.0, error = %e, "a sink failed at its last flush");
                false
            }
            Err(trouble) => return Err(self.failed(trouble)),
        };
        // What was started beside the other knows nothing of what that one kept.
        let opened = match swap.ready {
            Some(ready) if self.state.is_none() => Ok(ready),
            _ => swap.plugins.sink(self.start()).await,
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(source) => {
                let what = format!("slot {}, lane {}", self.slot, self.lane);
                return self.stay(alive, PipelineError::Start { what, source }).await;
            }
        };
        let known = opened.durable.and_then(|at| self.counted.trust(at));
        if let Some(durable) = known.filter(|d| *d > self.at) {
            let ahead = PipelineError::Ahead { slot: self.slot, lane: self.lane, durable, at: self.at };
            return self.stay(alive, ahead).await;
        }
        let mut old = std::mem::replace(&mut self.sink, opened.sink);
        let before = std::mem::replace(&mut self.plugins, (swap.version, swap.plugins));
        self.fallback = swap.probation.then_some(before);
        self.known = Known::default();
        tokio::spawn(async move { tokio::time::timeout(CLOSE_MAX, old.close()).await });
        Ok(Ok(done(self)))
    }

    /// The sink that was to go stays, or one like it.
    async fn stay(
        &mut self,
        alive: bool,
        why: PipelineError,
    ) -> Result<Result<Switched, PipelineError>, PipelineError> {
        if !alive {
            self.fresh().await?;
        }
        Ok(Err(why))
    }
}
