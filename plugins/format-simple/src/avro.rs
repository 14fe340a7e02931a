//! The Avro encoding: one fixed schema, messages without a header.

use crate::VERSION;
use crate::describe::{self, Reason};
use crate::encode::{Change, DDL, version};
use tg_format_common::{EncodeError, Images, Now, Outcome, value};
use tgr1::{Image, Logical, Value};
use tidegate_sdk::{DdlEvent, TableSchema};

/// Numbers of the schema's unions and enumerations.
pub(crate) mod number {
    /// `Message` among the schema's named types.
    pub(crate) const MESSAGE: i64 = 11;
    /// Kinds of messages.
    pub(crate) const WATERMARK: i64 = 0;
    pub(crate) const BOOTSTRAP: i64 = 1;
    pub(crate) const DDL: i64 = 2;
    pub(crate) const DML: i64 = 3;
    /// Kinds of values.
    pub(crate) const NULL: i64 = 0;
    pub(crate) const LONG: i64 = 1;
    pub(crate) const FLOAT: i64 = 2;
    pub(crate) const DOUBLE: i64 = 3;
    pub(crate) const STRING: i64 = 4;
    pub(crate) const BYTES: i64 = 5;
    pub(crate) const TIMESTAMP: i64 = 6;
    pub(crate) const UNSIGNED_BIGINT: i64 = 7;
    /// Words of DDL, in the order of their numbers.
    pub(crate) const WORDS: [&str; 8] = ["CREATE", "ALTER", "ERASE", "RENAME", "TRUNCATE", "CINDEX", "DINDEX", "QUERY"];
}

fn long(out: &mut Vec<u8>, value: i64) {
    let mut bits = (value << 1 ^ value >> 63).cast_unsigned();
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
}

fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    long(out, value.len() as i64);
    out.extend_from_slice(value);
}

fn truth(out: &mut Vec<u8>, on: bool) {
    out.push(u8::from(on));
}

/// A text as the encoding has it.
pub(crate) fn text(value: &str) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, value.as_bytes());
    out
}

fn head(out: &mut Vec<u8>, kind: i64) {
    long(out, number::MESSAGE);
    // The kind, and its place in the union of payloads.
    long(out, kind);
    long(out, kind);
    long(out, VERSION.cast_signed());
}

pub(crate) fn row(out: &mut Vec<u8>, change: &Change<'_>, scratch: &mut Vec<u8>) -> Result<(), EncodeError> {
    let schema = &change.prepared.table.schema;
    head(out, number::DML);
    bytes(out, schema.database.as_bytes());
    bytes(out, schema.name.as_bytes());
    long(out, schema.id.table.cast_signed());
    long(
        out,
        match change.images {
            Images::Insert(_) => 0,
            Images::Update(..) => 1,
            Images::Delete(_) => 2,
        },
    );
    long(out, change.commit_ts.cast_signed());
    long(out, change.now.cast_signed());
    long(out, change.prepared.table.version().cast_signed());
    match change.outcome {
        // Neither place nor mark.
        Outcome::Full => out.extend_from_slice(&[0, 0]),
        Outcome::KeyOnly => out.extend_from_slice(&[0, 2, 1]),
        Outcome::Claim(place) => {
            long(out, 1);
            bytes(out, place.as_bytes());
            out.push(0);
        }
    }
    // No checksum.
    out.push(0);
    let (new, old) = match &change.images {
        Images::Insert(new) => (Some(new), None),
        Images::Update(new, old) => (Some(new), Some(old)),
        Images::Delete(old) => (None, Some(old)),
    };
    for image in [new, old] {
        match image {
            Some(image) => map(out, change, image, scratch)?,
            None => out.push(0),
        }
    }
    Ok(())
}

fn map(out: &mut Vec<u8>, change: &Change<'_>, image: &Image<'_>, scratch: &mut Vec<u8>) -> Result<(), EncodeError> {
    let table = &change.prepared.table;
    let key_only = change.outcome != Outcome::Full;
    let count = if key_only { table.handle.len() } else { table.columns.len() };
    long(out, 1);
    if count > 0 {
        long(out, count as i64);
    }
    let columns = table.columns.iter().zip(&change.prepared.names);
    for (column, name) in columns.filter(|(column, _)| !key_only || column.handle) {
        out.extend_from_slice(name);
        let mut kind = |kind| long(out, kind);
        match (column.spec.logical, value::get(table, column, image, change.commit_ts)?) {
            (_, Value::Null) => kind(number::NULL),
            (Logical::Float32, Value::Float(value)) => {
                kind(number::FLOAT);
                out.extend_from_slice(&(value as f32).to_le_bytes());
            }
            (_, Value::Float(value)) => {
                kind(number::DOUBLE);
                out.extend_from_slice(&value.to_le_bytes());
            }
            (Logical::Int | Logical::Year, Value::Int(value)) => {
                kind(number::LONG);
                long(out, value);
            }
            (logical @ (Logical::UInt | Logical::Enum | Logical::Set), Value::UInt(value)) => {
                let is_big = logical == Logical::UInt && column.ty == tg_format_common::MysqlType::BigInt;
                kind(if is_big { number::UNSIGNED_BIGINT } else { number::LONG });
                long(out, value.cast_signed());
            }
            (Logical::Bytes, Value::Bytes(value)) => {
                kind(number::BYTES);
                bytes(out, value);
            }
            (logical, Value::Bytes(value)) if logical != Logical::Vector => {
                kind(number::STRING);
                bytes(out, value);
            }
            (logical, value) => {
                if logical == Logical::Timestamp {
                    kind(number::TIMESTAMP);
                    bytes(out, change.time_zone.as_bytes());
                } else {
                    kind(number::STRING);
                }
                scratch.clear();
                value::plain(scratch, column, value);
                bytes(out, scratch);
            }
        }
    }
    out.push(0);
    Ok(())
}

pub(crate) fn ddl(out: &mut Vec<u8>, word: &str, ddl: &DdlEvent, table: Option<&TableSchema>, now: Now) {
    head(out, number::DDL);
    let other = number::WORDS.len() - 1;
    long(out, number::WORDS.iter().position(|w| *w == word).unwrap_or(other) as i64);
    bytes(out, ddl.query.as_bytes());
    long(out, ddl.at.ts.cast_signed());
    long(out, now.cast_signed());
    match table {
        Some(table) => {
            long(out, 1);
            schema(out, table, DDL);
        }
        None => out.push(0),
    }
    // No schema from before.
    out.push(0);
}

pub(crate) fn watermark(out: &mut Vec<u8>, ts: u64, now: Now) {
    head(out, number::WATERMARK);
    long(out, ts.cast_signed());
    long(out, now.cast_signed());
}

pub(crate) fn bootstrap(out: &mut Vec<u8>, table: &TableSchema, now: Now) {
    head(out, number::BOOTSTRAP);
    long(out, now.cast_signed());
    schema(out, table, Reason::Bootstrap);
}

fn schema(out: &mut Vec<u8>, table: &TableSchema, reason: Reason) {
    bytes(out, table.database.as_bytes());
    bytes(out, table.name.as_bytes());
    long(out, table.id.table.cast_signed());
    long(out, version(table).cast_signed());
    array(out, &table.columns, |out, column| {
        bytes(out, column.name.as_bytes());
        data_type(out, &describe::data_type(column, reason));
        truth(out, column.props.nullable);
        optional(out, describe::default_text(column), |out, text| bytes(out, text.as_bytes()));
    });
    array(out, &describe::indexes(table), |out, index| {
        bytes(out, index.name.as_bytes());
        [index.unique, index.primary, index.nullable].into_iter().for_each(|on| truth(out, on));
        array(out, &index.columns, |out, name| bytes(out, name.as_bytes()));
    });
}

fn data_type(out: &mut Vec<u8>, ty: &describe::DataType<'_>) {
    [ty.name, ty.charset, ty.collate].into_iter().for_each(|text| bytes(out, text.as_bytes()));
    long(out, ty.length);
    // Times give their digits in their length only.
    optional(out, ty.decimal.filter(|_| ty.unsigned.is_some()), long);
    optional(out, (!ty.elements.is_empty()).then_some(ty.elements), |out, names| {
        array(out, names, |out, name| bytes(out, name.as_bytes()));
    });
    optional(out, ty.unsigned, truth);
    optional(out, ty.zerofill, truth);
}

fn optional<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    long(out, i64::from(value.is_some()));
    if let Some(value) = value {
        write(out, value);
    }
}

fn array<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    if !items.is_empty() {
        long(out, items.len() as i64);
        items.iter().for_each(|item| write(out, item));
    }
    out.push(0);
}
