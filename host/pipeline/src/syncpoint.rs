//! Sync points: the downstream stands still at one ts of the upstream, and the sink says by what that moment is known there.

use crate::ddl::DdlExecutor;
use crate::error::PipelineError;
use crate::ports::DdlState;
use crate::retry::{Retry, Verdict};
use crate::stats::add;
use tg_cluster::SYNCPOINT_SEQ;
use tg_model::{Position, Stage, Ts};

impl DdlExecutor {
    /// Has the sink mark the sync point. Rows beyond it leave only when it is on record that this was done, so it may be done again
    /// after a crash, but never beside later rows.
    pub(crate) async fn mark(&mut self, ts: Ts) -> Result<(), PipelineError> {
        if self.store.ddl(ts, SYNCPOINT_SEQ).await? == Some(DdlState::Done) {
            return Ok(());
        }
        let _marking = self.stats.waits.begin(format!("the downstream to mark the sync point at {ts}"));
        let mut retry = Retry::new();
        while let Err(source) = self.sink.on_checkpoint(Position { ts, stage: Stage::Syncpoint, seq: 0 }).await {
            match retry.after(&source) {
                Verdict::Again(wait) => {
                    add(&self.stats.retries, 1);
                    tracing::warn!(syncpoint_ts = ts.get(), error = %source, "a sync point was not marked; again");
                    retry.show(&self.stats.waits, format!("the sync point at {ts}: {source}"));
                    tokio::time::sleep(wait).await;
                }
                Verdict::GiveUp => return Err(PipelineError::Syncpoint { ts, source }),
            }
        }
        self.store.set_ddl(ts, SYNCPOINT_SEQ, DdlState::Done).await?;
        add(&self.stats.syncpoints, 1);
        tracing::info!(syncpoint_ts = ts.get(), "sync point marked");
        Ok(())
    }
}
