//! Files to events.

use crate::split::{self, Field};
use crate::{Binary, Options};
use tg_format_common::{ChangeEvent, Column, Datum, DecodeError, MysqlType, RowChange, Table, json, read};
use tgr1::Op;

/// Reads files of one table version.
#[derive(Debug)]
pub struct Decoder<'a> {
    options: &'a Options,
    table: &'a Table,
}

/// A line taken apart.
struct Line {
    op: u8,
    database: String,
    table: String,
    commit_ts: Option<u64>,
    is_update: bool,
    values: Vec<tg_format_common::Field>,
}

impl<'a> Decoder<'a> {
    /// For files of this table that were written with these options.
    #[must_use]
    pub const fn new(options: &'a Options, table: &'a Table) -> Self {
        Self { options, table }
    }

    /// The rows of a file. A deleted and an inserted line that belong together are one update.
    ///
    /// # Errors
    /// When a line is not one of this table.
    pub fn file(&self, content: &[u8]) -> Result<Vec<ChangeEvent>, DecodeError> {
        let mut rest = content;
        if self.options.output_field_header {
            split::line(&mut rest, self.options)?;
        }
        let mut events = Vec::new();
        let mut old: Option<Line> = None;
        while let Some(fields) = split::line(&mut rest, self.options)? {
            let line = self.line(fields)?;
            match (line.op, old.take()) {
                (b'D', None) if line.is_update => old = Some(line),
                (b'I', Some(before)) if line.is_update => events.push(event(Op::Update, line, Some(before.values))),
                (_, Some(_)) => return Err(DecodeError::Member("second line of an update")),
                (b'I', None) => events.push(event(Op::Insert, line, None)),
                (b'U', None) => events.push(event(Op::Update, line, None)),
                (b'D', None) => {
                    let values = line.values.clone();
                    events.push(event(Op::Delete, line, Some(values)));
                }
                (op, None) => return Err(DecodeError::unknown("operation", &char::from(op).to_string())),
            }
        }
        if old.is_some() {
            return Err(DecodeError::Short("update"));
        }
        Ok(events)
    }

    fn line(&self, fields: Vec<Field>) -> Result<Line, DecodeError> {
        let mut fields = fields.into_iter();
        let mut next = |what| fields.next().and_then(text).ok_or(DecodeError::Member(what));
        let op = match next("operation")?.as_bytes() {
            [op] => *op,
            _ => return Err(DecodeError::Member("operation")),
        };
        let (table, database) = (next("table")?, next("schema")?);
        let mut commit_ts = None;
        if self.options.include_commit_ts {
            commit_ts = Some(next("commit-ts")?.parse().map_err(|_| DecodeError::Member("commit-ts"))?);
        }
        let is_update = self.options.output_old_value && next("is-update")? == "true";
        let mut values = Vec::with_capacity(self.table.columns.len());
        for column in &self.table.columns {
            let field = fields.next().ok_or(DecodeError::Member("column"))?;
            values.push(tg_format_common::Field {
                name: column.name.clone(),
                ty: Some(column.ty),
                key: column.handle,
                value: self.datum(column, field)?,
            });
        }
        if fields.next().is_some() {
            return Err(DecodeError::Member("number of columns"));
        }
        Ok(Line { op, database, table, commit_ts, is_update, values })
    }

    fn datum(&self, column: &Column, field: Field) -> Result<Datum, DecodeError> {
        if field == Field::Null {
            return Ok(Datum::Null);
        }
        let fault = || DecodeError::Value { column: column.name.clone(), expected: column.ty.name() };
        let text = text(field).ok_or_else(fault)?;
        match column.ty {
            MysqlType::Enum | MysqlType::Set => Ok(Datum::Text(text)),
            ty if ty.is_binary() => {
                let bytes = match self.options.binary {
                    Binary::Base64 => json::from_base64(&text),
                    Binary::Hex => unhex(&text),
                };
                bytes.map(Datum::Bytes).ok_or_else(fault)
            }
            ty => read::plain(&column.name, ty, column.unsigned, &text),
        }
    }
}

fn text(field: Field) -> Option<String> {
    match field {
        Field::Quoted(bytes) | Field::Bare(bytes) => String::from_utf8(bytes).ok(),
        Field::Null => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |b: u8| char::from(b).to_digit(16).map(|n| n as u8);
    rest.is_empty().then(|| pairs.iter().map(|[a, b]| Some(digit(*a)? << 4 | digit(*b)?)).collect())?
}

fn event(op: Op, line: Line, before: Option<Vec<tg_format_common::Field>>) -> ChangeEvent {
    ChangeEvent::Row(RowChange {
        database: line.database,
        table: line.table,
        op,
        commit_ts: line.commit_ts,
        commit_ms: None,
        after: (op != Op::Delete).then_some(line.values),
        before,
        key_only: false,
        claim: None,
    })
}
