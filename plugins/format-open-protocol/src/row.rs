//! Columns of a row as JSON.

use crate::{flags, quote};
use tg_format_common::json::{self, Escape};
use tg_format_common::{Column, EncodeError, MysqlType, Table, number, value};
use tgr1::text::{i64_text, u64_text};
use tgr1::{Image, Logical, Value};

/// What is the same for every row of a table.
#[derive(Debug)]
pub(crate) struct Shape {
    /// For each column of the table `"name":{"t":…,"f":…,"v":`.
    heads: Vec<Vec<u8>>,
}

impl Shape {
    pub(crate) fn new(table: &Table) -> Self {
        let head = |column: &Column| {
            let mut out = Vec::new();
            json::name(&mut out, &column.name, Escape::Least);
            out.extend_from_slice(b"{\"t\":");
            u64_text(&mut out, column.ty.code().into());
            if column.handle {
                out.extend_from_slice(b",\"h\":true");
            }
            out.extend_from_slice(b",\"f\":");
            u64_text(&mut out, flags::of(table, column));
            out.extend_from_slice(b",\"v\":");
            out
        };
        Self { heads: table.columns.iter().map(head).collect() }
    }
}

/// Which columns are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<'a> {
    /// Those of the key only.
    pub(crate) key_only: bool,
    /// Those that differ from this image only.
    pub(crate) differs_from: Option<&'a Image<'a>>,
}

/// A row and its table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) table: &'a Table,
    pub(crate) shape: &'a Shape,
    pub(crate) commit_ts: u64,
}

/// Appends `"u":{…}` or the like.
pub(crate) fn write(
    out: &mut Vec<u8>,
    source: Source<'_>,
    image: &Image<'_>,
    part: u8,
    choice: Choice<'_>,
    scratch: &mut String,
) -> Result<(), EncodeError> {
    out.extend_from_slice(&[b'"', part, b'"', b':', b'{']);
    let at = out.len();
    for (column, head) in source.table.columns.iter().zip(&source.shape.heads) {
        let same = |other: &Image<'_>| image.same_value(other, column.image, column.spec.slot);
        if choice.key_only && !column.handle || choice.differs_from.is_some_and(same) {
            continue;
        }
        if out.len() > at {
            out.push(b',');
        }
        out.extend_from_slice(head);
        write_value(out, column, value::get(source.table, column, image, source.commit_ts)?, scratch);
        out.push(b'}');
    }
    out.push(b'}');
    Ok(())
}

fn write_value(out: &mut Vec<u8>, column: &Column, value: Value<'_>, scratch: &mut String) {
    match (column.spec.logical, value) {
        (_, Value::Null) => out.extend_from_slice(b"null"),
        (Logical::Int | Logical::Year, Value::Int(value)) => i64_text(out, value),
        (Logical::UInt | Logical::Bit | Logical::Enum | Logical::Set, Value::UInt(value)) => u64_text(out, value),
        (_, Value::Float(float)) => number::json(out, value::float(column, float)),
        (_, Value::Bytes(bytes)) if column.ty.is_lob() => json::base64(out, bytes),
        (_, Value::Bytes(bytes)) if matches!(column.ty, MysqlType::Binary | MysqlType::VarBinary) => {
            quote::write(out, bytes, scratch);
        }
        (logical, Value::Bytes(bytes)) if logical != Logical::Vector => json::string(out, bytes, Escape::Least),
        _ => {
            out.push(b'"');
            value::plain(out, column, value);
            out.push(b'"');
        }
    }
}
