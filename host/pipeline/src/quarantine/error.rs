//! Why a row could not be put aside.

use tg_model::{Code, Coded};

/// Why a row could not be put aside.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named in the messages")]
pub enum QuarantineError {
    /// So many were put aside that something is wrong with more than a row.
    #[error("{limit} rows were put aside within an hour, which is the limit")]
    TooMany { limit: u32 },
    /// The place is full.
    #[error("the quarantine holds {rows} rows in {bytes} bytes and takes no more")]
    Full { rows: usize, bytes: u64 },
    /// The file system failed.
    #[error("the quarantine at {path} failed: {reason}")]
    Io { path: String, reason: String },
    /// The file is of a later version, or none of ours.
    #[error("the quarantine at {path} cannot be read: {reason}")]
    Format { path: String, reason: String },
    /// The quarantine is another node's.
    #[error("{message}")]
    Elsewhere { code: Code, message: String, retryable: bool },
    /// There is no such row.
    #[error("the quarantine holds no row {id}")]
    NoRow { id: u64 },
}

impl Coded for QuarantineError {
    fn code(&self) -> Code {
        Code(match self {
            Self::TooMany { .. } | Self::Full { .. } => 4010,
            Self::Io { .. } | Self::Format { .. } => 4011,
            Self::NoRow { .. } => 4012,
            Self::Elsewhere { code, .. } => code.0,
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Elsewhere { retryable: true, .. })
    }
}
