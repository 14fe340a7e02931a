//! One table version, prepared for writing.

use crate::ident::{ident, push_ident};
use crate::literal::Literal;
use tg_sql_common::{KeyColumn, KeyMode};
use tidegate_sdk::{Column, LogicalType, TableSchema};

/// A column as it stands in images.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ImageColumn {
    /// Position in images.
    pub(crate) at: usize,
    pub(crate) literal: Literal,
}

impl KeyColumn for ImageColumn {
    #[inline]
    fn at(&self) -> usize {
        self.at
    }

    #[inline]
    fn is_string(&self) -> bool {
        self.literal.is_string()
    }
}

/// One column of a keyless table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MatchColumn {
    pub(crate) column: ImageColumn,
    /// `` `name`= ``, for SET.
    pub(crate) assign: Vec<u8>,
    /// What is compared, with the operator, for WHERE.
    pub(crate) left: Vec<u8>,
    /// JSON has to be made JSON before it compares equal (but where JSON is a text type).
    pub(crate) json: bool,
}

/// One table version with the constant parts of its statements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// Positions of the columns to ask for; `None`: all.
    wanted: Option<Vec<u32>>,
    columns: usize,
    pub(crate) mode: KeyMode,
    pub(crate) written: Vec<ImageColumn>,
    pub(crate) key: Vec<ImageColumn>,
    /// Empty unless keyless.
    pub(crate) matched: Vec<MatchColumn>,
    /// `` `db`.`t` ``
    pub(crate) name: String,
    /// `` INSERT INTO `db`.`t` (`a`,`b`) VALUES ``
    pub(crate) insert_head: Vec<u8>,
    pub(crate) replace_head: Vec<u8>,
    /// `` ON DUPLICATE KEY UPDATE `b`=VALUES(`b`)``
    pub(crate) upsert_tail: Vec<u8>,
    /// `` DELETE FROM `db`.`t` WHERE (`a`,`b`) IN ( ``
    pub(crate) delete_head: Vec<u8>,
}

impl Table {
    /// Prepares a version for writing. `json_is_text`: the server keeps JSON as text (MariaDB).
    #[must_use]
    pub fn new(schema: &TableSchema, json_is_text: bool) -> Self {
        let key_positions = schema.row_key_columns();
        let keep = |(i, c): &(usize, &Column)| !c.props.generated || key_positions.contains(&(*i as u32));
        let kept: Vec<(usize, &Column)> = schema.columns.iter().enumerate().filter(keep).collect();
        let wanted =
            (kept.len() < schema.columns.len()).then(|| kept.iter().map(|(i, _)| *i as u32).collect::<Vec<u32>>());
        let image_column = |at: usize, c: &Column| ImageColumn { at, literal: Literal::of(c.logical) };
        let writable: Vec<(usize, &Column)> =
            kept.iter().enumerate().filter(|(_, (_, c))| !c.props.generated).map(|(at, (_, c))| (at, *c)).collect();
        let find = |position: u32| kept.iter().enumerate().find(|(_, (i, _))| *i as u32 == position);
        let key_columns: Vec<(usize, &Column)> =
            key_positions.iter().filter_map(|p| find(*p)).map(|(at, (_, c))| (at, *c)).collect();
        let mode = KeyMode::of(schema);
        let name = format!("{}.{}", ident(&schema.database), ident(&schema.name));
        let keyless = mode == KeyMode::Keyless;
        Self {
            wanted,
            columns: kept.len(),
            mode,
            written: writable.iter().map(|(at, c)| image_column(*at, c)).collect(),
            key: key_columns.iter().map(|(at, c)| image_column(*at, c)).collect(),
            matched: if keyless {
                writable.iter().map(|(at, c)| match_column(image_column(*at, c), c, json_is_text)).collect()
            } else {
                Vec::new()
            },
            insert_head: put_head("INSERT INTO ", &name, &writable),
            replace_head: put_head("REPLACE INTO ", &name, &writable),
            upsert_tail: upsert_tail(&writable, key_positions, schema),
            delete_head: delete_head(&name, &key_columns),
            name,
        }
    }

    /// How rows are written.
    #[must_use]
    pub const fn mode(&self) -> KeyMode {
        self.mode
    }

    /// Positions of the columns to ask for; `None`: all.
    #[must_use]
    pub fn wanted(&self) -> Option<&[u32]> {
        self.wanted.as_deref()
    }
}

impl tg_sql_common::Table for Table {
    fn name(&self) -> &str {
        &self.name
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn wanted(&self) -> Option<&[u32]> {
        self.wanted.as_deref()
    }

    /// `REPLACE` and upserts go over whatever is there.
    fn safe_mode_helps(&self) -> bool {
        true
    }
}

/// Appends items with commas between.
fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut push: impl FnMut(&mut Vec<u8>, T)) {
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push(out, item);
    }
}

fn put_head(verb: &str, name: &str, writable: &[(usize, &Column)]) -> Vec<u8> {
    let mut out = [verb, name, " ("].concat().into_bytes();
    list(&mut out, writable, |out, (_, c)| push_ident(out, &c.name));
    out.extend_from_slice(b") VALUES ");
    out
}

fn upsert_tail(writable: &[(usize, &Column)], key: &[u32], schema: &TableSchema) -> Vec<u8> {
    let key_ids: Vec<i64> = key.iter().filter_map(|p| schema.columns.get(*p as usize)).map(|c| c.id).collect();
    // Text that is equal as a key may still differ ('a', 'A'), so it is written; other keys need not be.
    let fixed = |c: &Column| key_ids.contains(&c.id) && c.logical != LogicalType::Text;
    let mut set: Vec<&Column> = writable.iter().map(|(_, c)| *c).filter(|c| !fixed(c)).collect();
    if set.is_empty() {
        set.extend(writable.first().map(|(_, c)| *c));
    }
    let mut out = b" ON DUPLICATE KEY UPDATE ".to_vec();
    list(&mut out, set, |out, c| {
        push_ident(out, &c.name);
        out.extend_from_slice(b"=VALUES(");
        push_ident(out, &c.name);
        out.push(b')');
    });
    out
}

fn delete_head(name: &str, key: &[(usize, &Column)]) -> Vec<u8> {
    let mut out = ["DELETE FROM ", name, " WHERE "].concat().into_bytes();
    if key.len() > 1 {
        out.push(b'(');
    }
    list(&mut out, key, |out, (_, c)| push_ident(out, &c.name));
    out.extend_from_slice(if key.len() > 1 { b") IN (" } else { b" IN (" });
    out
}

fn match_column(column: ImageColumn, c: &Column, json_is_text: bool) -> MatchColumn {
    let mut name = Vec::new();
    push_ident(&mut name, &c.name);
    // Under a collation that folds, 'a' would find 'A' as well.
    let folds = c.logical == LogicalType::Text && !c.collation.ends_with("_bin");
    let left = if folds {
        [b"CONVERT(", &name[..], b" USING utf8mb4) COLLATE utf8mb4_bin<=>"].concat()
    } else {
        [&name[..], b"<=>"].concat()
    };
    let json = c.logical == LogicalType::Json && !json_is_text;
    MatchColumn { column, assign: [&name[..], b"="].concat(), left, json }
}
