//! Schema changes as events.

use crate::{TableId, TableVersion, Ts};
use std::sync::Arc;

/// What a DDL does, as far as the pipeline and sinks care.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names are the statements")]
pub enum DdlKind {
    CreateSchema,
    DropSchema,
    AlterSchema,
    CreateTable,
    DropTable,
    TruncateTable,
    RenameTable,
    RecoverTable,
    CreateView,
    DropView,
    AddColumn,
    DropColumn,
    ModifyColumn,
    AddIndex,
    DropIndex,
    AlterIndex,
    AddForeignKey,
    DropForeignKey,
    AddPartition,
    DropPartition,
    TruncatePartition,
    ExchangePartition,
    ReorganizePartition,
    AlterPartitioning,
    AlterTable,
    MultiSchemaChange,
}

/// One schema change to replicate, at one commit-ts. A job that makes several tables gives several
/// events with the same `commit_ts` and rising `seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DdlEvent {
    /// Commit-ts of the finished job.
    pub commit_ts: Ts,
    /// Orders events of one job.
    pub seq: u32,
    /// Upstream job id.
    pub job_id: i64,
    /// Upstream action number, for formats that carry it.
    pub action: u8,
    /// What it does.
    pub kind: DdlKind,
    /// Schema (database) the statement runs in.
    pub schema: String,
    /// Name of the table concerned after the change; empty for schema statements.
    pub table: String,
    /// The statement to run downstream: one statement that names its objects in full.
    pub query: String,
    /// Character set, collation and `sql_mode` bits the statement was written under.
    pub charset: String,
    /// See `charset`.
    pub collation: String,
    /// See `charset`.
    pub sql_mode: u64,
    /// The table before; `None` when it did not exist.
    pub before: Option<Arc<TableVersion>>,
    /// The table after; `None` when it is gone.
    pub after: Option<Arc<TableVersion>>,
    /// Physical ids whose rows must be written up to `commit_ts` before the statement runs.
    pub blocks: Vec<TableId>,
    /// Physical ids that end at `commit_ts`.
    pub removes: Vec<TableId>,
    /// Physical ids that begin above `commit_ts`.
    pub adds: Vec<TableId>,
}
