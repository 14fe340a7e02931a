//! What can go wrong with schemas.

use tg_model::{Code, Coded, Ts};

/// An error of the schema store.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// An entry of the meta data is not the JSON it should be.
    #[error("the meta entry {entry} read at ts {ts} is not the expected JSON: {source}")]
    MetaJson {
        /// Hash and field, as `DB:2/Table:104`.
        entry: String,
        /// The snapshot's timestamp.
        ts: Ts,
        /// Where the text departs from what is expected.
        source: serde_json::Error,
    },
    /// A row of the job table cannot be decoded.
    #[error("the row of DDL job {job_id} committed at ts {commit_ts} cannot be decoded: {reason}")]
    JobRow {
        /// The job, from the row's key.
        job_id: i64,
        /// Commit-ts of the row.
        commit_ts: Ts,
        /// What is wrong with the bytes.
        reason: &'static str,
    },
    /// The description of a job is not the JSON it should be.
    #[error("the description of DDL job {job_id} committed at ts {commit_ts} is not the expected JSON: {source}")]
    JobJson {
        /// The job, from the row's key.
        job_id: i64,
        /// Commit-ts of the row.
        commit_ts: Ts,
        /// Where the text departs from what is expected.
        source: serde_json::Error,
    },
    /// A finished job lacks something that it must have.
    #[error("DDL job {job_id} (action {action}) on {object} at ts {commit_ts} has no {missing}")]
    JobIncomplete {
        /// The job.
        job_id: i64,
        /// Its action number.
        action: u8,
        /// Schema and table as the job names them.
        object: String,
        /// Commit-ts of the job.
        commit_ts: Ts,
        /// What is missing.
        missing: &'static str,
    },
    /// A column has a type that is not known.
    #[error("column {column} of table {schema}.{table} has the unknown type number {number}")]
    UnknownType {
        /// Schema.
        schema: String,
        /// Table.
        table: String,
        /// Column.
        column: String,
        /// The type number.
        number: u8,
    },
    /// The whole upstream cluster was set back in time.
    #[error(
        "the upstream was flashed back by DDL job {job_id} at ts {commit_ts}: what happened to its schemas is not in the feed"
    )]
    FlashbackCluster {
        /// The job.
        job_id: i64,
        /// Commit-ts of the job.
        commit_ts: Ts,
    },
}

impl Coded for SchemaError {
    fn code(&self) -> Code {
        Code(match self {
            Self::MetaJson { .. } => 1301,
            Self::JobRow { .. } => 1302,
            Self::JobJson { .. } => 1303,
            Self::JobIncomplete { .. } => 1304,
            Self::UnknownType { .. } => 1305,
            Self::FlashbackCluster { .. } => 1306,
        })
    }
}
