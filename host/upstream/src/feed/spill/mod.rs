//! What waits for its commit and does not fit into memory: files that live as long as the process.
//!
//! `area` owns the directory and its bound, `tape` is what one stream writes and reads. Nothing here
//! survives a restart and nothing needs to: a subscription made anew delivers it again.

mod area;
mod tape;

pub(crate) use area::SpillArea;
pub(super) use tape::{Location, Tape};

use crate::UpstreamError;

/// Why something cannot be spilled or read back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpillError {
    /// The bound of the area is reached.
    #[error("{limit_bytes} bytes lie on disk already")]
    Full { limit_bytes: u64 },
    /// The file system fails.
    #[error("{path}: {detail}")]
    Io { path: String, detail: String },
}

impl From<SpillError> for UpstreamError {
    fn from(error: SpillError) -> Self {
        match error {
            SpillError::Full { limit_bytes } => Self::SpillFull { span: 0, limit_bytes },
            SpillError::Io { path, detail } => Self::Spill { path, detail },
        }
    }
}
