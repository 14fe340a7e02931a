//! Indexes.

use super::actual::INDEX_MARK;
use crate::ident::{NAME_BYTES_MAX, ident, quoted, table_ident};
use tidegate_sdk::{Column, Index, LogicalType, TableSchema};

/// Bytes that an entry of an index can have. Longer values would stop a changefeed for an index that only makes reading faster.
const ENTRY_BYTES_MAX: u32 = 2_600;
/// Bytes of a character.
const CHARACTER_BYTES: u32 = 4;
/// Bytes of a value of any other type, at most.
const FIXED_BYTES: u32 = 40;

/// Whether the index is kept here. The one that identifies rows always is; of the others those whose entries fit.
pub(super) fn is_kept(table: &TableSchema, at: usize) -> bool {
    let Some(index) = table.indexes.get(at) else { return false };
    if index.primary || table.row_key == u32::try_from(at).ok() {
        return true;
    }
    let columns: Vec<&Column> = index.columns.iter().filter_map(|c| table.columns.get(*c as usize)).collect();
    let sizes: Option<Vec<u32>> = columns.iter().map(|c| value_bytes(c)).collect();
    columns.len() == index.columns.len()
        && sizes.is_some_and(|s| s.iter().fold(0, |sum: u32, n| sum.saturating_add(*n)) <= ENTRY_BYTES_MAX)
}

/// Bytes of a value at most; `None`: there is no limit worth the name, or no order.
fn value_bytes(column: &Column) -> Option<u32> {
    match column.logical {
        LogicalType::Json | LogicalType::Vector => None,
        // Types without a length, TEXT and BLOB, have indexes over a beginning only.
        LogicalType::Text if column.source_type.contains("char") => {
            column.length.map(|n| n.saturating_mul(CHARACTER_BYTES))
        }
        LogicalType::Bytes if column.source_type.contains("binary") => column.length,
        LogicalType::Text | LogicalType::Bytes => None,
        LogicalType::Enumeration | LogicalType::Set => {
            Some(column.members.iter().map(|m| m.len() as u32 + 1).fold(0, u32::saturating_add))
        }
        _ => Some(FIXED_BYTES),
    }
}

/// A name that no other table's index has: the table's number is part of it.
fn name_here(table: &TableSchema, index: &Index) -> String {
    let tail = format!("_{}", table.id.table);
    let room = NAME_BYTES_MAX.saturating_sub(tail.len());
    let mut end = index.name.len().min(room);
    while !index.name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{tail}", index.name.get(..end).unwrap_or_default())
}

fn columns_of(table: &TableSchema, index: &Index) -> String {
    let names = index.columns.iter().filter_map(|c| table.columns.get(*c as usize)).map(|c| ident(&c.name));
    names.collect::<Vec<_>>().join(",")
}

/// `PRIMARY KEY (…)`, with its name.
pub(super) fn primary_clause(table: &TableSchema, index: &Index) -> String {
    format!("CONSTRAINT {} PRIMARY KEY ({})", ident(&name_here(table, index)), columns_of(table, index))
}

/// The statements that make an index.
pub(super) fn create(table: &TableSchema, index: &Index) -> Vec<String> {
    let on = table_ident(&table.database, &table.name);
    if index.primary {
        return vec![format!("ALTER TABLE {on} ADD {}", primary_clause(table, index))];
    }
    let (name, unique) = (name_here(table, index), if index.unique { "UNIQUE " } else { "" });
    vec![
        format!("CREATE {unique}INDEX IF NOT EXISTS {} ON {on} ({})", ident(&name), columns_of(table, index)),
        mark(table, &name, &index.name),
    ]
}

/// Notes the source's name at an index.
pub(super) fn mark(table: &TableSchema, name: &str, source_name: &str) -> String {
    let index = table_ident(&table.database, name);
    format!("COMMENT ON INDEX {index} IS {}", quoted(&format!("{INDEX_MARK}{source_name}")))
}

/// The statement that drops an index of this name here.
pub(super) fn drop(table: &TableSchema, name: &str, primary: bool) -> String {
    if primary {
        let on = table_ident(&table.database, &table.name);
        return format!("ALTER TABLE {on} DROP CONSTRAINT IF EXISTS {}", ident(name));
    }
    format!("DROP INDEX IF EXISTS {}", table_ident(&table.database, name))
}
