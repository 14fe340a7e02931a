//! The DDL executor: runs one statement at a time through a sink instance of its own.

use crate::error::PipelineError;
use crate::ports::{DdlState, OpenSink, ProgressStore};
use crate::retry::{Retry, wait_or_give_up};
use crate::stats::{Stats, add};
use crate::tick::{passes, tick, ticked};
use std::sync::Arc;
use tg_cluster::SYNCPOINT_SEQ;
use tg_model::{DdlEvent, Position, Stage, TableVersion, Ts};
use tg_plugin::{CallError, SinkPort, TransformPort};
use tokio::sync::{mpsc, watch};

/// What the feed tells the executor.
pub(crate) enum DdlItem {
    Run(Arc<DdlEvent>),
    /// Everything up to here is durable, and nothing beyond it is written until this is done.
    Syncpoint(Ts),
    /// Other instances run the statements behind it.
    Swap(ExecutorFresh),
}

/// Instances for the executor; those that are absent stay.
#[derive(Default)]
pub(crate) struct ExecutorFresh {
    pub(crate) sink: Option<OpenSink>,
    pub(crate) transforms: Option<Vec<Box<dyn TransformPort>>>,
}

/// What the executor tells the feed.
pub(crate) enum DdlReport {
    Done { ts: Ts, seq: u32 },
    Switched,
    Failed(PipelineError),
}

pub(crate) struct DdlExecutor {
    pub(crate) sink: Box<dyn SinkPort>,
    pub(crate) transforms: Vec<Box<dyn TransformPort>>,
    pub(crate) store: Arc<dyn ProgressStore>,
    pub(crate) items: mpsc::UnboundedReceiver<DdlItem>,
    /// The changefeed's checkpoint, as it is stored. The sink hears of it with its ticks: about once a second, and not while it is
    /// busy with a statement.
    pub(crate) checkpoint: watch::Receiver<Position>,
    pub(crate) reports: mpsc::UnboundedSender<DdlReport>,
    pub(crate) stats: Arc<Stats>,
}

impl DdlExecutor {
    /// Runs until the feed drops its end, or an error is final.
    pub(crate) async fn run(mut self) {
        if let Err(error) = self.serve().await {
            let _ = self.reports.send(DdlReport::Failed(error));
        }
        self.sink.close().await;
    }

    async fn serve(&mut self) -> Result<(), PipelineError> {
        let mut tick = tick();
        loop {
            let item = tokio::select! {
                biased;
                item = self.items.recv() => item,
                _ = tick.tick() => {
                    self.tell_checkpoint().await?;
                    ticked(self.sink.as_mut()).await.map_err(|source| PipelineError::DdlSink { source })?;
                    continue;
                }
            };
            let report = match item {
                None => return self.tell_checkpoint().await,
                Some(DdlItem::Swap(fresh)) => {
                    self.swap(fresh).await;
                    DdlReport::Switched
                }
                Some(DdlItem::Run(event)) => {
                    self.execute(&event).await?;
                    DdlReport::Done { ts: event.commit_ts, seq: event.seq }
                }
                Some(DdlItem::Syncpoint(ts)) => {
                    self.mark(ts).await?;
                    DdlReport::Done { ts, seq: SYNCPOINT_SEQ }
                }
            };
            let _ = self.reports.send(report);
        }
    }

    async fn swap(&mut self, fresh: ExecutorFresh) {
        if let Some(opened) = fresh.sink {
            self.sink.close().await;
            self.sink = opened.sink;
        }
        if let Some(transforms) = fresh.transforms {
            self.transforms = transforms;
        }
    }

    async fn tell_checkpoint(&mut self) -> Result<(), PipelineError> {
        if !self.checkpoint.has_changed().unwrap_or(false) {
            return Ok(());
        }
        let mut at = *self.checkpoint.borrow_and_update();
        if at.stage == Stage::Syncpoint {
            // That stage is told while everything waits, and never again.
            at.stage = Stage::Ddl;
        }
        match self.sink.on_checkpoint(at).await {
            Err(e) if passes(&e) => {
                tracing::debug!(error = %e, "a sink did not take the checkpoint");
                // With the next tick there will be another try.
                self.checkpoint.mark_changed();
                Ok(())
            }
            told => told.map_err(|source| PipelineError::DdlSink { source }),
        }
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
        let Some(seen) = self.transformed(event, maybe_done).await? else { return Ok(()) };
        self.store.set_ddl(ts, seq, DdlState::Begun).await?;
        let _running = self.stats.waits.begin(format!("the downstream to run the DDL at {ts}: {}", seen.query));
        let mut retry = Retry::new();
        while let Err(source) = self.sink.on_ddl(Arc::clone(&seen), maybe_done).await {
            maybe_done |= source.is_unknown();
            let again = wait_or_give_up(&self.stats, &mut retry, source, &format!("the DDL at {ts}")).await;
            again.map_err(|source| failed(&seen, source))?;
        }
        self.store.set_ddl(ts, seq, DdlState::Done).await?;
        add(&self.stats.ddls, 1);
        tracing::info!(ddl_ts = ts.get(), query = %seen.query, "DDL done");
        Ok(())
    }

    /// The statement as the sink is to see it; `None`: it is not to.
    async fn transformed(
        &mut self,
        event: &Arc<DdlEvent>,
        maybe_done: bool,
    ) -> Result<Option<Arc<DdlEvent>>, PipelineError> {
        let mut event = Arc::clone(event);
        for transform in &mut self.transforms {
            match through(transform.as_mut(), &event, maybe_done).await {
                Ok(Some(next)) => event = next,
                Ok(None) => return Ok(None),
                Err(source) => return Err(failed(&event, source)),
            }
        }
        Ok(Some(event))
    }
}

/// Takes a statement through one transform, which hears of the table before and after first, and forgets them behind.
async fn through(
    transform: &mut dyn TransformPort,
    event: &Arc<DdlEvent>,
    maybe_done: bool,
) -> Result<Option<Arc<DdlEvent>>, CallError> {
    let same = |v: &Arc<TableVersion>| event.before.as_ref().is_some_and(|b| b.table == v.table && b.since == v.since);
    let versions: Vec<_> = event.before.iter().chain(event.after.iter().filter(|v| !same(v))).cloned().collect();
    for version in &versions {
        transform.on_schema(Arc::clone(version)).await?;
    }
    let seen = transform.on_ddl(Arc::clone(event), maybe_done).await?;
    for version in &versions {
        transform.drop_schema(version).await?;
    }
    Ok(seen)
}

fn failed(event: &DdlEvent, source: CallError) -> PipelineError {
    PipelineError::Ddl {
        ts: event.commit_ts,
        schema: event.schema.clone(),
        table: event.table.clone(),
        query: event.query.clone(),
        source,
    }
}
