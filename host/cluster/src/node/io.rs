//! What a process is told and what it wants done.

use crate::agent::{HolderEvent, SlotOrder, Tenure};
use crate::id::{CaptureId, ClusterId, FeedId, Mono, OwnerRev, Peer, RunId, SlotKey};
use crate::message::{Load, Message};
use crate::meta::{MetaReply, MetaRequest, Snapshot};
use crate::owner::{FeedInput, Pace};
use crate::rules::Rules;
use std::sync::Arc;
use tg_model::Position;

/// Numbers a request to the metadata within a process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MetaId(pub u64);

/// What a process is.
#[derive(Clone, Copy, Debug)]
pub struct NodeConfig {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Drawn at random when it starts.
    pub capture: CaptureId,
    /// The highest owner revision its data directory has kept: the store must not have fallen behind it.
    pub owner_rev_seen: OwnerRev,
    /// Which rules hold.
    pub rules: Rules,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time passed.
    Tick,
    /// A message came.
    Message(Message),
    /// A connection to the peer broke and a new one is refused: its process is gone.
    PeerDown(Peer),
    /// An answer from the metadata.
    Meta(MetaId, MetaReply),
    /// A state of the metadata, from its watch.
    Snapshot(Arc<Snapshot>),
    /// The holder of slots tells.
    Holder(SlotKey, Tenure, HolderEvent),
    /// The schema source of a changefeed tells.
    Feed(FeedId, RunId, Vec<FeedInput>),
    /// What the capture carries, for the owner's decisions.
    Load(Load),
    /// How slots are to be moved about, should it be owner.
    Pace(Pace),
}

/// What to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Send a message to the peer.
    Send(Peer, Message),
    /// Run a transaction.
    Meta(MetaId, MetaRequest),
    /// For the holder of slots.
    Slot(SlotKey, Tenure, SlotOrder),
    /// Sinks that cannot fence may be written to until then.
    Authority(Mono),
    /// Read tables and DDLs of a changefeed from here.
    StartSource(FeedId, RunId, Position),
    /// Stop doing so.
    StopSource(FeedId, RunId),
    /// Keep this in the data directory before anything else is done: the highest owner revision seen.
    KeepOwnerRev(OwnerRev),
    /// The metadata has a lower revision than was seen before: it was restored or replaced. Nothing is taken over until
    /// an operator rebases it.
    MetaWentBack {
        /// What was seen before.
        seen: OwnerRev,
        /// What it has now.
        found: OwnerRev,
    },
}
