//! A lane: one ordered stream of batches into one sink instance.

use crate::error::PipelineError;
use crate::retry::{Retry, Verdict};
use crate::stats::{Stats, add};
use crate::tick::{tick, ticked};
use std::sync::Arc;
use tg_model::{LaneId, Position, SlotId, TableVersion};
use tg_plugin::{Barrier, BarrierKind, SinkPort};
use tgr1::BatchBuf;
use tokio::sync::mpsc;

/// Rows written before a flush, when the sink's plan names no number.
const FLUSH_ROWS: u64 = 4_096;
/// Bytes written before a flush, when the sink's plan names no number.
const FLUSH_BYTES: u64 = 8 << 20;
/// How often a sink may answer "not complete yet" to one barrier before that counts as an error.
const INCOMPLETE_MAX: u32 = 1_000;
/// Table versions a sink instance is kept told of; above it those that the last flush did not need are dropped.
const KNOWN_TABLES_MAX: usize = 1_024;

/// One table's rows of one window.
pub(crate) struct LaneBatch {
    pub(crate) version: Arc<TableVersion>,
    pub(crate) batch: Arc<BatchBuf>,
}

/// What a window brings to one lane.
pub(crate) struct LaneWork {
    pub(crate) window: u64,
    /// The lane's own position when the work is durable.
    pub(crate) upto: Position,
    pub(crate) batches: Vec<LaneBatch>,
}

/// What a lane tells its slot.
pub(crate) enum LaneReport {
    /// Everything up to and with this window is durable.
    Durable { lane: LaneId, window: u64 },
    /// The lane has ended.
    Failed { error: PipelineError },
}

/// Runs until the slot drops its end or an error is final.
pub(crate) struct Lane {
    pub(crate) slot: SlotId,
    pub(crate) lane: LaneId,
    pub(crate) sink: Box<dyn SinkPort>,
    pub(crate) work: mpsc::Receiver<LaneWork>,
    pub(crate) reports: mpsc::UnboundedSender<LaneReport>,
    pub(crate) stats: Arc<Stats>,
}

/// Written and not yet durable.
#[derive(Default)]
struct Open {
    rows: u64,
    bytes: u64,
    limit_rows: u64,
    limit_bytes: u64,
}

impl Open {
    fn start() -> Self {
        Self { rows: 0, bytes: 0, limit_rows: FLUSH_ROWS, limit_bytes: FLUSH_BYTES }
    }

    const fn is_full(&self) -> bool {
        self.rows >= self.limit_rows || self.bytes >= self.limit_bytes
    }
}

impl Lane {
    pub(crate) async fn run(mut self) {
        let mut barrier_id = 0;
        let mut known = Known::default();
        let mut tick = tick();
        loop {
            let work = tokio::select! {
                biased;
                work = self.work.recv() => work,
                _ = tick.tick() => {
                    if let Err(e) = ticked(self.sink.as_mut()).await {
                        let _ = self.reports.send(LaneReport::Failed { error: self.error(e) });
                        break;
                    }
                    continue;
                }
            };
            let Some(first) = work else { break };
            match self.serve(first, &mut known, &mut barrier_id).await {
                Ok(window) => {
                    if self.reports.send(LaneReport::Durable { lane: self.lane, window }).is_err() {
                        break;
                    }
                }
                Err(error) => {
                    let _ = self.reports.send(LaneReport::Failed { error });
                    break;
                }
            }
        }
        self.sink.close().await;
    }

    /// Writes this work and what waits behind it up to the flush limits, then flushes. Returns the last window.
    async fn serve(&mut self, first: LaneWork, known: &mut Known, id: &mut u32) -> Result<u64, PipelineError> {
        known.forget_idle(self.sink.as_mut()).await.map_err(|e| self.error(e))?;
        let mut open = Open::start();
        let mut last = (first.window, first.upto);
        self.write(first, known, &mut open).await?;
        while !open.is_full()
            && let Ok(next) = self.work.try_recv()
        {
            last = (next.window, next.upto);
            self.write(next, known, &mut open).await?;
        }
        *id = id.wrapping_add(1);
        self.flush(Barrier { id: *id, kind: BarrierKind::Checkpoint, at: last.1 }).await?;
        add(&self.stats.rows_durable, open.rows);
        Ok(last.0)
    }

    async fn write(&mut self, work: LaneWork, known: &mut Known, open: &mut Open) -> Result<(), PipelineError> {
        for LaneBatch { version, batch } in work.batches {
            let plan = known.plan(&version, self.sink.as_mut()).await.map_err(|e| self.error(e))?;
            open.limit_rows = open.limit_rows.min(plan.rows);
            open.limit_bytes = open.limit_bytes.min(plan.bytes);
            open.rows += batch.batch().len() as u64;
            open.bytes += batch.len_bytes() as u64;
            let mut retry = Retry::new();
            loop {
                match self.sink.write(Arc::clone(&batch)).await {
                    Ok(outcome) if outcome.quarantined.is_empty() => break,
                    Ok(outcome) => return Err(PipelineError::refused_row(&version, &batch, &outcome.quarantined)),
                    // Written again they might be there twice: a fresh instance begins at what is durable.
                    Err(e) if e.is_unknown() => return Err(self.error(e)),
                    Err(e) => self.wait_or_give_up(&mut retry, e).await?,
                }
            }
        }
        Ok(())
    }

    async fn flush(&mut self, barrier: Barrier) -> Result<(), PipelineError> {
        let mut retry = Retry::new();
        let mut incomplete = 0;
        loop {
            match self.sink.flush(barrier).await {
                Ok(ack) if ack.complete => break,
                Ok(_) => {
                    incomplete += 1;
                    if incomplete > INCOMPLETE_MAX {
                        return Err(PipelineError::NeverComplete { slot: self.slot, lane: self.lane, at: barrier.at });
                    }
                    tokio::task::yield_now().await;
                }
                Err(e) if e.is_unknown() => {
                    self.wait_or_give_up(&mut retry, e).await?;
                    if self.durable().await?.is_some_and(|p| p >= barrier.at) {
                        break;
                    }
                }
                Err(e) => self.wait_or_give_up(&mut retry, e).await?,
            }
        }
        add(&self.stats.flushes, 1);
        Ok(())
    }

    /// What is durable after a flush of unknown outcome; `None`: nobody knows, so the flush is repeated.
    async fn durable(&mut self) -> Result<Option<Position>, PipelineError> {
        let mut retry = Retry::new();
        loop {
            match self.sink.status().await {
                Ok(position) => return Ok(position),
                Err(e) => self.wait_or_give_up(&mut retry, e).await?,
            }
        }
    }

    async fn wait_or_give_up(&mut self, retry: &mut Retry, e: tg_plugin::CallError) -> Result<(), PipelineError> {
        match retry.after(&e) {
            Verdict::Again(wait) => {
                add(&self.stats.retries, 1);
                tracing::warn!(slot = self.slot.0, lane = self.lane.0, wait_ms = wait.as_millis() as u64, error = %e, "sink call failed; again");
                retry.show(&self.stats.waits, format!("the sink of slot {}, lane {}: {e}", self.slot, self.lane));
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Verdict::GiveUp => Err(self.error(e)),
        }
    }

    fn error(&self, source: tg_plugin::CallError) -> PipelineError {
        PipelineError::Sink { slot: self.slot, lane: self.lane, source }
    }
}

/// Table versions the sink was told of, with what it asked for.
#[derive(Default)]
struct Known {
    plans: std::collections::HashMap<i64, KnownTable, foldhash::fast::RandomState>,
    /// Flushes so far.
    flush: u64,
}

struct KnownTable {
    version: Arc<TableVersion>,
    plan: Plan,
    /// The flush that last had rows of it.
    flush: u64,
}

#[derive(Clone, Copy)]
struct Plan {
    rows: u64,
    bytes: u64,
}

impl Known {
    async fn plan(&mut self, v: &Arc<TableVersion>, sink: &mut dyn SinkPort) -> Result<Plan, tg_plugin::CallError> {
        if let Some(known) = self.plans.get_mut(&v.table.0)
            && Arc::ptr_eq(&known.version, v)
        {
            known.flush = self.flush;
            return Ok(known.plan);
        }
        if let Some(old) = self.plans.remove(&v.table.0) {
            sink.drop_schema(&old.version).await?;
        }
        let asked = sink.on_schema(Arc::clone(v)).await?;
        let plan = Plan {
            rows: asked.batch_rows.map_or(FLUSH_ROWS, u64::from).max(1),
            bytes: asked.batch_bytes.map_or(FLUSH_BYTES, u64::from).max(1),
        };
        self.plans.insert(v.table.0, KnownTable { version: Arc::clone(v), plan, flush: self.flush });
        Ok(plan)
    }

    /// With too many tables, drops those that the last flush did not need. Only while nothing is written and not durable.
    async fn forget_idle(&mut self, sink: &mut dyn SinkPort) -> Result<(), tg_plugin::CallError> {
        if self.plans.len() > KNOWN_TABLES_MAX {
            let last = self.flush;
            for (_, idle) in self.plans.extract_if(|_, t| t.flush < last).collect::<Vec<_>>() {
                sink.drop_schema(&idle.version).await?;
            }
        }
        self.flush += 1;
        Ok(())
    }
}
