//! Values as text.

use crate::number::{self, Float};
use crate::{Column, EncodeError, Table};
use tgr1::text::{i64_text, time_text, u64_text, vector_text};
use tgr1::{Image, Logical, PackedTime, Value};

/// Reads a column of an image.
///
/// # Errors
/// When the batch is damaged.
#[inline]
pub fn get<'a>(table: &Table, column: &Column, image: &Image<'a>, commit_ts: u64) -> Result<Value<'a>, EncodeError> {
    image.value(column.image, column.spec).map_err(|source| EncodeError::Batch {
        table: table.full_name.clone(),
        commit_ts,
        source,
    })
}

/// Appends a value as plain text: numbers without exponents, ENUM, SET and BIT as numbers, strings and bytes as they are. Nothing
/// for NULL.
pub fn plain(out: &mut Vec<u8>, column: &Column, value: Value<'_>) {
    match (column.spec.logical, value) {
        (_, Value::Null) => {}
        (Logical::Date, Value::UInt(bits)) => PackedTime(bits).date_text(out),
        (Logical::DateTime | Logical::Timestamp, Value::UInt(bits)) => {
            PackedTime(bits).datetime_text(out, column.fsp);
        }
        (Logical::Time, Value::Int(micros)) => time_text(out, micros, column.fsp),
        (Logical::Vector, Value::Bytes(elements)) => vector_text(out, elements),
        (Logical::Float32, Value::Float(value)) => number::decimal(out, Float::Single(value as f32)),
        (_, Value::Float(value)) => number::decimal(out, Float::Double(value)),
        (_, Value::Int(value)) => i64_text(out, value),
        (_, Value::UInt(value)) => u64_text(out, value),
        (_, Value::Bytes(bytes)) => out.extend_from_slice(bytes),
    }
}

/// A FLOAT or DOUBLE with the digits its type needs.
#[must_use]
pub const fn float(column: &Column, value: f64) -> Float {
    match column.spec.logical {
        Logical::Float32 => Float::Single(value as f32),
        _ => Float::Double(value),
    }
}

/// Appends the name of an ENUM's member; nothing for the empty invalid value.
pub fn enum_name(out: &mut Vec<u8>, column: &Column, number: u64) {
    let name = number.checked_sub(1).and_then(|i| column.members.get(usize::try_from(i).ok()?));
    out.extend_from_slice(name.map_or(&[][..], |name| name.as_bytes()));
}

/// Appends the names of a SET's members, separated by commas.
pub fn set_names(out: &mut Vec<u8>, column: &Column, bits: u64) {
    let mut first = true;
    for (i, member) in column.members.iter().enumerate().take(64) {
        if bits >> i & 1 != 0 {
            if !first {
                out.push(b',');
            }
            first = false;
            out.extend_from_slice(member.as_bytes());
        }
    }
}
