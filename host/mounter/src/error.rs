//! What can go wrong when mounting.

use crate::checksum::ChecksumFault;
use crate::decode::Fault;
use tg_model::{Code, Coded, Ts};
use tgr1::BatchFull;

/// A change that could not be written to a batch. The batch is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The key is not the key of a row of this table.
    #[error("table {table}: a change at commit-ts {commit_ts} has a key that is not one of its rows: {fault}")]
    Key {
        /// `schema.table`.
        table: String,
        /// Commit-ts of the change.
        commit_ts: Ts,
        /// Why.
        fault: Fault,
    },
    /// The row as a whole cannot be decoded.
    #[error("table {table}: the row at commit-ts {commit_ts} cannot be decoded: {fault}")]
    Row {
        /// `schema.table`.
        table: String,
        /// Commit-ts of the change.
        commit_ts: Ts,
        /// Why.
        fault: Fault,
    },
    /// The value of one column cannot be decoded.
    #[error("table {table}: column `{column}` of the row at commit-ts {commit_ts} cannot be decoded: {fault}")]
    Column {
        /// `schema.table`.
        table: String,
        /// Name of the column.
        column: String,
        /// Commit-ts of the change.
        commit_ts: Ts,
        /// Why.
        fault: Fault,
    },
    /// The row's checksum is wrong.
    #[error("table {table}: the row at commit-ts {commit_ts} fails its checksum: {fault}")]
    Checksum {
        /// `schema.table`.
        table: String,
        /// Commit-ts of the change.
        commit_ts: Ts,
        /// Why.
        fault: ChecksumFault,
    },
    /// A column of the table version cannot be planned for.
    #[error("table {table}, since {since}: column `{column}` cannot be mounted: {fault}")]
    Table {
        /// `schema.table`.
        table: String,
        /// Name of the column.
        column: String,
        /// Start of the table version.
        since: Ts,
        /// Why.
        fault: Fault,
    },
    /// The batch has no room: finish it and mount the change into the next one. A row that does not fit into an empty batch
    /// is too large for any.
    #[error("table {table}: the change at commit-ts {commit_ts}: {full}")]
    Full {
        /// `schema.table`.
        table: String,
        /// Commit-ts of the change.
        commit_ts: Ts,
        /// Sizes.
        full: BatchFull,
    },
}

impl Coded for MountError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Key { .. } => 1401,
            Self::Row { .. } => 1402,
            Self::Column { .. } => 1403,
            Self::Checksum { .. } => 1404,
            Self::Table { .. } => 1405,
            Self::Full { .. } => 1406,
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Full { .. })
    }
}
