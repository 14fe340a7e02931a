//! The bits that describe a column.

use tg_format_common::{Column, MysqlType, Table};

/// Byte strings, and types without a character set.
pub(crate) const BINARY: u64 = 1;
/// Part of the key that identifies rows.
pub(crate) const HANDLE: u64 = 2;
/// Generated.
pub(crate) const GENERATED: u64 = 4;
/// Part of the primary key.
pub(crate) const PRIMARY: u64 = 8;
/// Part of a unique index.
pub(crate) const UNIQUE: u64 = 16;
/// Part of an index of several columns, or of one that is not unique.
pub(crate) const MULTIPLE: u64 = 32;
/// NULL is allowed.
pub(crate) const NULLABLE: u64 = 64;
/// No sign.
pub(crate) const UNSIGNED: u64 = 128;

/// The bits of a column.
pub(crate) fn of(table: &Table, column: &Column) -> u64 {
    let mut flags = 0;
    let mut set = |on: bool, bit| flags |= if on { bit } else { 0 };
    let has_charset = column.ty.is_text() || matches!(column.ty, MysqlType::Enum | MysqlType::Set);
    set(!has_charset, BINARY);
    set(column.handle, HANDLE);
    set(table.schema.columns.get(column.position).is_some_and(|c| c.props.generated), GENERATED);
    set(column.nullable, NULLABLE);
    set(column.unsigned || matches!(column.ty, MysqlType::Year | MysqlType::Bit), UNSIGNED);
    let position = u32::try_from(column.position).ok();
    for index in table.schema.indexes.iter().filter(|index| index.columns.iter().any(|c| Some(*c) == position)) {
        set(index.primary, PRIMARY);
        set(index.unique && !index.primary, UNIQUE);
        set(!index.unique || index.columns.len() > 1, MULTIPLE);
    }
    flags
}
