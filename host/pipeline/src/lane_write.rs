//! How a lane writes what it holds.

use crate::aside::Refused;
use crate::error::PipelineError;
use crate::held::{BatchId, Finding, LaneBatch};
use crate::lane::{Lane, LaneItem};
use crate::narrow::FlushFinding;
use crate::retry::{Retry, wait_or_give_up};
use crate::stages::poison;
use crate::stats::add;
use std::ops::Range;
use std::sync::Arc;
use tg_model::Position;
use tg_plugin::{BadEvent, Barrier, BarrierKind, CallError, CallFault};
use tgr1::BatchBuf;
use tokio::sync::mpsc::error::TryRecvError;

/// How often a sink may answer "not complete yet" to one barrier before that counts as an error.
const INCOMPLETE_MAX: u32 = 1_000;

/// Why writing stopped.
pub(crate) enum Trouble {
    /// A call failed in a way that its own retries do not cover.
    Call(CallError),
    /// It is no call's fault.
    Final(PipelineError),
}

/// What a lane is having its sink do.
#[derive(Default)]
pub(crate) enum Doing {
    /// It is given this piece of a batch.
    Giving(BatchId, Range<u32>),
    /// It makes durable what it was given.
    Flushing,
    /// Nothing that is about rows.
    #[default]
    Other,
}

impl From<CallError> for Trouble {
    fn from(e: CallError) -> Self {
        Self::Call(e)
    }
}

impl Lane {
    /// Writes what is held, then what waits behind it up to the flush limits, and flushes. The last window that is durable then.
    pub(crate) async fn attempt(&mut self) -> Result<u64, Trouble> {
        if self.held.written == 0 {
            self.known.forget_idle(self.sink.as_mut()).await?;
        }
        while let Some(batches) = self.held.unwritten() {
            let work = self.held.written;
            for (i, batch) in batches.into_iter().enumerate() {
                self.write(&batch, (work, i)).await?;
            }
            self.held.written += 1;
            if self.held.is_full() {
                break;
            }
            self.take_more().await;
        }
        let Some((window, upto)) = self.held.last_written() else {
            return Err(Trouble::Final(PipelineError::Gone { part: "a lane" }));
        };
        self.doing = Doing::Flushing;
        self.flush(BarrierKind::Checkpoint, upto).await?;
        self.doing = Doing::Other;
        self.look_beside(upto).await;
        add(&self.stats.rows_durable, self.held.durable());
        self.budget.worked();
        self.at = upto;
        Ok(window)
    }

    /// Hands what is durable to those who are only looked at, if it is their turn.
    async fn look_beside(&mut self, upto: Position) {
        let Some(mut shadow) = self.shadow.take_if(|s| s.share.due()) else { return };
        if shadow.compare(&self.held.written_batches(), upto).await {
            self.shadow = Some(shadow);
        }
    }

    /// What waits in the channel, if it is work; or what comes while the sink lets rows wait for more.
    async fn take_more(&mut self) {
        if self.next.is_some() || self.held.unwritten().is_some() {
            return;
        }
        let item = match (self.items.try_recv(), self.held.lingers_until()) {
            (Ok(item), _) => Some(item),
            (Err(TryRecvError::Empty), Some(until)) => {
                tokio::time::timeout_at(until, self.items.recv()).await.ok().flatten()
            }
            (Err(_), _) => None,
        };
        match item {
            Some(LaneItem::Work(work)) => self.held.push(work),
            other => self.next = other,
        }
    }

    async fn write(&mut self, batch: &LaneBatch, id: BatchId) -> Result<(), Trouble> {
        let plan = self.known.plan(&batch.version, &batch.targets, self.sink.as_mut()).await?;
        self.held.count(&batch.batch, plan);
        for piece in self.held.pieces(id, batch.batch.len()) {
            let rows = self.part(&batch.batch, &piece)?;
            self.doing = Doing::Giving(id, piece);
            self.write_rows(batch, rows).await?;
            self.doing = Doing::Other;
        }
        Ok(())
    }

    fn part(&self, batch: &Arc<BatchBuf>, piece: &Range<u32>) -> Result<Arc<BatchBuf>, Trouble> {
        if piece.len() == batch.len() {
            return Ok(Arc::clone(batch));
        }
        let part = tgr1::select(&batch.batch(), piece.clone()).and_then(BatchBuf::new);
        part.map(Arc::new).map_err(|source| Trouble::Final(PipelineError::Format { slot: self.slot, source }))
    }

    async fn write_rows(&mut self, batch: &LaneBatch, rows: Arc<BatchBuf>) -> Result<(), Trouble> {
        let mut retry = Retry::new();
        loop {
            match self.sink.write(Arc::clone(&rows)).await {
                // Whoever is on probation is not to put aside what the one before may take.
                Ok(outcome) if self.fallback.is_some() && !outcome.quarantined.is_empty() => {
                    return Err(Trouble::Call(refusal(outcome.quarantined)));
                }
                Ok(outcome) => {
                    let refused = Refused {
                        by: "sink",
                        version: &batch.version,
                        batch: &rows,
                        rows: &outcome.quarantined,
                        position: self.at,
                    };
                    return self.aside.put(refused).await.map_err(Trouble::Final);
                }
                // Written again they might be there twice: a fresh run begins at what is durable.
                Err(e) if e.is_unknown() => return Err(Trouble::Call(e)),
                Err(e) => self.wait_or_give_up(&mut retry, e).await?,
            }
        }
    }

    /// Makes everything written durable.
    pub(crate) async fn flush(&mut self, kind: BarrierKind, at: Position) -> Result<(), Trouble> {
        self.barrier_id = self.barrier_id.wrapping_add(1);
        let barrier = Barrier { id: self.barrier_id, kind, at };
        let (mut retry, mut incomplete) = (Retry::new(), 0);
        loop {
            match self.sink.flush(barrier).await {
                Ok(ack) if ack.complete => {
                    if let Some(state) = ack.state {
                        self.state = Some(state.into());
                    }
                    break;
                }
                Ok(_) => {
                    incomplete += 1;
                    if incomplete > INCOMPLETE_MAX {
                        let (slot, lane) = (self.slot, self.lane);
                        return Err(Trouble::Final(PipelineError::NeverComplete { slot, lane, at }));
                    }
                    tokio::task::yield_now().await;
                }
                Err(e) if e.is_unknown() => {
                    self.unsure = true;
                    self.wait_or_give_up(&mut retry, e).await?;
                    // Where the position does not move, as for a row that is replayed, it says nothing.
                    if at > self.at && self.durable().await?.is_some_and(|p| p >= at) {
                        break;
                    }
                }
                Err(e) => self.wait_or_give_up(&mut retry, e).await?,
            }
        }
        self.unsure = false;
        add(&self.stats.flushes, 1);
        Ok(())
    }

    /// What is durable after a flush of unknown outcome; `None`: nobody knows, so the flush is repeated.
    async fn durable(&mut self) -> Result<Option<Position>, Trouble> {
        let mut retry = Retry::new();
        loop {
            match self.sink.status().await {
                Ok(position) => return Ok(position.and_then(|at| self.counted.trust(at))),
                Err(e) => self.wait_or_give_up(&mut retry, e).await?,
            }
        }
    }

    async fn wait_or_give_up(&mut self, retry: &mut Retry, e: CallError) -> Result<(), Trouble> {
        let what = format!("the sink of slot {}, lane {}", self.slot, self.lane);
        wait_or_give_up(&self.stats, retry, e, &what).await.map_err(Trouble::Call)
    }

    /// A sink was stopped over rows: they are looked at more closely, and put aside when only one is left.
    pub(crate) async fn suspect(
        &mut self,
        id: BatchId,
        piece: &Range<u32>,
        why: &CallError,
    ) -> Result<(), PipelineError> {
        let Finding::Row(row) = self.held.stopped_in(id, piece) else { return Ok(()) };
        self.budget.worked();
        let Some(LaneBatch { version, batch, .. }) = self.held.batch(id) else { return Ok(()) };
        let (by, mut bad) = poison(why);
        bad.row = row;
        self.aside.put(Refused { by: &by, version, batch, rows: &[bad], position: self.at }).await
    }

    /// A sink was stopped over a flush: the next ones are smaller, down to one row, which is put aside where rows may be.
    pub(crate) async fn suspect_flush(&mut self, why: CallError) -> Result<(), PipelineError> {
        let found = self.held.stopped_in_flush(self.at);
        match found.map_err(|source| PipelineError::Format { slot: self.slot, source })? {
            FlushFinding::Again => Ok(()),
            FlushFinding::Row(row) if self.aside.store.is_some() => {
                self.budget.worked();
                let (by, bad) = poison(&why);
                let (version, batch) = (&row.version, &row.batch);
                self.aside.put(Refused { by: &by, version, batch, rows: &[bad], position: self.at }).await
            }
            FlushFinding::Row(_) | FlushFinding::GiveUp => Err(self.error(why)),
        }
    }
}

/// Refused rows as the failure of a call.
fn refusal(rows: Vec<BadEvent>) -> CallError {
    let first = rows.into_iter().next();
    let (code, message) = first.map_or_else(Default::default, |bad| (bad.code, bad.message));
    CallError::new("sink", "write", CallFault::Fatal { code, message: format!("it refuses a row: {message}") })
}
