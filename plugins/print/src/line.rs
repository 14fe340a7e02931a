//! One row as one line.

use std::fmt::Write as _;
use tgr1::{Image, Op, PackedTime, Row};
use tidegate_sdk::{Column, LogicalType, TableSchema};

const fn op(op: Op) -> &'static str {
    match op {
        Op::Insert => "insert",
        Op::Update => "update",
        Op::Delete => "delete",
    }
}

/// A value as text; `None`: NULL.
fn value(image: &Image<'_>, i: usize, column: &Column) -> Option<String> {
    if image.is_null(i) {
        return None;
    }
    let fsp = column.decimals.unwrap_or(0).min(6) as u8;
    let raw = image.u64(i)?;
    let mut out = Vec::new();
    match column.logical {
        LogicalType::Int | LogicalType::Year => tgr1::text::i64_text(&mut out, raw.cast_signed()),
        LogicalType::Uint | LogicalType::Set | LogicalType::Bit => tgr1::text::u64_text(&mut out, raw),
        LogicalType::Float32 => tgr1::text::f32_text(&mut out, f64::from_bits(raw) as f32),
        LogicalType::Float64 => tgr1::text::f64_text(&mut out, f64::from_bits(raw)),
        LogicalType::Date => PackedTime(raw).date_text(&mut out),
        LogicalType::Datetime | LogicalType::Timestamp => PackedTime(raw).datetime_text(&mut out, fsp),
        LogicalType::Time => tgr1::text::time_text(&mut out, raw.cast_signed(), fsp),
        LogicalType::Enumeration => {
            let member = (raw as usize).checked_sub(1).and_then(|n| column.members.get(n));
            out.extend_from_slice(member.map_or("", String::as_str).as_bytes());
        }
        LogicalType::Vector => tgr1::text::vector_text(&mut out, image.bytes(i)?),
        LogicalType::Bytes => {
            for byte in image.bytes(i)? {
                // Writing to a vector cannot fail.
                let _ = std::io::Write::write_fmt(&mut out, format_args!("{byte:02x}"));
            }
        }
        LogicalType::Decimal | LogicalType::Text | LogicalType::Json => out.extend_from_slice(image.bytes(i)?),
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// `update test.t @437 id="1" c="x"`, for an update with the values before behind `<-`.
pub(crate) fn text(schema: &TableSchema, row: &Row<'_>) -> String {
    let mut out = format!("{} {}.{} @{}", op(row.op()), schema.database, schema.name, row.commit_ts());
    if let Some(after) = row.after() {
        put_image(&mut out, schema, &after);
    }
    if let Some(before) = row.before() {
        if row.after().is_some() {
            out.push_str(" <-");
        }
        put_image(&mut out, schema, &before);
    }
    out
}

fn put_image(out: &mut String, schema: &TableSchema, image: &Image<'_>) {
    for (i, column) in schema.columns.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = match value(image, i, column) {
            Some(v) => write!(out, " {}={v:?}", column.name),
            None => write!(out, " {}=NULL", column.name),
        };
    }
}

/// All values are strings or null, so that no reader loses digits.
pub(crate) fn json(schema: &TableSchema, row: &Row<'_>) -> String {
    let image = |image: Option<Image<'_>>| {
        image.map(|image| {
            let pair = |(i, c): (usize, &Column)| (c.name.clone(), value(&image, i, c).into());
            schema.columns.iter().enumerate().map(pair).collect::<serde_json::Map<_, _>>()
        })
    };
    serde_json::json!({
        "op": op(row.op()),
        "database": schema.database,
        "table": schema.name,
        "commit_ts": row.commit_ts(),
        "after": image(row.after()),
        "before": image(row.before()),
    })
    .to_string()
}
