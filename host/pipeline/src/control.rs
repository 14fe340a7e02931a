//! The handle by which a running changefeed is changed.

use crate::canary::{CanaryReport, CanaryRequest};
use crate::error::PipelineError;
use crate::ports::PluginSource;
use crate::quarantine::BadRow;
use crate::replay::{Replay, ReplayError};
use crate::swap::SwapParts;
use crate::tap::{Tap, Taps};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tg_filter::TableFilter;
use tg_model::{Code, Coded, Position, SlotId, TableId, TableVersion};
use tokio::sync::{mpsc, oneshot, watch};

/// Requests that may wait; more are refused as busy.
const REQUESTS_MAX: usize = 4;

/// A change of plugins.
#[derive(Clone)]
pub struct SwapRequest {
    /// Starts the new ones. The parts that do not change are its as well from then on: it is to start them as before.
    pub plugins: Arc<dyn PluginSource>,
    /// Which plugins differ.
    pub parts: SwapParts,
    /// For so long the plugins before come back when the new ones fail.
    pub probation: Duration,
}

impl SwapRequest {
    /// Time of probation when nobody says otherwise.
    pub const PROBATION: Duration = Duration::from_secs(30);
}

/// A swap that is through; its probation has begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwapOutcome {
    /// By slot: rows up to here went through the stages before. Empty when only sinks changed.
    pub positions: Vec<Position>,
    /// Longest time a slot cut no windows, or a lane wrote nothing, because of the swap.
    pub stall: Duration,
}

/// Why there was no swap, or no more.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SwapError {
    /// Another one is under way.
    #[error("another swap is under way")]
    Busy,
    /// No run of the changefeed is there to be changed.
    #[error("the changefeed does not run")]
    NotRunning,
    /// The new plugins could not be started; the present ones were not touched.
    #[error("the new plugins were not started: {0}")]
    Refused(Arc<PipelineError>),
    /// The new plugins failed on probation; the ones before run again.
    #[error("the new plugins failed and the ones before them run again: {0}")]
    RolledBack(Arc<PipelineError>),
}

impl Coded for SwapError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Busy | Self::NotRunning | Self::Refused(_) => 4015,
            Self::RolledBack(_) => 4016,
        })
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Busy | Self::NotRunning => true,
            Self::Refused(e) | Self::RolledBack(e) => e.is_retryable(),
        }
    }
}

/// Where a changefeed's plugins stand.
#[derive(Clone, Debug, Default)]
pub enum SwapStatus {
    /// They are there to stay.
    #[default]
    Steady,
    /// Others are taking over.
    Swapping,
    /// They have taken over, and may be taken back.
    Probation,
    /// They were taken back over this.
    RolledBack(Arc<PipelineError>),
}

/// What may be asked of a run, and where the answer goes.
pub(crate) enum Asked {
    Swap(SwapRequest, oneshot::Sender<Result<SwapOutcome, SwapError>>),
    Replay(Replay),
    Canary(CanaryRequest, oneshot::Sender<Result<CanaryReport, SwapError>>),
}

impl Asked {
    /// It cannot be done while slots are on other nodes.
    pub(crate) fn refuse(self) {
        let why = Arc::new(PipelineError::Spread);
        // Whoever asked may have gone.
        match self {
            Self::Swap(_, reply) => _ = reply.send(Err(SwapError::Refused(why))),
            Self::Canary(_, reply) => _ = reply.send(Err(SwapError::Refused(why))),
            Self::Replay(replay) => _ = replay.reply.send(Err(ReplayError::Failed(why))),
        }
    }
}

/// Changes one run of a changefeed; given to it in [`crate::FeedParts::control`]. Cheap to clone.
#[derive(Clone)]
pub struct FeedControl(Arc<Inner>);

struct Inner {
    requests: mpsc::Sender<Asked>,
    /// Until the run takes it.
    inbox: Mutex<Option<mpsc::Receiver<Asked>>>,
    status: watch::Sender<SwapStatus>,
    taps: Arc<Taps>,
    spans: Mutex<BTreeMap<TableId, SpanPlace>>,
}

/// A physical table that a run follows.
#[derive(Clone, Debug)]
pub struct SpanPlace {
    /// The slot it is in.
    pub slot: SlotId,
    /// As it is now.
    pub version: Arc<TableVersion>,
}

impl Default for FeedControl {
    fn default() -> Self {
        Self::new()
    }
}

impl FeedControl {
    /// For one run.
    #[must_use]
    pub fn new() -> Self {
        let (requests, inbox) = mpsc::channel(REQUESTS_MAX);
        let status = watch::Sender::new(SwapStatus::Steady);
        Self(Arc::new(Inner {
            requests,
            inbox: Mutex::new(Some(inbox)),
            status,
            taps: Arc::default(),
            spans: Mutex::default(),
        }))
    }

    /// Changes plugins. Returns when the new ones run; see [`FeedControl::settled`] for what becomes of them.
    ///
    /// # Errors
    /// [`SwapError`]; the plugins before run on.
    pub async fn swap(&self, request: SwapRequest) -> Result<SwapOutcome, SwapError> {
        let (reply, outcome) = oneshot::channel();
        self.0.requests.try_send(Asked::Swap(request, reply)).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => SwapError::Busy,
            mpsc::error::TrySendError::Closed(_) => SwapError::NotRunning,
        })?;
        outcome.await.unwrap_or(Err(SwapError::NotRunning))
    }

    /// Runs new plugins beside the present ones on a share of the rows and compares what they would do.
    ///
    /// # Errors
    /// [`SwapError::Refused`] when they cannot be started; [`SwapError::NotRunning`].
    pub async fn canary(&self, request: CanaryRequest) -> Result<CanaryReport, SwapError> {
        let (reply, outcome) = oneshot::channel();
        let asked = Asked::Canary(request, reply);
        self.0.requests.send(asked).await.map_err(|_| SwapError::NotRunning)?;
        outcome.await.unwrap_or(Err(SwapError::NotRunning))
    }

    /// Hands a row that was put aside over once more, as the plugins are now. It comes outside the order of its key: what was
    /// written to the key meanwhile is written over. When this succeeds the row is durable downstream.
    ///
    /// # Errors
    /// [`ReplayError`]; the changefeed goes on.
    pub async fn replay(&self, row: BadRow) -> Result<(), ReplayError> {
        let (reply, outcome) = oneshot::channel();
        let asked = Asked::Replay(Replay::new(row, reply)?);
        self.0.requests.send(asked).await.map_err(|_| ReplayError::NotRunning)?;
        outcome.await.unwrap_or(Err(ReplayError::NotRunning))
    }

    /// Where the plugins stand now.
    #[must_use]
    pub fn status(&self) -> SwapStatus {
        self.0.status.borrow().clone()
    }

    /// Waits for the end of a swap and of its probation.
    ///
    /// # Errors
    /// [`SwapError::RolledBack`]; [`SwapError::NotRunning`] when the run ends first.
    pub async fn settled(&self) -> Result<(), SwapError> {
        let mut status = self.0.status.subscribe();
        loop {
            match &*status.borrow_and_update() {
                SwapStatus::Steady => return Ok(()),
                SwapStatus::RolledBack(e) => return Err(SwapError::RolledBack(Arc::clone(e))),
                SwapStatus::Swapping | SwapStatus::Probation => {}
            }
            tokio::select! {
                changed = status.changed() => changed.map_err(|_| SwapError::NotRunning)?,
                () = self.0.requests.closed() => return Err(SwapError::NotRunning),
            }
        }
    }

    /// Looks at rows of these tables from now on; the run is not slowed down. `None`: too many look already.
    #[must_use]
    pub fn tap(&self, tables: TableFilter) -> Option<Tap> {
        self.0.taps.open(tables)
    }

    pub(crate) fn taps(&self) -> Arc<Taps> {
        Arc::clone(&self.0.taps)
    }

    /// The physical tables that the run follows, by id.
    #[must_use]
    pub fn spans(&self) -> Vec<(TableId, SpanPlace)> {
        self.0.spans.lock().iter().map(|(id, place)| (*id, place.clone())).collect()
    }

    pub(crate) fn set_span(&self, table: TableId, place: Option<SpanPlace>) {
        let mut spans = self.0.spans.lock();
        match place {
            Some(place) => _ = spans.insert(table, place),
            None => _ = spans.remove(&table),
        }
    }

    /// The run has ended.
    pub(crate) async fn ended(&self) {
        self.0.requests.closed().await;
    }

    /// What the run reads; a second run of the same handle gets nothing to read.
    pub(crate) fn inbox(&self) -> mpsc::Receiver<Asked> {
        self.0.inbox.lock().take().unwrap_or_else(|| mpsc::channel(1).1)
    }

    pub(crate) fn set_status(&self, status: SwapStatus) {
        self.0.status.send_replace(status);
    }
}
