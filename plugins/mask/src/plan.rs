//! What is done with each column of a table, and what the table is then.

use crate::config::{How, Rule};
use tgr1::{BatchWriter, ColumnSpec, Logical, batch_flags};
use tidegate_sdk::{Column, Failure, Index, LogicalType, TableSchema};

/// Bytes a batch starts with.
const CAPACITY: usize = 64 << 10;

/// One table version.
pub(crate) struct Table {
    /// For each column of the output: the column it comes from, and how it is hidden.
    pub(crate) columns: Vec<(usize, ColumnSpec, Option<How>)>,
    /// Writes rows without and with marks of absent values; made when needed.
    writers: [Option<BatchWriter>; 2],
    specs: Vec<ColumnSpec>,
}

impl Table {
    /// The writer for a batch with these flags of this table version.
    pub(crate) fn writer(&mut self, table: u64, version: u64, flags: u16) -> &mut BatchWriter {
        let absent = usize::from(flags & batch_flags::ABSENT != 0);
        let [without, with] = &mut self.writers;
        let slot = if absent == 0 { without } else { with };
        let fresh = || BatchWriter::with_flags(table, version, &self.specs, CAPACITY, flags & batch_flags::ABSENT);
        let writer = slot.get_or_insert_with(fresh);
        if flags & batch_flags::MAYBE_REPEATED != 0 {
            writer.mark_maybe_repeated();
        }
        writer
    }
}

/// `None`: no rule names a column of this table.
pub(crate) fn plan(rules: &[Rule], schema: &TableSchema) -> Result<Option<(Table, TableSchema)>, Failure> {
    let rules: Vec<&Rule> = rules.iter().filter(|r| r.tables.matches(&schema.database, &schema.name)).collect();
    let how = |c: &Column| {
        let name = c.name.to_lowercase();
        rules.iter().find(|r| r.columns.contains(&name)).map(|r| r.how.clone())
    };
    let hows: Vec<Option<How>> = schema.columns.iter().map(how).collect();
    if hows.iter().all(Option::is_none) {
        return Ok(None);
    }
    for ((column, how), at) in schema.columns.iter().zip(&hows).zip(0..) {
        if let Some(how) = how {
            check(schema, column, at, how)?;
        }
    }
    let kept: Vec<usize> = (0..hows.len()).filter(|i| hows.get(*i).is_some_and(|h| *h != Some(How::Drop))).collect();
    if kept.is_empty() {
        return Err(refused(schema, "would have no column left"));
    }
    let output = output(schema, &hows, &kept);
    let mut columns = Vec::with_capacity(kept.len());
    for ((from, column), position) in kept.iter().zip(&output.columns).zip(0..) {
        let spec = ColumnSpec::new(position, logical(column.logical)?);
        columns.push((*from, spec, hows.get(*from).cloned().flatten()));
    }
    let specs = columns.iter().map(|(_, spec, _)| *spec).collect();
    Ok(Some((Table { columns, writers: [None, None], specs }, output)))
}

fn refused(schema: &TableSchema, why: &str) -> Failure {
    Failure::fatal("mask", format!("table {}.{} {why}", schema.database, schema.name))
}

fn check(schema: &TableSchema, column: &Column, at: u32, how: &How) -> Result<(), Failure> {
    let refused = |why: &str| Err(refused(schema, &format!("column {:?}: {why}", column.name)));
    let in_row_key = schema.row_key_columns().contains(&at);
    let in_unique = schema.indexes.iter().any(|i| i.unique && i.columns.contains(&at));
    let text = matches!(column.logical, LogicalType::Text | LogicalType::Bytes);
    let countable = matches!(column.logical, LogicalType::Int | LogicalType::Uint | LogicalType::Decimal);
    match how {
        How::Drop | How::Null if in_row_key => {
            refused("it is part of the key that tells rows apart; mask it with `hash`")
        }
        How::Redact(_) | How::KeepLast(_) if in_unique => {
            refused("it is part of a unique key, and masked values could be the same; mask it with `hash`")
        }
        How::Redact(_) | How::KeepLast(_) if !text => {
            refused("only text can be masked so; use `null`, `hash` or `drop`")
        }
        How::Hash { .. } if !text && !countable => refused("only text, integers and decimals can be hashed"),
        _ => Ok(()),
    }
}

fn output(schema: &TableSchema, hows: &[Option<How>], kept: &[usize]) -> TableSchema {
    let columns = kept.iter().filter_map(|i| Some((schema.columns.get(*i)?, hows.get(*i)?.as_ref())));
    let moved = |old: &u32| kept.iter().position(|k| *k == *old as usize).map(|new| new as u32);
    let mut attrs = schema.attrs.clone();
    let mut indexes = Vec::with_capacity(schema.indexes.len());
    let mut row_key = None;
    for (index, at) in schema.indexes.iter().zip(0..) {
        let columns: Option<Vec<u32>> = index.columns.iter().map(moved).collect();
        let Some(columns) = columns else {
            if index.unique && !attrs.iter().any(|(k, _)| k == "hidden-keys") {
                attrs.push(("hidden-keys".to_owned(), "true".to_owned()));
            }
            continue;
        };
        if schema.row_key == Some(at) {
            row_key = Some(indexes.len() as u32);
        }
        indexes.push(Index { columns, ..index.clone() });
    }
    let columns = columns.map(|(c, how)| masked(c, how)).collect();
    TableSchema { columns, indexes, row_key, attrs, ..schema.clone() }
}

fn masked(column: &Column, how: Option<&How>) -> Column {
    let mut c = column.clone();
    match how {
        Some(How::Null) => {
            c.props.nullable = true;
            c.default_value = None;
        }
        Some(How::Hash { digits, .. }) => {
            c.logical = LogicalType::Text;
            c.source_type = format!("char({digits})");
            c.length = Some(*digits as u32);
            c.decimals = None;
            c.props.unsigned = false;
            c.props.auto_increment = false;
            c.charset = "utf8mb4".to_owned();
            c.collation = "utf8mb4_bin".to_owned();
            c.default_value = None;
        }
        _ => {}
    }
    c
}

fn logical(l: LogicalType) -> Result<Logical, Failure> {
    Logical::from_u8(l as u8).ok_or_else(|| Failure::unsupported("logical", format!("values of type {l:?}")))
}
