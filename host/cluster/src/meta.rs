//! What the protocol needs of the metadata store: few, small, linearizable transactions and one watch.
//!
//! The rim carries a [`MetaRequest`] out as one transaction with exactly the compares named at it, and answers with a
//! [`MetaReply`] under the same number. A request without an answer may have taken effect.

use crate::id::{Epoch, FeedId, NodeId, OwnerRev, Peer, RunId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{Position, SlotId, Ts};

/// A transaction to run.
#[derive(Clone, PartialEq, Debug)]
pub enum MetaRequest {
    /// Compare: the capture's key is absent. Then put it, with a lease of 10 s. Answer [`MetaReply::Registered`] with the
    /// revision that created it, whether by this or by an earlier request.
    Register,
    /// Compare: the capture's key has this create-revision. Answer [`MetaReply::Confirmed`].
    ConfirmCapture(Peer),
    /// Compare: the owner key has this mod-revision. Answer [`MetaReply::Confirmed`].
    ConfirmOwner(OwnerRev),
    /// Compare: the owner key has mod-revision `expect` (zero: is absent), the capture's key has the peer's create-revision.
    /// Then put the owner key. Answer [`MetaReply::Owner`].
    TakeOwner {
        /// The owner to be replaced.
        expect: OwnerRev,
        /// Who replaces it.
        me: Peer,
    },
    /// Compare: owner revision; the peer's key has its create-revision. Then delete that key. When the second compare
    /// fails the key is gone already, which is as good. Answer [`MetaReply::Done`].
    Revoke {
        /// Who asks.
        owner: OwnerRev,
        /// Whose registration.
        peer: Peer,
    },
    /// Compare: owner revision, the changefeed's run. Then put the status, unless the stored checkpoint is above already, and
    /// delete records of DDLs at or below the checkpoint. Answer [`MetaReply::Done`].
    PutStatus {
        /// Who asks.
        owner: OwnerRev,
        /// Which.
        feed: FeedId,
        /// Its run.
        run: RunId,
        /// Everything up to here is durable, of all slots.
        checkpoint: Position,
    },
    /// Compare: owner revision, run. Then put the record, unless there is one already that says done: a request that was late
    /// must not take that back. Answer [`MetaReply::Done`].
    PutDdl {
        /// Who asks.
        owner: OwnerRev,
        /// Which.
        feed: FeedId,
        /// Its run.
        run: RunId,
        /// The record.
        record: DdlRecord,
    },
    /// Compare: owner revision, run. Then put the state, and the checkpoint it ended at. Answer [`MetaReply::Done`].
    PutState {
        /// Who asks.
        owner: OwnerRev,
        /// Which.
        feed: FeedId,
        /// Its run.
        run: RunId,
        /// Its state.
        state: FeedState,
        /// Everything up to here is durable.
        checkpoint: Position,
    },
}

/// What a transaction did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MetaReply {
    /// Create-revision of the capture's key.
    Registered(crate::id::Incarnation),
    /// Whether the compare held.
    Confirmed(bool),
    /// The revision of the takeover, or that somebody was faster.
    Owner(Option<OwnerRev>),
    /// Whether the compare of owner and run held.
    Done(bool),
}

/// How far a changefeed has come in its life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum FeedState {
    /// It runs.
    #[default]
    Normal,
    /// It runs again after an error that may pass.
    Warning,
    /// A person has to look.
    Failed,
    /// It was paused, and every slot has told its final position.
    Stopped,
    /// Its target is reached.
    Finished,
}

/// How writers of a changefeed are fenced: by what the sink can do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fence {
    /// A token in the downstream transaction: no clock, no waiting.
    Token,
    /// The sink cannot: leases of the capture, plus a grace for requests that land late.
    Lease {
        /// Longest time from admission to landing, in microseconds.
        inflight: u64,
    },
}

/// How far a DDL has come. The record outlives owner and executor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DdlRecord {
    /// Commit-ts.
    pub ts: Ts,
    /// Place within the job.
    pub seq: u32,
    /// Whether it has run; else it may have.
    pub done: bool,
    /// The executor's assignment that may have run it.
    pub executor: Epoch,
    /// Slots that had finished exactly the rows before it when it began.
    pub slots: Vec<SlotId>,
}

/// A changefeed as the metadata has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedRecord {
    /// Its run: rises with every start, resume and change.
    pub run: RunId,
    /// Whether it is to run.
    pub wanted: bool,
    /// What became of it.
    pub state: FeedState,
    /// Its one slot does everything by itself: tables, DDLs, the storing of its progress. Here it is placed, moved and fenced, and
    /// nothing else; it has no executor.
    pub whole: bool,
    /// Writer slots, without the executor's.
    pub slots: u16,
    /// How its writers are fenced.
    pub fence: Fence,
    /// Where it ends.
    pub target: Option<Ts>,
    /// Milliseconds between syncpoints; zero: none.
    pub syncpoint_ms: u64,
    /// Everything up to here is durable.
    pub checkpoint: Position,
    /// DDLs above it that have begun.
    pub ddls: Vec<DdlRecord>,
}

/// A node as the metadata has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum NodeState {
    /// Takes slots.
    #[default]
    Up,
    /// Gives its slots away.
    Draining,
    /// Is expected back soon: its slots stay, and it gets no others.
    Maintenance,
}

/// A registered capture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaptureRecord {
    /// Its data directory.
    pub node: NodeId,
    /// What is wanted of the node.
    pub state: NodeState,
    /// Failure domain; empty: none.
    pub zone: String,
}

/// Everything under the prefix, as of one revision.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The revision.
    pub rev: u64,
    /// The owner and the revision of its key.
    pub owner: Option<(Peer, OwnerRev)>,
    /// Captures, by incarnation.
    pub captures: BTreeMap<Peer, Arc<CaptureRecord>>,
    /// Changefeeds.
    pub feeds: BTreeMap<FeedId, Arc<FeedRecord>>,
    /// Nodes in maintenance, registered or not, and for how many microseconds what they had waits for them.
    pub maintenance: BTreeMap<NodeId, u64>,
    /// Which of them had a whole changefeed last.
    pub homes: BTreeMap<FeedId, NodeId>,
}
