//! Rows that were put aside and are to be handed over once more.

use crate::aside::Refused;
use crate::error::PipelineError;
use crate::held::LaneBatch;
use crate::lane::{Lane, LaneItem};
use crate::quarantine::{BadRow, RowData};
use crate::slot::Slot;
use crate::slot_swap::Mode;
use crate::stages::Routed;
use std::sync::Arc;
use tg_model::{Code, Coded, LaneId, SlotId, TableVersion};
use tg_plugin::BarrierKind;
use tgr1::{BatchBuf, row_flags};
use tokio::sync::oneshot;

/// Why a row was not replayed. It stays in the quarantine.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReplayError {
    /// No run of the changefeed is there to take it.
    #[error("the changefeed does not run")]
    NotRunning,
    /// Plugins are being swapped.
    #[error("plugins are being swapped")]
    Busy,
    /// The row was never a row of a batch.
    #[error("the row could not be mounted, and cannot be now")]
    Raw,
    /// The changefeed has no such slot or lane any more.
    #[error("the changefeed has no slot {slot}, or no lane as then")]
    NoLane {
        /// Slot of the row.
        slot: SlotId,
    },
    /// It fails as before, or in another way.
    #[error("{0}")]
    Failed(Arc<PipelineError>),
}

impl Coded for ReplayError {
    fn code(&self) -> Code {
        Code(4017)
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::NotRunning | Self::Busy)
    }
}

impl From<PipelineError> for ReplayError {
    fn from(e: PipelineError) -> Self {
        Self::Failed(Arc::new(e))
    }
}

/// A row on its way.
pub(crate) struct Replay {
    pub(crate) slot: SlotId,
    /// `None`: it has to be routed first.
    lane: Option<LaneId>,
    version: Arc<TableVersion>,
    batch: BatchBuf,
    pub(crate) reply: oneshot::Sender<Result<(), ReplayError>>,
}

/// A row in its lane.
pub(crate) struct LaneReplay {
    batch: LaneBatch,
    reply: oneshot::Sender<Result<(), ReplayError>>,
}

impl Replay {
    pub(crate) fn new(row: BadRow, reply: oneshot::Sender<Result<(), ReplayError>>) -> Result<Self, ReplayError> {
        let RowData::Batch { batch, version } = row.data else { return Err(ReplayError::Raw) };
        let failed = |source| PipelineError::Format { slot: row.slot, source };
        let mut batch = BatchBuf::new(batch).map_err(failed)?;
        for i in 0..batch.len() {
            let flags = batch.batch().row(i).map_or(0, |r| r.flags());
            batch.set_row_flags(i, flags | row_flags::MAYBE_REPEATED);
        }
        Ok(Self { slot: row.slot, lane: row.lane, version: Arc::new(*version), batch, reply })
    }
}

impl Slot {
    /// Brings a row to its lane. Fails the row, not the slot.
    pub(crate) async fn replay(&mut self, replay: Replay) -> Result<(), PipelineError> {
        let Replay { slot, lane, version, batch, reply } = replay;
        let routed = match lane {
            Some(lane) => Ok(Some((lane, LaneBatch { version, targets: Arc::default(), batch: Arc::new(batch) }))),
            None if !matches!(self.mode, Mode::Open) || self.probation => Err(ReplayError::Busy),
            None => self.route_one(&version, &batch).await,
        };
        let outcome = match routed {
            Ok(Some((lane, batch))) => match self.lane(lane) {
                Some(end) => {
                    // A lane that has ended drops the reply, which says as much.
                    let _ = end.items.send(LaneItem::Replay(LaneReplay { batch, reply })).await;
                    return Ok(());
                }
                None => Err(ReplayError::NoLane { slot }),
            },
            // Left out: that is what is wanted of it now.
            Ok(None) => Ok(()),
            Err(e) => Err(e),
        };
        let _ = reply.send(outcome);
        Ok(())
    }

    async fn route_one(
        &mut self,
        version: &Arc<TableVersion>,
        batch: &BatchBuf,
    ) -> Result<Option<(LaneId, LaneBatch)>, ReplayError> {
        let routed = self.stages.try_one(version, batch, self.progress.cut).await?;
        let Some(Routed { version, targets, batch, decisions }) = routed else { return Ok(None) };
        let lane = decisions.lanes.first().copied().unwrap_or(0);
        let found = (LaneId(lane), LaneBatch { version, targets, batch: Arc::new(batch) });
        Ok(Some(found).filter(|_| lane != tg_plugin::LEAVE_OUT))
    }
}

impl Lane {
    /// Writes one row and makes it durable; the lane's position stays. What fails is the row: the lane goes on with a fresh sink.
    pub(crate) async fn replay(&mut self, replay: LaneReplay) -> Result<(), PipelineError> {
        let outcome = match self.replay_row(&replay.batch).await {
            Ok(()) => Ok(()),
            Err(e) => {
                self.fresh().await?;
                Err(ReplayError::from(e))
            }
        };
        // Who asked may have gone.
        let _ = replay.reply.send(outcome);
        Ok(())
    }

    async fn replay_row(&mut self, row: &LaneBatch) -> Result<(), PipelineError> {
        let LaneBatch { version, targets, batch } = row;
        let told = self.known.plan(version, targets, self.sink.as_mut()).await;
        told.map_err(|e| self.error(e))?;
        let outcome = self.sink.write(Arc::clone(batch)).await.map_err(|e| self.error(e))?;
        if !outcome.quarantined.is_empty() {
            let refused = Refused { by: "sink", version, batch, rows: &outcome.quarantined, position: self.at };
            return Err(refused.error());
        }
        self.flush(BarrierKind::Checkpoint, self.at).await.map_err(|trouble| self.failed(trouble))
    }
}
