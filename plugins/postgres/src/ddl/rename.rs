//! Renamed tables.

use super::{Ddl, Look};
use crate::ident::{ident, table_ident};
use tidegate_sdk::TableSchema;
use tidegate_sdk::sql::SqlError;

/// Moves a table, unless it has moved.
pub(super) fn rename(before: &TableSchema, after: &TableSchema, look: &mut Look<'_>) -> Result<Ddl, SqlError> {
    let place = |t: &TableSchema| table_ident(&t.database, &t.name);
    if place(before) == place(after) {
        return Ok(Ddl::Run(Vec::new()));
    }
    if !look(&before.database, &before.name)?.exists && look(&after.database, &after.name)?.exists {
        return Ok(Ddl::Run(Vec::new()));
    }
    let to_name = |from: &str, name: &str| format!("ALTER TABLE {from} RENAME TO {}", ident(name));
    if before.database == after.database {
        return Ok(Ddl::Run(vec![to_name(&place(before), &after.name)]));
    }
    let to_schema = |name: &str| {
        format!("ALTER TABLE {} SET SCHEMA {}", table_ident(&before.database, name), ident(&after.database))
    };
    if before.name == after.name {
        return Ok(Ddl::Run(vec![to_schema(&before.name)]));
    }
    // By a third name: the old name may be taken there, and the new one here.
    let between = format!("tidegate_moves_{}", before.id.table);
    Ok(Ddl::Run(vec![
        to_name(&place(before), &between),
        to_schema(&between),
        to_name(&table_ident(&after.database, &between), &after.name),
    ]))
}
