//! Rows as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tgr1::{Image, Op, PackedTime, Row, row_flags};
use tidegate_sdk::{Column, LogicalType, TableSchema};

const fn op(op: Op) -> &'static str {
    match op {
        Op::Insert => "insert",
        Op::Update => "update",
        Op::Delete => "delete",
    }
}

/// One row as one event; `Err`: a value cannot be told in JSON.
pub(crate) fn event(source: &str, schema: &TableSchema, row: &Row<'_>, id: &str) -> Result<String, String> {
    let mut event = Map::new();
    event.insert("id".to_owned(), json!(format!("{source}/{id}")));
    event.insert("type".to_owned(), json!(op(row.op())));
    event.insert("database".to_owned(), json!(schema.database));
    event.insert("table".to_owned(), json!(schema.name));
    event.insert("commit-ts".to_owned(), json!(row.commit_ts().to_string()));
    if row.flags() & row_flags::MAYBE_REPEATED != 0 {
        event.insert("maybe-repeated".to_owned(), Value::Bool(true));
    }
    let keys: Vec<&str> = schema
        .row_key_columns()
        .iter()
        .filter_map(|c| schema.columns.get(*c as usize))
        .map(|c| c.name.as_str())
        .collect();
    event.insert("key".to_owned(), json!(keys));
    for (name, image) in [("after", row.after()), ("before", row.before())] {
        if let Some(image) = image {
            event.insert(name.to_owned(), values(schema, &image)?);
        }
    }
    Ok(Value::Object(event).to_string())
}

fn values(schema: &TableSchema, image: &Image<'_>) -> Result<Value, String> {
    let mut out = Map::new();
    for (i, column) in schema.columns.iter().enumerate() {
        if !image.is_absent(i) {
            let v =
                value(image, i, column).ok_or_else(|| format!("column {:?} cannot be told in JSON", column.name))?;
            out.insert(column.name.clone(), v);
        }
    }
    Ok(Value::Object(out))
}

fn text(write: impl FnOnce(&mut Vec<u8>)) -> Option<Value> {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).ok().map(Value::String)
}

/// Integers and doubles are numbers (a reader with 53 bits must look out), decimals and times are texts as TiDB prints them, bytes
/// are base64, JSON is itself.
fn value(image: &Image<'_>, i: usize, column: &Column) -> Option<Value> {
    if image.is_null(i) {
        return Some(Value::Null);
    }
    let fsp = column.decimals.unwrap_or(0).min(6) as u8;
    let raw = image.u64(i)?;
    match column.logical {
        LogicalType::Int | LogicalType::Year => Some(json!(raw.cast_signed())),
        LogicalType::Uint | LogicalType::Bit => Some(json!(raw)),
        LogicalType::Float32 => {
            text(|out| tgr1::text::f32_text(out, f64::from_bits(raw) as f32)).and_then(|v| number(&v))
        }
        LogicalType::Float64 => text(|out| tgr1::text::f64_text(out, f64::from_bits(raw))).and_then(|v| number(&v)),
        LogicalType::Date => text(|out| PackedTime(raw).date_text(out)),
        LogicalType::Datetime | LogicalType::Timestamp => text(|out| PackedTime(raw).datetime_text(out, fsp)),
        LogicalType::Time => text(|out| tgr1::text::time_text(out, raw.cast_signed(), fsp)),
        LogicalType::Enumeration => {
            let member = (raw as usize).checked_sub(1).and_then(|n| column.members.get(n));
            Some(json!(member.map_or("", String::as_str)))
        }
        LogicalType::Set => {
            let on = column.members.iter().take(64).enumerate().filter(|(n, _)| raw >> n & 1 == 1);
            Some(json!(on.map(|(_, m)| m).collect::<Vec<_>>()))
        }
        LogicalType::Vector => text(|out| tgr1::text::vector_text(out, image.bytes(i).unwrap_or_default()))
            .and_then(|v| v.as_str().and_then(parsed)),
        LogicalType::Bytes => Some(Value::String(STANDARD.encode(image.bytes(i)?))),
        LogicalType::Json => parsed(image.str(i)?),
        LogicalType::Decimal | LogicalType::Text => Some(Value::String(image.str(i)?.to_owned())),
    }
}

/// A number as TiDB prints it.
fn number(text: &Value) -> Option<Value> {
    text.as_str().and_then(parsed).filter(Value::is_number)
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
