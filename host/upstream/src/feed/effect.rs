//! What the control is told, and what it wants done.

use super::held::HoldError;
use crate::UpstreamError;
use crate::key::KeyRange;
use crate::region::Region;
use std::sync::Arc;
use tg_model::{SpanId, Ts};
use tg_proto::metapb;

/// One connection's stream; never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct StreamNo(pub(crate) u64);

/// Why a region's subscription ended.
#[derive(Debug)]
pub(crate) enum EndCause {
    NotLeader(Option<metapb::Peer>),
    /// Epoch or place of the region are not what we thought.
    RangeChanged,
    /// Congested, busy, or a reason that we do not know; wait at least so long.
    Transient {
        wait_ms: u64,
    },
    Duplicate,
    Compatibility {
        required: String,
    },
    ClusterId {
        current: u64,
        asked: u64,
    },
    /// Its rows make no sense; `fatal`: and a new scan would not heal that.
    Violation {
        detail: String,
        fatal: bool,
    },
    /// Its rows that wait for their commit cannot be held.
    Hold(HoldError),
}

/// Something happened.
pub(crate) enum Input {
    Subscribe {
        span: SpanId,
        range: KeyRange,
        start: Ts,
        group: u64,
        filter_loop: bool,
    },
    Unsubscribe {
        span: SpanId,
    },
    /// The consumer behind a channel is gone.
    GroupClosed {
        group: u64,
    },
    /// PD's answer for the ranges asked for; `None`: it failed. Sorted, holes at the end of each range only.
    Loaded {
        request: u64,
        ranges: Vec<KeyRange>,
        regions: Option<Vec<Region>>,
    },
    /// The stream stands. Not `multiplexed`: a region fits on it once.
    StreamUp {
        stream: StreamNo,
        multiplexed: bool,
    },
    /// The stream is gone; `established`: it had been up.
    StreamDown {
        stream: StreamNo,
        established: bool,
    },
    Initialized {
        stream: StreamNo,
        request: u64,
        region: u64,
    },
    Ended {
        stream: StreamNo,
        request: u64,
        region: u64,
        cause: EndCause,
    },
    Resolved {
        stream: StreamNo,
        request: u64,
        regions: Vec<u64>,
        ts: Ts,
    },
    /// Some timer is due.
    Tick,
    /// Time to look for spans that are stuck behind locks.
    CheckLocks {
        pd_now: Ts,
    },
}

/// Which region, as a store is told.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct RegionRef {
    pub(crate) id: u64,
    pub(crate) epoch: metapb::RegionEpoch,
}

/// A subscription of one region for one span.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Registration {
    pub(crate) request: u64,
    pub(crate) span: SpanId,
    pub(crate) region: RegionRef,
    pub(crate) range: KeyRange,
    pub(crate) checkpoint: Ts,
    pub(crate) filter_loop: bool,
}

/// News for the consumer.
#[derive(Clone, Debug)]
pub(crate) enum Signal {
    Resolved { span: SpanId, ts: Ts },
    Initialized { span: SpanId },
    Failed { span: SpanId, error: Arc<UpstreamError> },
}

/// Something is to be done.
pub(crate) enum Effect {
    Load {
        request: u64,
        ranges: Vec<KeyRange>,
    },
    Open {
        stream: StreamNo,
        store: u64,
        group: u64,
    },
    Close {
        stream: StreamNo,
    },
    Register {
        stream: StreamNo,
        registration: Box<Registration>,
    },
    /// All regions of the request on the stream.
    Deregister {
        stream: StreamNo,
        request: u64,
    },
    Signal {
        group: u64,
        signal: Signal,
    },
    /// Locks in the range up to `max_ts` hold the resolved-ts back.
    ResolveLocks {
        range: KeyRange,
        max_ts: Ts,
    },
}
