//! What can go wrong because there are others.

use tg_model::{Code, Coded};

/// An error of a node's part in the cluster.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named in the messages")]
pub enum ClusterError {
    /// Another node has the address.
    #[error("another node ({node}) is registered with the address {address}; a node needs one of its own")]
    AddressTaken { address: String, node: String },
    /// The data directory has seen another cluster.
    #[error("the data directory belongs to cluster {expected}, and the metadata at {endpoints} is of cluster {found}")]
    OtherMetadata { expected: String, found: String, endpoints: String },
    /// The cluster reads another upstream.
    #[error("the nodes of this cluster read the upstream {expected}, but PD says that this is cluster {found}")]
    OtherUpstream { expected: u64, found: u64 },
    /// The metadata is older than what was seen of it.
    #[error("the metadata is at revision {found}, and revision {seen} was seen before: it was restored or replaced")]
    WentBack { seen: u64, found: u64 },
    /// A file of the data directory.
    #[error("{what} in the data directory cannot be used: {cause}")]
    File { what: &'static str, cause: String },
    /// A drain would leave nobody.
    #[error("node {capture} cannot be drained: no other node takes work")]
    NobodyLeft { capture: String },
    /// Ownership would go to nobody.
    #[error("ownership cannot be given up: no other node takes work")]
    NoSuccessor,
    /// Another node has to answer and does not.
    #[error("the node at {address}, which has to answer this, cannot be asked: {cause}")]
    NoAnswer { address: String, cause: String },
    /// There is no owner right now.
    #[error("the cluster has no owner at the moment")]
    NoOwner,
    /// A changefeed does not come to rest.
    #[error("changefeed {changefeed} is still running on the node at {address}")]
    StillRuns { changefeed: String, address: String },
    /// The owner gave up on a changefeed.
    #[error("no node could run changefeed {changefeed} for half an hour")]
    NobodyRuns { changefeed: String },
    /// Another node asks for a slot that the metadata does not give it.
    #[error("slot {slot} of changefeed {changefeed} is not run for another node: {what} is not what the metadata says")]
    StaleSlot { changefeed: String, slot: tg_model::SlotId, what: &'static str },
    /// Slots of a changefeed did not come to the node of its run.
    #[error("the slots of changefeed {changefeed} did not come together on one node in time")]
    NotGathered { changefeed: String },
    /// A span is to be moved to nowhere.
    #[error("slot {slot} of changefeed {changefeed} cannot be moved: {why}")]
    NoMove { changefeed: String, slot: u16, why: String },
    /// A canary of what other nodes run.
    #[error("{plugin} was not run beside what runs now: other nodes run {changefeeds}, which follow it too")]
    CanaryElsewhere { plugin: String, changefeeds: String },
    /// Maintenance that makes no sense.
    #[error("the maintenance of node {node} is not changed: {why}")]
    NoMaintenance { node: String, why: String },
    /// A limit of the scheduler that there is not, or a value it cannot have.
    #[error("the limits of the scheduler are not changed: {why}")]
    NoLimit { why: String },
    /// Streams to other nodes.
    #[error(transparent)]
    Peer(#[from] tg_peer::PeerError),
}

impl Coded for ClusterError {
    fn code(&self) -> Code {
        Code(match self {
            Self::AddressTaken { .. } => 5001,
            Self::OtherMetadata { .. } => 5002,
            Self::OtherUpstream { .. } => 5003,
            Self::WentBack { .. } => 5004,
            Self::File { .. } => 5005,
            Self::NobodyLeft { .. } => 5101,
            Self::NoSuccessor => 5102,
            Self::NoAnswer { .. } => 5103,
            Self::NoOwner => 5104,
            Self::StillRuns { .. } => 5105,
            Self::NobodyRuns { .. } => 5106,
            Self::StaleSlot { .. } => 5107,
            Self::NotGathered { .. } => 5108,
            Self::NoMove { .. } => 5109,
            Self::CanaryElsewhere { .. } => 5110,
            Self::NoMaintenance { .. } => 5111,
            Self::NoLimit { .. } => 5112,
            Self::Peer(e) => return e.code(),
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::NoAnswer { .. }
                | Self::NoOwner
                | Self::StillRuns { .. }
                | Self::StaleSlot { .. }
                | Self::NotGathered { .. }
        )
    }
}
