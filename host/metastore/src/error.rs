//! What can go wrong with metadata.

use crate::Revision;
use std::path::PathBuf;
use tg_model::{Code, Coded, Position};

/// A failure of the metadata store or of a record in it.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    /// The store cannot be reached or has no leader.
    #[error("the metadata store failed to {what}: {cause}")]
    Unavailable {
        /// What was tried.
        what: &'static str,
        /// What the store or the network said.
        cause: String,
    },
    /// The store did not answer in time. What was asked may have happened.
    #[error("the metadata store did not {what} within {limit_ms} ms")]
    Timeout {
        /// What was tried.
        what: &'static str,
        /// How long it was waited.
        limit_ms: u128,
    },
    /// The history a watch asked for is gone.
    #[error(
        "the metadata store no longer has the writes from revision {from_rev} on; the oldest it has is {oldest_rev}"
    )]
    Compacted {
        /// What was asked for.
        from_rev: Revision,
        /// What there is.
        oldest_rev: Revision,
    },
    /// The lease has ended.
    #[error("lease {lease} has ended")]
    LeaseLost {
        /// The lease.
        lease: u64,
    },
    /// Another process works in the directory.
    #[error("the data directory {} is in use by another process", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// The local file failed.
    #[error("the metadata file failed to {what}: {cause}")]
    Storage {
        /// What was tried.
        what: &'static str,
        /// What the file system or the database said.
        cause: String,
    },
    /// A record cannot be read.
    #[error("the record {key} cannot be read: {cause}")]
    BadRecord {
        /// Its key.
        key: String,
        /// Why.
        cause: String,
    },
    /// A record was written by a newer version.
    #[error("the record {key} has format {found}, this version reads up to {known}")]
    NewerFormat {
        /// Its key.
        key: String,
        /// Its format.
        found: u64,
        /// The newest known one.
        known: u64,
    },
    /// Another owner has taken over, or ownership has ended.
    #[error("owner revision {rev} is no longer the current one; {what} was refused")]
    NotOwner {
        /// The revision that was held.
        rev: Revision,
        /// What was tried.
        what: &'static str,
    },
    /// Another node runs the changefeed, or its run has ended.
    #[error("changefeed {changefeed} is no longer run under revision {rev}; {what} was refused")]
    NotRunner {
        /// The changefeed.
        changefeed: String,
        /// The revision that was held.
        rev: Revision,
        /// What was tried.
        what: &'static str,
    },
    /// Someone else wrote the record first.
    #[error("the record {key} was changed by someone else meanwhile")]
    Conflict {
        /// Its key.
        key: String,
    },
    /// A checkpoint was to go back.
    #[error("changefeed {changefeed}: checkpoint {to} lies before the stored one, {from}")]
    CheckpointBack {
        /// The changefeed.
        changefeed: String,
        /// What is stored.
        from: Position,
        /// What was to be stored.
        to: Position,
    },
    /// The changefeed exists.
    #[error("changefeed {changefeed} exists already")]
    Exists {
        /// The changefeed.
        changefeed: String,
    },
    /// Certificates for the store.
    #[error("the certificates for the metadata store cannot be used: {reason}")]
    Tls {
        /// Which file, and why.
        reason: String,
    },
    /// There is no such changefeed.
    #[error("there is no changefeed {changefeed}")]
    NotFound {
        /// The changefeed.
        changefeed: String,
    },
}

impl Coded for MetaError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Unavailable { .. } => 5201,
            Self::Timeout { .. } => 5202,
            Self::Compacted { .. } => 5203,
            Self::LeaseLost { .. } => 5204,
            Self::Locked { .. } => 5205,
            Self::Storage { .. } => 5206,
            Self::BadRecord { .. } => 5207,
            Self::NewerFormat { .. } => 5208,
            Self::NotOwner { .. } => 5209,
            Self::Conflict { .. } => 5210,
            Self::CheckpointBack { .. } => 5211,
            Self::Exists { .. } => 5212,
            Self::NotFound { .. } => 5213,
            Self::NotRunner { .. } => 5214,
            Self::Tls { .. } => 5215,
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::Timeout { .. }
                | Self::Compacted { .. }
                | Self::Conflict { .. }
                | Self::Storage { .. }
        )
    }
}
