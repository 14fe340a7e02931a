//! One table version, prepared for writing.

use crate::config::{Config, ZeroDates};
use crate::ident::{ident, table_ident};
use crate::literal::Literal;
use crate::pgtype::pg_type;
use tg_sql_common::{KeyColumn, KeyMode};
use tidegate_sdk::{Column, Index, TableSchema};

/// A column as it stands in images.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ImageColumn {
    /// Position in images.
    pub(crate) at: usize,
    pub(crate) literal: Literal,
    pub(crate) pg_type: String,
    pub(crate) in_key: bool,
}

impl KeyColumn for ImageColumn {
    fn at(&self) -> usize {
        self.at
    }

    fn is_string(&self) -> bool {
        self.literal.is_string()
    }
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
    pub(crate) mode: KeyMode,
    pub(crate) columns: Vec<ImageColumn>,
    /// Names in quotes, one a column.
    pub(crate) names: Vec<String>,
    /// Empty columns when keyless.
    pub(crate) key: ByKey,
    /// Further unique keys.
    pub(crate) others: Vec<ByKey>,
    /// What becomes of dates that do not exist.
    pub(crate) zero_dates: ZeroDates,
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
        let mode = KeyMode::of(schema);
        let is_other =
            |(i, index): &(usize, &Index)| (index.unique || index.primary) && schema.row_key != Some(*i as u32);
        let others: Vec<ByKey> = schema
            .indexes
            .iter()
            .enumerate()
            .filter(is_other)
            .map(|(_, index)| by_key(&name, &index.columns, &columns, &names))
            .collect();
        Self {
            mode,
            insert_head: format!("INSERT INTO {name} ({}) VALUES ", names.join(",")).into_bytes(),
            upsert_tail: match mode {
                KeyMode::Keyless => Vec::new(),
                KeyMode::Upsert | KeyMode::Replace => upsert_tail(&columns, &names).into_bytes(),
            },
            columns,
            names,
            key,
            others,
            zero_dates: config.zero_dates,
            name,
        }
    }

    /// How rows are written.
    #[must_use]
    pub const fn mode(&self) -> KeyMode {
        self.mode
    }
}

impl tg_sql_common::Table for Table {
    fn name(&self) -> &str {
        &self.name
    }

    fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Rows that the window does not know may hold unique values that it needs: they are those of a time that is written again.
    fn safe_mode_helps(&self) -> bool {
        self.mode == KeyMode::Replace
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
