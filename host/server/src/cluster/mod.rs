//! The node as one of many: registered in etcd, talking to the others, running what the owner gives it.
//!
//! The run of a changefeed is on one node. Which one is decided by the owner's state machine in `tg-cluster`; this is its rim:
//! clock, metadata, transport, and the runs of changefeeds as its slots. A run may have other nodes run a part of its slots (`spread`).

mod api;
mod codes;
mod driver;
mod error;
mod following;
mod forward;
mod gate;
mod holder;
mod identity;
mod leave;
mod limits;
mod maintenance;
mod meta;
mod schedule;
mod spread;
mod start;
mod world;

pub use codes::CODES;
pub use error::ClusterError;
pub(crate) use gate::{Gate, GatedSink};
pub(crate) use spread::{Place, Spread, Spreading};
pub use start::ClusterOptions;
pub(crate) use start::prepare;

use crate::Node;
use driver::Told;
use identity::Identity;
use meta::Lease;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tg_metastore::{ChangefeedStore, MemberRecord, RunRevision};
use tg_model::ChangefeedId;
use tg_peer::Transport;
use tokio::sync::{mpsc, watch};
use world::World;

/// This node's part in the cluster.
pub(crate) struct Cluster {
    pub(crate) me: Identity,
    pub(crate) store: ChangefeedStore,
    pub(crate) transport: Transport,
    /// Asks other nodes' API, over TLS if that is true.
    pub(crate) http: (reqwest::Client, bool),
    /// What is known of the metadata.
    pub(crate) world: watch::Receiver<Arc<World>>,
    /// What this node has been given to run.
    runs: Mutex<BTreeMap<ChangefeedId, RunRevision>>,
    /// Until when sinks that nothing fences may be written to.
    pub(crate) gate: Gate,
    /// This process leaves and its node is in maintenance: runs end, and their records still say who had them.
    keeps_runs: AtomicBool,
    lease: Arc<Lease>,
    /// As it registers.
    member: MemberRecord,
    tell: mpsc::Sender<Told>,
}

impl Cluster {
    /// The run of a changefeed, if this node has it.
    pub(crate) fn run(&self, id: &ChangefeedId) -> Option<RunRevision> {
        self.runs.lock().get(id).copied()
    }

    pub(crate) fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.borrow())
    }
}

impl Node {
    /// Whether this node is the owner as far as it knows; a node alone always is.
    pub(crate) fn is_owner(&self) -> bool {
        self.cluster.as_ref().is_none_or(|c| c.world().owner().is_some_and(|o| o.capture == c.me.capture_text()))
    }
}
