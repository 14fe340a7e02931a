//! CREATE TABLE from a table version.

use super::types::column_type_sql;
use super::{full, ident, string};
use tg_model::{Column, Index, TableKey, TableVersion, TypeCode};

/// Whose SQL to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// MySQL: without what only TiDB knows; vectors become LONGTEXT.
    MySql,
    /// TiDB.
    TiDb,
}

/// Prefix of the hidden columns behind the expressions of an index.
const EXPRESSION_COLUMN: &str = "_V$_";

/// A statement that makes a table that can hold the rows of `table`: columns, keys, character sets.
/// Partitions, foreign keys, comments of the table, TTL and placement are left out: rows do not need them.
#[must_use]
pub fn create_table_sql(table: &TableVersion, dialect: Dialect) -> String {
    let columns = table.columns.iter().filter(|c| !is_hidden(c)).map(|c| column_line(c, table, dialect));
    let indexes = table.indexes.iter().map(|i| index_line(i, table, dialect));
    let lines: Vec<String> = columns.chain(indexes).collect();
    let mut out = format!("CREATE TABLE {} (\n  {}\n)", full(&table.schema, &table.name), lines.join(",\n  "));
    for (word, name) in [("DEFAULT CHARSET", &table.charset), ("COLLATE", &table.collation)] {
        if !name.is_empty() {
            out.push_str(&format!(" {word}={name}"));
        }
    }
    out
}

fn is_hidden(c: &Column) -> bool {
    c.flags.generated_virtual && c.name.starts_with(EXPRESSION_COLUMN)
}

fn column_line(c: &Column, table: &TableVersion, dialect: Dialect) -> String {
    let mut out = format!("{} {}", ident(&c.name), column_type_sql(&c.ty, dialect));
    if !c.ty.is_binary() {
        if !c.ty.charset.is_empty() && c.ty.charset != table.charset {
            out.push_str(&format!(" CHARACTER SET {}", c.ty.charset));
        }
        if !c.ty.collation.is_empty() && c.ty.collation != table.collation {
            out.push_str(&format!(" COLLATE {}", c.ty.collation));
        }
    }
    if !c.generated_expr.is_empty() {
        let how = if c.flags.generated_stored { "STORED" } else { "VIRTUAL" };
        out.push_str(&format!(" GENERATED ALWAYS AS ({}) {how}", c.generated_expr));
    }
    if !c.flags.nullable {
        out.push_str(" NOT NULL");
    } else if c.ty.code == TypeCode::Timestamp {
        out.push_str(" NULL");
    }
    if c.flags.auto_increment {
        out.push_str(" AUTO_INCREMENT");
    }
    out.push_str(&default_clause(c));
    if !c.comment.is_empty() {
        out.push_str(&format!(" COMMENT {}", string(&c.comment)));
    }
    out
}

fn default_clause(c: &Column) -> String {
    if !c.generated_expr.is_empty() || c.flags.auto_increment {
        return String::new();
    }
    let Some(default) = &c.default else {
        return if c.flags.nullable { " DEFAULT NULL".to_owned() } else { String::new() };
    };
    if c.ty.code == TypeCode::Bit {
        let bits: String = default.iter().map(|b| format!("{b:08b}")).collect();
        let bits = bits.trim_start_matches('0');
        return format!(" DEFAULT b'{}'", if bits.is_empty() { "0" } else { bits });
    }
    let text = String::from_utf8_lossy(default);
    if c.default_is_expr {
        return format!(" DEFAULT ({text})");
    }
    if matches!(c.ty.code, TypeCode::Timestamp | TypeCode::DateTime)
        && text.to_ascii_uppercase().starts_with("CURRENT_TIMESTAMP")
    {
        let fraction = c.ty.decimals.filter(|n| *n > 0).map_or(String::new(), |n| format!("({n})"));
        return format!(" DEFAULT CURRENT_TIMESTAMP{fraction}");
    }
    format!(" DEFAULT {}", string(&text))
}

fn index_line(i: &Index, table: &TableVersion, dialect: Dialect) -> String {
    let parts: Vec<String> = i
        .columns
        .iter()
        .zip(&i.prefix_len)
        .filter_map(|(c, len)| Some(index_part(table.columns.get(*c as usize)?, *len)))
        .collect();
    let parts = parts.join(",");
    if i.primary {
        let clustered = match (dialect, &table.handle) {
            (Dialect::MySql, _) => "",
            (Dialect::TiDb, TableKey::RowId) => " /*T![clustered_index] NONCLUSTERED */",
            (Dialect::TiDb, _) => " /*T![clustered_index] CLUSTERED */",
        };
        return format!("PRIMARY KEY ({parts}){clustered}");
    }
    let unique = if i.unique { "UNIQUE " } else { "" };
    format!("{unique}KEY {} ({parts})", ident(&i.name))
}

fn index_part(c: &Column, len: Option<u32>) -> String {
    if is_hidden(c) {
        return format!("({})", c.generated_expr);
    }
    len.map_or_else(|| ident(&c.name), |n| format!("{}({n})", ident(&c.name)))
}
