//! What can go wrong between nodes.

use tg_model::{Code, Coded};

/// An error of the transport between nodes.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The other node is of another cluster.
    #[error("the node at {address} belongs to another cluster: {detail}")]
    OtherCluster {
        /// Where.
        address: String,
        /// What it said.
        detail: String,
    },
    /// Another process answers at the address.
    #[error("at {address} another process answers than the one that registered there: {detail}")]
    OtherProcess {
        /// Where.
        address: String,
        /// What it said.
        detail: String,
    },
    /// No common version.
    #[error("the node at {address} speaks no version of the protocol that this one knows: {detail}")]
    NoCommonVersion {
        /// Where.
        address: String,
        /// What it said.
        detail: String,
    },
    /// It cannot be reached.
    #[error("the node at {address} cannot be reached: {cause}")]
    Unreachable {
        /// Where.
        address: String,
        /// Its address refuses connections: no process is there.
        refused: bool,
        /// What the network said.
        cause: String,
    },
    /// A message that cannot be read.
    #[error("a message of the node at {address} cannot be read: {cause}")]
    BadMessage {
        /// From where.
        address: String,
        /// What is wrong.
        cause: String,
    },
    /// Certificates.
    #[error("the certificates for other nodes cannot be used: {reason}")]
    Tls {
        /// Which file, and why.
        reason: String,
    },
}

impl PeerError {
    /// Whether the process that was meant is gone.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Unreachable { refused: true, .. } | Self::OtherProcess { .. })
    }
}

impl Coded for PeerError {
    fn code(&self) -> Code {
        Code(match self {
            Self::OtherCluster { .. } => 5301,
            Self::OtherProcess { .. } => 5302,
            Self::NoCommonVersion { .. } => 5303,
            Self::Unreachable { .. } => 5304,
            Self::BadMessage { .. } => 5305,
            Self::Tls { .. } => 5306,
        })
    }

    fn is_retryable(&self) -> bool {
        !matches!(self, Self::Tls { .. })
    }
}
