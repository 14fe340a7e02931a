//! Rows to lines.

use crate::{Binary, Options};
use std::io::Write;
use std::sync::Arc;
use tg_format_common::{
    Column, EncodeError, Encoder, Images, Messages, Now, Table, Tables, images, json, number, value,
};
use tgr1::text::{i64_text, u64_text};
use tgr1::{Image, Logical, Row, Value};
use tidegate_sdk::{DdlEvent, TableRef, TableSchema};

#[derive(Debug)]
struct Prepared {
    table: Table,
    /// Table and schema as fields, a delimiter before each.
    names: Vec<u8>,
}

/// The encoder.
#[derive(Debug)]
pub struct Csv {
    options: Options,
    tables: Tables<Prepared>,
    scratch: Vec<u8>,
}

impl Csv {
    /// An encoder with these options.
    ///
    /// # Errors
    /// When they exclude each other.
    pub fn new(options: Options) -> Result<Self, EncodeError> {
        options.check()?;
        Ok(Self { options, tables: Tables::default(), scratch: Vec::new() })
    }

    /// Appends the line of names that a file of the table begins with; nothing unless asked for.
    ///
    /// # Errors
    /// When the table was not prepared.
    pub fn header(&self, table: TableRef, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let table = &self.tables.get(table)?.table;
        if !self.options.output_field_header {
            return Ok(());
        }
        let mut names = vec!["ticdc-meta$operation", "ticdc-meta$table", "ticdc-meta$schema"];
        if self.options.include_commit_ts {
            names.push("ticdc-meta$commit-ts");
        }
        if self.options.output_old_value {
            names.push("ticdc-meta$is-update");
        }
        names.extend(table.columns.iter().map(|c| c.name.as_str()));
        for (n, name) in names.iter().enumerate() {
            if n > 0 {
                out.extend_from_slice(self.options.delimiter.as_bytes());
            }
            string(out, &self.options, name.as_bytes());
        }
        out.extend_from_slice(self.options.terminator.as_bytes());
        Ok(())
    }
}

impl Encoder for Csv {
    fn table(&mut self, schema: Arc<TableSchema>, selected: Option<&[u32]>) -> Result<(), EncodeError> {
        let id = schema.id;
        let table = Table::new(schema, selected)?;
        let mut names = Vec::new();
        for name in [&table.schema.name, &table.schema.database] {
            names.extend_from_slice(self.options.delimiter.as_bytes());
            string(&mut names, &self.options, name.as_bytes());
        }
        self.tables.insert(id, Prepared { table, names });
        Ok(())
    }

    fn drop_table(&mut self, id: TableRef) {
        self.tables.remove(id);
    }

    fn row(&mut self, table: TableRef, row: &Row<'_>, _: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let prepared = self.tables.get(table)?;
        let commit_ts = row.commit_ts();
        let images = images(row, &prepared.table.full_name)?;
        let mut lines = Lines { options: &self.options, prepared, commit_ts, scratch: &mut self.scratch };
        let start = out.begin();
        let written = match &images {
            Images::Insert(new) => lines.line(out.buf(), b'I', false, new),
            Images::Update(new, old) if lines.options.output_old_value => {
                let old = lines.line(out.buf(), b'D', true, old);
                old.and_then(|()| lines.line(out.buf(), b'I', true, new))
            }
            Images::Update(new, _) => lines.line(out.buf(), b'U', true, new),
            Images::Delete(old) => lines.line(out.buf(), b'D', false, old),
        };
        if written.is_err() {
            out.abort(start);
        } else {
            out.finish(start, 1);
        }
        written
    }

    fn ddl(&mut self, _: &DdlEvent, _: Now, _: &mut Messages) -> Result<(), EncodeError> {
        Ok(())
    }

    fn watermark(&mut self, _: u64, _: Now, _: &mut Messages) -> Result<(), EncodeError> {
        Ok(())
    }
}

struct Lines<'a> {
    options: &'a Options,
    prepared: &'a Prepared,
    commit_ts: u64,
    scratch: &'a mut Vec<u8>,
}

impl Lines<'_> {
    fn line(&mut self, out: &mut Vec<u8>, op: u8, is_update: bool, image: &Image<'_>) -> Result<(), EncodeError> {
        let delimiter = self.options.delimiter.as_bytes();
        string(out, self.options, &[op]);
        out.extend_from_slice(&self.prepared.names);
        if self.options.include_commit_ts {
            out.extend_from_slice(delimiter);
            u64_text(out, self.commit_ts);
        }
        if self.options.output_old_value {
            out.extend_from_slice(delimiter);
            out.extend_from_slice(if is_update { b"true" } else { b"false" });
        }
        let table = &self.prepared.table;
        for column in &table.columns {
            out.extend_from_slice(delimiter);
            let value = value::get(table, column, image, self.commit_ts)?;
            self.field(out, column, value);
        }
        out.extend_from_slice(self.options.terminator.as_bytes());
        Ok(())
    }

    fn field(&mut self, out: &mut Vec<u8>, column: &Column, value: Value<'_>) {
        match (column.spec.logical, value) {
            (_, Value::Null) => out.extend_from_slice(self.options.null.as_bytes()),
            (Logical::Int | Logical::Year, Value::Int(value)) => i64_text(out, value),
            (Logical::UInt | Logical::Bit, Value::UInt(value)) => u64_text(out, value),
            (_, Value::Float(float)) => number::plain(out, value::float(column, float)),
            (Logical::Bytes, Value::Bytes(bytes)) => {
                self.scratch.clear();
                match self.options.binary {
                    Binary::Base64 => json::base64_bare(self.scratch, bytes),
                    // Writing to a Vec cannot fail.
                    Binary::Hex => bytes.iter().for_each(|b| drop(write!(self.scratch, "{b:02x}"))),
                }
                string(out, self.options, self.scratch);
            }
            (logical, Value::Bytes(bytes)) if logical != Logical::Vector => string(out, self.options, bytes),
            (logical, _) => {
                self.scratch.clear();
                match (logical, value) {
                    (Logical::Enum, Value::UInt(number)) => value::enum_name(self.scratch, column, number),
                    (Logical::Set, Value::UInt(bits)) => value::set_names(self.scratch, column, bits),
                    _ => value::plain(self.scratch, column, value),
                }
                string(out, self.options, self.scratch);
            }
        }
    }
}

/// Appends a string: in quotes, quotes doubled; or with backslashes.
fn string(out: &mut Vec<u8>, options: &Options, text: &[u8]) {
    let Some(quote) = options.quote else {
        escaped(out, options.delimiter.as_bytes(), text);
        return;
    };
    out.push(quote);
    let mut parts = text.split(|b| *b == quote);
    out.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        out.extend_from_slice(&[quote, quote]);
        out.extend_from_slice(part);
    }
    out.push(quote);
}

fn escaped(out: &mut Vec<u8>, delimiter: &[u8], text: &[u8]) {
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            _ if rest.starts_with(delimiter) => out.extend_from_slice(&[b'\\', *byte]),
            _ => out.push(*byte),
        }
        rest = tail;
    }
}
