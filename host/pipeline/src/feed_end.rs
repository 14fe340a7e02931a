//! How a run ends: slots settle, what is done is stored, the parts go.

use crate::error::PipelineError;
use crate::feed::Feed;
use crate::slot::SlotReport;
use crate::slot_end::SlotEnd;
use std::time::Duration;
use tg_model::Position;
use tokio::task::JoinSet;

/// How long slots that are to end may take to finish what they are at.
const SETTLE_MAX: Duration = Duration::from_secs(2);
/// How long the parts of a run, or of a slot of another node's run, may take to end.
const SHUT_DOWN_MAX: Duration = Duration::from_secs(10);

/// Waits for tasks whose channels are closed. Whoever is still in a call of a sink after the bound is dropped there, so that the next
/// run does not write beside it.
pub(crate) async fn end_tasks(mut tasks: JoinSet<()>) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUT_DOWN_MAX, all).await.is_err() {
        tracing::warn!("some sinks did not end in time and are dropped");
        tasks.shutdown().await;
    }
}

impl Feed {
    /// Lets every slot finish the transaction it is in, so that its lanes stand at one place, and notes where: then the next run may have
    /// other stages and repeats nothing. What takes too long is left as it is.
    pub(crate) async fn settle_down(&mut self) {
        if self.swaps.machine.is_busy() {
            return;
        }
        self.slots.iter().for_each(SlotEnd::drain);
        let mut floors = vec![Position::ZERO; self.slots.len()];
        let settle = async {
            let mut left = floors.len();
            while left > 0 {
                match self.slot_reports.recv().await {
                    Some(SlotReport::Drained { slot, at }) => {
                        floors[usize::from(slot.0)] = at;
                        left -= 1;
                    }
                    report => self.slot_report(report).await?,
                }
            }
            Ok::<_, PipelineError>(())
        };
        match tokio::time::timeout(SETTLE_MAX, settle).await {
            // At the checkpoint they say nothing.
            Ok(Ok(())) if floors.iter().all(|at| *at <= self.controller.checkpoint()) => {}
            Ok(Ok(())) => self.resume_changed |= self.resume.raise_floors(&floors),
            Ok(Err(e)) => tracing::debug!(error = %e, "a slot ended before it had settled"),
            Err(_) => tracing::debug!("the slots did not settle in time"),
        }
    }

    /// Stores the checkpoint and what belongs to it, if there is news.
    pub(crate) async fn store_checkpoint(&mut self) -> Result<(), PipelineError> {
        let now = self.controller.checkpoint();
        if now > self.stored || self.resume_changed {
            self.resume.forget_below(now);
            self.parts.store.checkpoint(now, &self.resume).await?;
            self.resume_changed = false;
        }
        if now > self.stored {
            self.stored = now;
            self.told_checkpoint.send_replace(now);
        }
        Ok(())
    }

    /// Ends every subscription, then waits for slots, lanes and the executor: they end when their channels close.
    pub(crate) async fn shut_down(self) {
        for span in self.spans.values().chain(&self.ddl_spans) {
            self.parts.upstream.unsubscribe(*span);
        }
        let Self { slots, ddl_work, swaps, tasks, .. } = self;
        drop((slots, ddl_work, swaps));
        end_tasks(tasks).await;
    }
}
