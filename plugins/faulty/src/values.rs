//! Values as texts, literals and JSON.

use tidegate_sdk::tgr1::{Image, PackedTime, text as numbers};
use tidegate_sdk::{LogicalType, TableSchema};

/// A value as text; `None`: NULL.
#[must_use]
pub fn text(schema: &TableSchema, image: &Image<'_>, i: usize) -> Option<Vec<u8>> {
    let column = schema.columns.get(i)?;
    let raw = image.u64(i)?;
    let mut out = Vec::new();
    match column.logical {
        LogicalType::Int | LogicalType::Year | LogicalType::Time => numbers::i64_text(&mut out, raw.cast_signed()),
        LogicalType::Float32 => numbers::f32_text(&mut out, f64::from_bits(raw) as f32),
        LogicalType::Float64 => numbers::f64_text(&mut out, f64::from_bits(raw)),
        LogicalType::Date => PackedTime(raw).date_text(&mut out),
        LogicalType::Datetime | LogicalType::Timestamp => PackedTime(raw).datetime_text(&mut out, 6),
        LogicalType::Uint | LogicalType::Enumeration | LogicalType::Set | LogicalType::Bit => {
            numbers::u64_text(&mut out, raw);
        }
        LogicalType::Decimal | LogicalType::Text | LogicalType::Json | LogicalType::Bytes | LogicalType::Vector => {
            out.extend_from_slice(image.bytes(i)?);
        }
    }
    Some(out)
}

/// A value as an SQL literal.
#[must_use]
pub fn sql(value: Option<&[u8]>) -> Vec<u8> {
    let Some(value) = value else { return b"NULL".to_vec() };
    let mut out = b"'".to_vec();
    for byte in value {
        if matches!(byte, b'\'' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'\'');
    out
}

/// An image as one line of JSON.
#[must_use]
pub fn json(schema: &TableSchema, image: Option<&Image<'_>>) -> serde_json::Value {
    let Some(image) = image else { return serde_json::Value::Null };
    let pair = |(i, c): (usize, &tidegate_sdk::Column)| {
        let value = text(schema, image, i).map(|v| String::from_utf8_lossy(&v).into_owned());
        (c.name.clone(), value.into())
    };
    schema.columns.iter().enumerate().map(pair).collect::<serde_json::Map<_, _>>().into()
}
