//! The part of a message that is the same for every row with the same columns.

use crate::java;
use tg_format_common::json::{self, Escape};
use tg_format_common::{Column, EncodeError, Table, value};
use tgr1::text::i64_text;
use tgr1::{Image, Value};

/// Text that ends where the number of a column's type goes.
#[derive(Debug)]
struct Piece {
    text: Vec<u8>,
    /// Index of the column whose value decides; `None`: the end.
    column: Option<usize>,
}

/// A set of columns as messages hold them.
#[derive(Debug)]
pub(crate) struct Shape {
    sql_types: Vec<Piece>,
    /// `,"mysqlType":{…}`.
    mysql_types: Vec<u8>,
    /// Index of a column and its name as a member, with the comma before it.
    names: Vec<(usize, Vec<u8>)>,
}

impl Shape {
    /// Of the table's columns with these indexes.
    pub(crate) fn new(table: &Table, columns: &[usize], full_types: bool) -> Self {
        let mut sql_types = Vec::new();
        let mut text = b",\"sqlType\":{".to_vec();
        let mut mysql_types = b",\"mysqlType\":{".to_vec();
        let mut names = Vec::with_capacity(columns.len());
        let chosen = columns.iter().filter_map(|i| Some((*i, table.columns.get(*i)?)));
        for (n, (i, column)) in chosen.enumerate() {
            let mut name = if n == 0 { Vec::new() } else { b",".to_vec() };
            json::name(&mut name, &column.name, Escape::Html);
            text.extend_from_slice(&name);
            if java::widens(column) {
                sql_types.push(Piece { text: std::mem::take(&mut text), column: Some(i) });
            } else {
                i64_text(&mut text, java::sql_type(column.ty).into());
            }
            mysql_types.extend_from_slice(&name);
            if let Some(schema) = table.schema.columns.get(column.position) {
                let spelling = java::mysql_type(column, schema, full_types);
                json::string(&mut mysql_types, spelling.as_bytes(), Escape::Html);
            }
            names.push((i, name));
        }
        text.push(b'}');
        mysql_types.push(b'}');
        sql_types.push(Piece { text, column: None });
        Self { sql_types, mysql_types, names }
    }

    /// Appends `,"sqlType":{…},"mysqlType":{…}` for the values of an image.
    pub(crate) fn types(&self, out: &mut Vec<u8>, row: Source<'_>) -> Result<(), EncodeError> {
        for piece in &self.sql_types {
            out.extend_from_slice(&piece.text);
            if let Some(column) = piece.column.and_then(|i| row.table.columns.get(i)) {
                let value = value::get(row.table, column, row.image, row.commit_ts)?;
                i64_text(out, java::widened(column.ty, value).into());
            }
        }
        out.extend_from_slice(&self.mysql_types);
        Ok(())
    }

    /// Appends the values of an image as one object; with `than`, only those that differ from it.
    pub(crate) fn values(
        &self,
        out: &mut Vec<u8>,
        row: Source<'_>,
        than: Option<&Image<'_>>,
    ) -> Result<(), EncodeError> {
        out.push(b'{');
        let at = out.len();
        for (i, name) in &self.names {
            let Some(column) = row.table.columns.get(*i) else { continue };
            if than.is_some_and(|other| row.image.same_value(other, column.image, column.spec.slot)) {
                continue;
            }
            // The first that is written goes without its comma.
            let skip = usize::from(out.len() == at && name.first() == Some(&b','));
            out.extend_from_slice(name.get(skip..).unwrap_or_default());
            let value = value::get(row.table, column, row.image, row.commit_ts)?;
            write_value(out, column, value);
        }
        out.push(b'}');
        Ok(())
    }
}

/// Where values come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) table: &'a Table,
    pub(crate) image: &'a Image<'a>,
    pub(crate) commit_ts: u64,
}

fn write_value(out: &mut Vec<u8>, column: &Column, value: Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bytes(bytes) if column.ty.is_binary() => json::latin1(out, bytes, Escape::Html),
        Value::Bytes(bytes) if column.spec.logical != tgr1::Logical::Vector => json::string(out, bytes, Escape::Html),
        _ => {
            out.push(b'"');
            value::plain(out, column, value);
            out.push(b'"');
        }
    }
}
