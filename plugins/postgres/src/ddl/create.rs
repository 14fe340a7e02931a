//! New tables.

use super::{Ddl, Look, defaults, index};
use crate::config::Config;
use crate::ident::{ident, table_ident};
use crate::pgtype::pg_type;
use tidegate_sdk::sql::SqlError;
use tidegate_sdk::{Column, TableSchema};

/// A table and its indexes, unless it is there.
pub(super) fn create(config: &Config, table: &TableSchema, look: &mut Look<'_>) -> Result<Ddl, SqlError> {
    let actual = look(&table.database, &table.name)?;
    if actual.exists {
        return Ok(Ddl::Run(Vec::new()));
    }
    let mut parts: Vec<String> = table.columns.iter().map(|c| definition(c, config)).collect();
    parts.extend(table.indexes.iter().filter(|i| i.primary).map(|i| index::primary_clause(table, i)));
    let name = table_ident(&table.database, &table.name);
    // The schema, where a changefeed begins after it was made. Only if it is missing: it needs a right that few have.
    let mut statements = Vec::new();
    if !actual.schema_exists {
        statements.push(format!("CREATE SCHEMA IF NOT EXISTS {}", ident(&table.database)));
    }
    statements.push(format!("CREATE TABLE IF NOT EXISTS {name} ({})", parts.join(",")));
    let kept = table.indexes.iter().enumerate().filter(|(at, i)| !i.primary && index::is_kept(table, *at));
    statements.extend(kept.flat_map(|(_, i)| index::create(table, i)));
    Ok(Ddl::Run(statements))
}

/// A column as it stands in CREATE TABLE. Generated columns are plain ones: rows bring their values.
pub(super) fn definition(column: &Column, config: &Config) -> String {
    let null = if defaults::takes_null(column, config) { "" } else { " NOT NULL" };
    let default = defaults::clause(column, config);
    format!("{} {}{null}{default}", ident(&column.name), pg_type(column, config.bit_type))
}
