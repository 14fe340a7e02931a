//! Actions of DDL jobs, by the numbers of TiDB.

use tg_model::DdlKind;

pub(crate) const CREATE_SCHEMA: u8 = 1;
pub(crate) const DROP_SCHEMA: u8 = 2;
pub(crate) const CREATE_TABLE: u8 = 3;
pub(crate) const DROP_TABLE: u8 = 4;
pub(crate) const ADD_COLUMN: u8 = 5;
pub(crate) const TRUNCATE_TABLE: u8 = 11;
pub(crate) const MODIFY_COLUMN: u8 = 12;
pub(crate) const RENAME_TABLE: u8 = 14;
pub(crate) const CREATE_VIEW: u8 = 21;
pub(crate) const DROP_VIEW: u8 = 24;
pub(crate) const RECOVER_TABLE: u8 = 25;
pub(crate) const ALTER_SCHEMA: u8 = 26;
pub(crate) const CREATE_SEQUENCE: u8 = 34;
pub(crate) const DROP_SEQUENCE: u8 = 36;
pub(crate) const EXCHANGE_PARTITION: u8 = 42;
pub(crate) const RENAME_TABLES: u8 = 47;
pub(crate) const CREATE_TABLES: u8 = 60;
pub(crate) const MULTI_SCHEMA_CHANGE: u8 = 61;
pub(crate) const FLASHBACK_CLUSTER: u8 = 62;
pub(crate) const RECOVER_SCHEMA: u8 = 63;
pub(crate) const ALTER_PARTITIONING: u8 = 71;
pub(crate) const REMOVE_PARTITIONING: u8 = 72;

/// What a replicated action does; `None` for one that stays upstream (placement, locks, sequences, check
/// constraints, TiFlash replicas, resource groups and the like).
pub(crate) fn kind(action: u8) -> Option<DdlKind> {
    Some(match action {
        CREATE_SCHEMA => DdlKind::CreateSchema,
        DROP_SCHEMA => DdlKind::DropSchema,
        ALTER_SCHEMA => DdlKind::AlterSchema,
        CREATE_TABLE | CREATE_TABLES => DdlKind::CreateTable,
        DROP_TABLE => DdlKind::DropTable,
        TRUNCATE_TABLE => DdlKind::TruncateTable,
        RENAME_TABLE | RENAME_TABLES => DdlKind::RenameTable,
        RECOVER_TABLE => DdlKind::RecoverTable,
        CREATE_VIEW => DdlKind::CreateView,
        DROP_VIEW => DdlKind::DropView,
        ADD_COLUMN | 37 => DdlKind::AddColumn,
        6 | 38 => DdlKind::DropColumn,
        MODIFY_COLUMN | 15 => DdlKind::ModifyColumn,
        7 | 32 | 230 | 231 => DdlKind::AddIndex,
        8 | 33 | 48 => DdlKind::DropIndex,
        18 | 41 => DdlKind::AlterIndex,
        9 => DdlKind::AddForeignKey,
        10 => DdlKind::DropForeignKey,
        19 => DdlKind::AddPartition,
        20 => DdlKind::DropPartition,
        23 => DdlKind::TruncatePartition,
        EXCHANGE_PARTITION => DdlKind::ExchangePartition,
        64 => DdlKind::ReorganizePartition,
        ALTER_PARTITIONING | REMOVE_PARTITIONING => DdlKind::AlterPartitioning,
        // Rebase of auto ids, comment, charset, TTL.
        13 | 17 | 22 | 65 | 67 => DdlKind::AlterTable,
        MULTI_SCHEMA_CHANGE => DdlKind::MultiSchemaChange,
        _ => return None,
    })
}

/// Schemas of the upstream itself, never replicated; compared without case.
const SYSTEM_SCHEMAS: [&str; 10] = [
    "mysql",
    "information_schema",
    "performance_schema",
    "metrics_schema",
    "inspection_schema",
    "sys",
    "dm_heartbeat",
    "tidb_cdc",
    "lightning_task_info",
    "workload_schema",
];

/// Whether a schema belongs to the upstream itself, or to a tool, and is never replicated.
#[must_use]
pub fn is_system_schema(name: &str) -> bool {
    SYSTEM_SCHEMAS.iter().any(|s| s.eq_ignore_ascii_case(name))
}
