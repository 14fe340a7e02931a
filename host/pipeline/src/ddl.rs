//! The DDL executor: runs one statement at a time through a sink instance of its own.

use crate::error::PipelineError;
use crate::ports::{DdlState, ProgressStore};
use crate::retry::{Retry, Verdict};
use crate::stats::{Stats, add};
use crate::tick::{tick, ticked};
use std::sync::Arc;
use tg_model::{DdlEvent, Ts};
use tg_plugin::SinkPort;
use tokio::sync::mpsc;

/// What the executor tells the feed.
pub(crate) enum DdlReport {
    Done { ts: Ts, seq: u32 },
    Failed(PipelineError),
}

pub(crate) struct DdlExecutor {
    pub(crate) sink: Box<dyn SinkPort>,
    pub(crate) store: Arc<dyn ProgressStore>,
    pub(crate) work: mpsc::UnboundedReceiver<Arc<DdlEvent>>,
    pub(crate) reports: mpsc::UnboundedSender<DdlReport>,
    pub(crate) stats: Arc<Stats>,
}

impl DdlExecutor {
    /// Runs until the feed drops its end, or an error is final.
    pub(crate) async fn run(mut self) {
        let mut tick = tick();
        loop {
            let event = tokio::select! {
                biased;
                event = self.work.recv() => event,
                _ = tick.tick() => match ticked(self.sink.as_mut()).await {
                    Ok(()) => continue,
                    Err(source) => {
                        let _ = self.reports.send(DdlReport::Failed(PipelineError::DdlSink { source }));
                        break;
                    }
                },
            };
            let Some(event) = event else { break };
            let (ts, seq) = (event.commit_ts, event.seq);
            let report = match self.execute(&event).await {
                Ok(()) => DdlReport::Done { ts, seq },
                Err(error) => DdlReport::Failed(error),
            };
            if self.reports.send(report).is_err() {
                break;
            }
        }
        self.sink.close().await;
    }

    async fn execute(&mut self, event: &Arc<DdlEvent>) -> Result<(), PipelineError> {
        if event.query.is_empty() {
            return Ok(());
        }
        let (ts, seq) = (event.commit_ts, event.seq);
        let known = self.store.ddl(ts, seq).await?;
        if known == Some(DdlState::Done) {
            return Ok(());
        }
        let mut maybe_done = known == Some(DdlState::Begun);
        self.store.set_ddl(ts, seq, DdlState::Begun).await?;
        let _running = self.stats.waits.begin(format!("the downstream to run the DDL at {ts}: {}", event.query));
        let mut retry = Retry::new();
        while let Err(source) = self.sink.on_ddl(Arc::clone(event), maybe_done).await {
            maybe_done |= source.is_unknown();
            match retry.after(&source) {
                Verdict::Again(wait) => {
                    add(&self.stats.retries, 1);
                    tracing::warn!(ddl_ts = ts.get(), error = %source, "DDL failed; again");
                    retry.show(&self.stats.waits, format!("the DDL at {ts}: {source}"));
                    tokio::time::sleep(wait).await;
                }
                Verdict::GiveUp => return Err(failed(event, source)),
            }
        }
        self.store.set_ddl(ts, seq, DdlState::Done).await?;
        add(&self.stats.ddls, 1);
        tracing::info!(ddl_ts = ts.get(), query = %event.query, "DDL done");
        Ok(())
    }
}

fn failed(event: &DdlEvent, source: tg_plugin::CallError) -> PipelineError {
    PipelineError::Ddl {
        ts: event.commit_ts,
        schema: event.schema.clone(),
        table: event.table.clone(),
        query: event.query.clone(),
        source,
    }
}
