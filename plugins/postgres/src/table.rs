//! One table version, prepared for writing.

use crate::config::Config;
use crate::ident::{ident, table_ident};
use crate::literal::Literal;
use crate::pgtype::pg_type;
use tidegate_sdk::{Column, Index, TableRef, TableSchema};

/// How rows of a table are brought to their new state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyMode {
    /// The row key is the only unique key: `INSERT … ON CONFLICT` meets the very row.
    Upsert,
    /// There are more unique keys: rows that change go first, so that their values are free.
    Replace,
    /// Nothing identifies a row: one statement for each change, in order.
    Keyless,
}

/// A column as it stands in images.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ImageColumn {
    /// Position in images.
    pub(crate) at: usize,
    pub(crate) literal: Literal,
    pub(crate) pg_type: String,
    pub(crate) in_key: bool,
}

/// Rows found by a unique key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ByKey {
    pub(crate) columns: Vec<ImageColumn>,
    /// `DELETE FROM "d"."t" WHERE "a" IN (`
    pub(crate) delete_head: Vec<u8>,
}

/// One table version with the constant parts of its statements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    pub(crate) id: TableRef,
    pub(crate) mode: KeyMode,
    pub(crate) columns: Vec<ImageColumn>,
    /// Names in quotes, one a column.
    pub(crate) names: Vec<String>,
    /// Empty columns when keyless.
    pub(crate) key: ByKey,
    /// Further unique keys.
    pub(crate) others: Vec<ByKey>,
    /// `"d"."t"`
    pub(crate) name: String,
    /// `INSERT INTO "d"."t" ("a","b") VALUES `
    pub(crate) insert_head: Vec<u8>,
    /// ` ON CONFLICT ("a") DO UPDATE SET "b"=EXCLUDED."b"`
    pub(crate) upsert_tail: Vec<u8>,
}

impl Table {
    /// Prepares a version for writing.
    #[must_use]
    pub fn new(schema: &TableSchema, config: &Config) -> Self {
        let key_positions = schema.row_key_columns();
        let image_column = |(at, c): (usize, &Column)| ImageColumn {
            at,
            literal: Literal::of(c, config.bit_type),
            pg_type: pg_type(c, config.bit_type),
            in_key: key_positions.contains(&(at as u32)),
        };
        let columns: Vec<ImageColumn> = schema.columns.iter().enumerate().map(image_column).collect();
        let names: Vec<String> = schema.columns.iter().map(|c| ident(&c.name)).collect();
        let name = table_ident(&schema.database, &schema.name);
        let key = by_key(&name, key_positions, &columns, &names);
        let keyless = key.columns.is_empty() || key.columns.len() < key_positions.len();
        let is_other =
            |(i, index): &(usize, &Index)| (index.unique || index.primary) && schema.row_key != Some(*i as u32);
        let others: Vec<ByKey> = schema
            .indexes
            .iter()
            .enumerate()
            .filter(is_other)
            .map(|(_, index)| by_key(&name, &index.columns, &columns, &names))
            .collect();
        let mode = match (keyless, others.is_empty()) {
            (true, _) => KeyMode::Keyless,
            (false, true) => KeyMode::Upsert,
            (false, false) => KeyMode::Replace,
        };
        Self {
            id: schema.id,
            mode,
            insert_head: format!("INSERT INTO {name} ({}) VALUES ", names.join(",")).into_bytes(),
            upsert_tail: if keyless { Vec::new() } else { upsert_tail(&columns, &names).into_bytes() },
            columns,
            names,
            key,
            others,
            name,
        }
    }

    /// How rows are written.
    #[must_use]
    pub const fn mode(&self) -> KeyMode {
        self.mode
    }

    /// `"d"."t"`, for messages.
    #[must_use]
    pub fn display_name(&self) -> &str {
        &self.name
    }
}

fn upsert_tail(columns: &[ImageColumn], names: &[String]) -> String {
    let of = |in_key: bool| columns.iter().zip(names).filter(move |(c, _)| c.in_key == in_key).map(|(_, n)| n.as_str());
    let key: Vec<&str> = of(true).collect();
    // A key is equal byte for byte here, so its columns need no new value.
    let set: Vec<String> = of(false).map(|n| format!("{n}=EXCLUDED.{n}")).collect();
    let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(",")) };
    format!(" ON CONFLICT ({}) DO {action}", key.join(","))
}

fn by_key(table: &str, positions: &[u32], columns: &[ImageColumn], names: &[String]) -> ByKey {
    let at = |p: &u32| *p as usize;
    let columns: Vec<ImageColumn> = positions.iter().filter_map(|p| columns.get(at(p)).cloned()).collect();
    let names: Vec<&str> = positions.iter().filter_map(|p| names.get(at(p))).map(String::as_str).collect();
    // A list of rows is a table of its own, which the server joins; a list of values it looks up.
    let head = match names.as_slice() {
        [one] => format!("DELETE FROM {table} WHERE {one} IN ("),
        several => format!("DELETE FROM {table} WHERE ({}) IN (VALUES ", several.join(",")),
    };
    ByKey { columns, delete_head: head.into_bytes() }
}
