//! What can go wrong.

use std::path::PathBuf;
use tg_model::{Code, Coded};

/// A failure of the sorter. None of them loses a change that was pushed.
#[derive(Debug, thiserror::Error)]
pub enum SorterError {
    /// The directory could not be wiped, made or opened.
    #[error("cannot open the sorter's directory {}: {cause}", dir.display())]
    Open {
        /// The directory.
        dir: PathBuf,
        /// What the system or RocksDB said.
        cause: String,
    },
    /// Spilling would pass the disk limit.
    #[error(
        "the sorter needs {need_bytes} bytes of disk but {used_bytes} of {limit_bytes} are in use; \
         the changes stay in memory and the feed has to stop until the downstream catches up"
    )]
    DiskLimit {
        /// What was to be written.
        need_bytes: u64,
        /// What is in use in the whole process.
        used_bytes: u64,
        /// The configured limit.
        limit_bytes: u64,
    },
    /// RocksDB failed to read or write.
    #[error("the sorter's disk store failed to {what}: {cause}")]
    Disk {
        /// What was tried.
        what: &'static str,
        /// What RocksDB said.
        cause: String,
    },
    /// A record came back from disk in a form the sorter never writes.
    #[error("a spilled record of {len_bytes} bytes near commit-ts {commit_ts} is damaged")]
    Damaged {
        /// Commit-ts in its key; zero when the key is too short to have one.
        commit_ts: u64,
        /// Length of key and value.
        len_bytes: usize,
    },
}

impl SorterError {
    pub(crate) const OPEN: Code = Code(1201);
    pub(crate) const DISK_LIMIT: Code = Code(1202);
    pub(crate) const DISK: Code = Code(1203);
    pub(crate) const DAMAGED: Code = Code(1204);

    pub(crate) fn disk(what: &'static str) -> impl Fn(rocksdb::Error) -> Self {
        move |e| Self::Disk { what, cause: e.to_string() }
    }
}

impl Coded for SorterError {
    fn code(&self) -> Code {
        match self {
            Self::Open { .. } => Self::OPEN,
            Self::DiskLimit { .. } => Self::DISK_LIMIT,
            Self::Disk { .. } => Self::DISK,
            Self::Damaged { .. } => Self::DAMAGED,
        }
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::DiskLimit { .. } | Self::Disk { .. })
    }
}
