//! DDL as formats name it.

use tidegate_sdk::{DdlEvent, DdlKind, TableSchema};

/// Bits of a timestamp below the milliseconds.
const LOGICAL_BITS: u32 = 18;
/// Actions that make or rename several tables in one job, and what each statement of it counts as.
const MANY: [(u8, u8); 2] = [(60, 3), (47, 14)];

/// Milliseconds since 1970 of a timestamp.
#[must_use]
pub const fn physical_ms(ts: u64) -> u64 {
    ts >> LOGICAL_BITS
}

/// Upstream's number of the action.
#[must_use]
pub fn action_code(ddl: &DdlEvent) -> u8 {
    let text = ddl.attrs.iter().find(|(name, _)| name == "action").map(|(_, value)| value.as_str());
    let action = text.and_then(|text| text.parse().ok()).unwrap_or(0);
    MANY.iter().find(|(many, _)| *many == action).map_or(action, |(_, one)| *one)
}

/// The word canal and simple messages have for a DDL.
#[must_use]
pub fn ddl_word(ddl: &DdlEvent) -> &'static str {
    match action_code(ddl) {
        3 => "CREATE",
        4 => "ERASE",
        11 => "TRUNCATE",
        14 => "RENAME",
        // Add index, foreign key, primary key; drop the same.
        7 | 9 | 32 => "CINDEX",
        8 | 10 | 33 => "DINDEX",
        // Columns, comment, charset, partitions, index attributes, several of these at once.
        5 | 6 | 12 | 13 | 15 | 16 | 17 | 18 | 19 | 20 | 22 | 23 | 41 | 44 | 45 | 52 | 53 | 61 | 64 | 71 | 72 => "ALTER",
        0 => by_kind(ddl.kind),
        _ => "QUERY",
    }
}

const fn by_kind(kind: DdlKind) -> &'static str {
    match kind {
        DdlKind::CreateTable => "CREATE",
        DdlKind::DropTable => "ERASE",
        DdlKind::TruncateTable => "TRUNCATE",
        DdlKind::RenameTable => "RENAME",
        DdlKind::AddIndex | DdlKind::AddForeignKey => "CINDEX",
        DdlKind::DropIndex | DdlKind::DropForeignKey => "DINDEX",
        DdlKind::AddColumn
        | DdlKind::DropColumn
        | DdlKind::ModifyColumn
        | DdlKind::AlterIndex
        | DdlKind::AddPartition
        | DdlKind::DropPartition
        | DdlKind::TruncatePartition
        | DdlKind::ReorganizePartition
        | DdlKind::AlterPartitioning
        | DdlKind::AlterTable
        | DdlKind::MultiSchemaChange => "ALTER",
        DdlKind::CreateSchema
        | DdlKind::DropSchema
        | DdlKind::AlterSchema
        | DdlKind::RecoverTable
        | DdlKind::CreateView
        | DdlKind::DropView
        | DdlKind::ExchangePartition => "QUERY",
    }
}

/// The table as the DDL leaves it, or as it was when it is gone.
#[must_use]
pub fn ddl_table(ddl: &DdlEvent) -> Option<&TableSchema> {
    ddl.after.as_ref().or(ddl.before.as_ref())
}

/// Schema and table that a DDL concerns, as it leaves them. Empty table for schema statements.
#[must_use]
pub fn ddl_names(ddl: &DdlEvent) -> (&str, &str) {
    match ddl_table(ddl) {
        Some(table) if !ddl.table.is_empty() => (&table.database, &table.name),
        _ => (&ddl.database, &ddl.table),
    }
}
