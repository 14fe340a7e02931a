//! Whether a DDL handed over before has taken effect, as far as the downstream's schema shows.

use crate::ident::quoted;
use tidegate_sdk::sql::{Connection, SqlError, Value};
use tidegate_sdk::{DdlEvent, DdlKind, TableSchema};

/// Columns a table can have (TiDB: 4096).
const COLUMNS_MAX: u32 = 5000;

pub(super) enum State {
    Done,
    /// Not done, or doing it again does no harm.
    Open,
    /// It cannot be seen and must not be done twice.
    Ambiguous,
}

pub(super) fn check(connection: &Connection, event: &DdlEvent) -> Result<State, SqlError> {
    match event.kind {
        // The schemas are equal before and after, and a second time swaps the rows back.
        DdlKind::ExchangePartition => Ok(State::Ambiguous),
        DdlKind::RenameTable | DdlKind::AddColumn | DdlKind::DropColumn | DdlKind::MultiSchemaChange => {
            let (Some(before), Some(after)) = (&event.before, &event.after) else {
                return Ok(State::Open);
            };
            if same(before, after) {
                return Ok(State::Open);
            }
            let is_after = columns(connection, after)? == names(after);
            let moved = (&before.database, &before.name) != (&after.database, &after.name);
            let gone = !moved || columns(connection, before)?.is_empty();
            Ok(if is_after && gone { State::Done } else { State::Open })
        }
        _ => Ok(State::Open),
    }
}

fn same(before: &TableSchema, after: &TableSchema) -> bool {
    before.database == after.database && before.name == after.name && names(before) == names(after)
}

fn names(table: &TableSchema) -> Vec<String> {
    table.columns.iter().map(|c| c.name.to_lowercase()).collect()
}

/// Columns downstream in order, but for those that are generated on read, which table schemas leave out.
fn columns(connection: &Connection, table: &TableSchema) -> Result<Vec<String>, SqlError> {
    let query = format!(
        "SELECT LOWER(column_name) FROM information_schema.columns WHERE table_schema={} AND table_name={} \
         AND extra NOT LIKE '%VIRTUAL%' ORDER BY ordinal_position",
        quoted(&table.database),
        quoted(&table.name)
    );
    let rows = connection.query(&query, COLUMNS_MAX)?.rows;
    let text = |row: Vec<Value>| match row.into_iter().next() {
        Some(Value::Text(name)) => Some(name),
        Some(Value::Bytes(name)) => String::from_utf8(name).ok(),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(text).collect())
}
