//! Sync points: the downstream stands still at one ts of the upstream, and the sink says by what that moment is known there.

use crate::ddl::DdlExecutor;
use crate::error::PipelineError;
use crate::ports::DdlState;
use crate::retry::{Retry, wait_or_give_up};
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
            let again = wait_or_give_up(&self.stats, &mut retry, source, &format!("the sync point at {ts}")).await;
            again.map_err(|source| PipelineError::Syncpoint { ts, source })?;
        }
        self.store.set_ddl(ts, SYNCPOINT_SEQ, DdlState::Done).await?;
        add(&self.stats.syncpoints, 1);
        tracing::info!(syncpoint_ts = ts.get(), "sync point marked");
        Ok(())
    }
}
