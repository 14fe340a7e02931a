//! What decoders should answer.

use tg_format_common::{Column, Datum, Field, Table, value};
use tgr1::{Image, Logical, Value};

/// A value as a decoder that loses nothing answers it: ENUM, SET and BIT as numbers.
#[must_use]
pub fn datum(column: &Column, value: Value<'_>) -> Datum {
    let text = |value| {
        let mut out = Vec::new();
        value::plain(&mut out, column, value);
        Datum::Text(String::from_utf8(out).unwrap())
    };
    match (column.spec.logical, value) {
        (_, Value::Null) => Datum::Null,
        (Logical::Int | Logical::Year, Value::Int(value)) => Datum::Int(value),
        (Logical::UInt | Logical::Bit | Logical::Enum | Logical::Set, Value::UInt(value)) => Datum::UInt(value),
        (_, Value::Float(value)) => Datum::Float(value),
        (Logical::Bytes, Value::Bytes(bytes)) => Datum::Bytes(bytes.to_vec()),
        (_, value) => text(value),
    }
}

/// The values of an image, sorted by column, each changed as a format changes it.
#[must_use]
pub fn fields(table: &Table, image: &Image<'_>, change: impl Fn(&Column, Value<'_>) -> Datum) -> Vec<Field> {
    let field = |column: &Column| Field {
        name: column.name.clone(),
        ty: Some(column.ty),
        key: column.handle,
        value: change(column, image.value(column.image, column.spec).unwrap()),
    };
    let mut all: Vec<Field> = table.columns.iter().map(field).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}
