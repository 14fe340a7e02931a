//! What can go wrong in the playground.

use crate::store::Lock;
use bytes::Bytes;
use tg_model::{Code, Coded};

/// An error of the playground.
#[derive(Debug, thiserror::Error)]
pub enum PlaygroundError {
    /// A listener could not be opened.
    #[error("the playground cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] std::io::Error),
    /// A column type is not known.
    #[error("column {column}: type {sql_type:?} is not known")]
    UnknownType {
        /// Column.
        column: String,
        /// Type as written.
        sql_type: String,
    },
    /// There is no such schema or table.
    #[error("there is no schema or table {name}")]
    UnknownTable {
        /// As asked.
        name: String,
    },
    /// There is no such column.
    #[error("table {table} has no column {column}")]
    UnknownColumn {
        /// Table.
        table: String,
        /// Column.
        column: String,
    },
    /// The name is taken.
    #[error("{name} exists already")]
    Exists {
        /// Schema or table.
        name: String,
    },
    /// A partitioned table needs a clustered integer primary key.
    #[error("table {table}: hash partitions need a clustered primary key of one integer column")]
    PartitionKey {
        /// Table.
        table: String,
    },
    /// The change of a table cannot be done here.
    #[error("table {table}: {what} is not supported by the playground")]
    Unsupported {
        /// Table.
        table: String,
        /// The change.
        what: &'static str,
    },
    /// A value is of another type than its column, or there are too few or too many.
    #[error("table {table}: a value does not fit column {column:?}")]
    ValueMisfit {
        /// Table.
        table: String,
        /// Column; empty when unknown.
        column: String,
    },
    /// Another transaction holds a lock.
    #[error("a key is locked by transaction {}", lock.start_ts)]
    Locked {
        /// Locked key.
        key: Bytes,
        /// The lock.
        lock: Box<Lock>,
    },
    /// The key was written since the transaction began.
    #[error("write conflict: transaction {start_ts} meets a commit at {commit_ts}")]
    WriteConflict {
        /// Start of the transaction.
        start_ts: u64,
        /// Commit of the other.
        commit_ts: u64,
    },
    /// The transaction's lock is gone.
    #[error("transaction {start_ts} holds no lock on a key it commits")]
    LockNotFound {
        /// Start of the transaction.
        start_ts: u64,
    },
    /// A table changed between the transaction's reads and its commit.
    #[error("table {table} changed its schema during the transaction")]
    SchemaChanged {
        /// Table.
        table: String,
    },
    /// There is no such region.
    #[error("there is no region {region}, or it has no neighbour on the right")]
    UnknownRegion {
        /// Region id.
        region: u64,
    },
    /// There is no such store, or not for this region.
    #[error("there is no store {store} here")]
    UnknownStore {
        /// Store id.
        store: u64,
    },
}

impl Coded for PlaygroundError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Listen(_) => 7001,
            Self::UnknownType { .. } => 7002,
            Self::UnknownTable { .. } | Self::UnknownColumn { .. } => 7003,
            Self::Exists { .. } => 7004,
            Self::PartitionKey { .. } | Self::Unsupported { .. } => 7005,
            Self::ValueMisfit { .. } => 7006,
            Self::Locked { .. } | Self::WriteConflict { .. } | Self::LockNotFound { .. } => 7007,
            Self::SchemaChanged { .. } => 7008,
            Self::UnknownRegion { .. } | Self::UnknownStore { .. } => 7009,
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::WriteConflict { .. } | Self::SchemaChanged { .. })
    }
}
