//! A row of a quarantine as JSON. All values are strings or null, so that no reader loses digits.

use serde_json::{Map, Value, json};
use tg_model::{Column, TableVersion};
use tg_pipeline::{RawOp, RowData};
use tgr1::{Batch, Image, Logical, Op, PackedTime};

/// What happened to the row.
pub(crate) fn op(data: &RowData) -> &'static str {
    let of_batch = |batch: &[u8]| Batch::parse(batch).ok()?.row(0).map(|row| row.op());
    match data {
        RowData::Batch { batch, .. } => match of_batch(batch) {
            Some(Op::Insert) => "insert",
            Some(Op::Update) => "update",
            Some(Op::Delete) => "delete",
            None => "unreadable",
        },
        RowData::Raw { op: RawOp::Insert, .. } => "insert",
        RowData::Raw { op: RawOp::Update, .. } => "update",
        RowData::Raw { op: RawOp::Delete, .. } => "delete",
    }
}

/// The row's values by column, or its bytes in hex.
pub(crate) fn row(data: &RowData) -> Value {
    match data {
        RowData::Batch { batch, version } => of_batch(batch, version).unwrap_or_default(),
        RowData::Raw { key, value, old_value, .. } => json!({
            "key": hex::encode(key),
            "value": hex::encode(value),
            "old_value": hex::encode(old_value),
        }),
    }
}

fn of_batch(bytes: &[u8], version: &TableVersion) -> Option<Value> {
    let batch = Batch::parse(bytes).ok()?;
    let row = batch.row(0)?;
    let image = |image: Option<Image<'_>>| image.map(|image| values(&batch, &image, version));
    Some(json!({ "after": image(row.after()), "before": image(row.before()) }))
}

pub(crate) fn values(batch: &Batch<'_>, image: &Image<'_>, version: &TableVersion) -> Map<String, Value> {
    let mut out = Map::new();
    for (i, spec) in batch.columns().enumerate() {
        let Some(column) = version.columns.get(usize::from(spec.position)) else { continue };
        if !image.is_absent(i) {
            out.insert(column.name.clone(), text(image, i, spec.logical, column).into());
        }
    }
    out
}

/// A value as text; `None`: NULL.
fn text(image: &Image<'_>, i: usize, logical: Logical, column: &Column) -> Option<String> {
    if image.is_null(i) {
        return None;
    }
    let fsp = column.ty.decimals.unwrap_or(0).min(6) as u8;
    let raw = || image.u64(i);
    let mut out = Vec::new();
    match logical {
        Logical::Int | Logical::Year => tgr1::text::i64_text(&mut out, raw()?.cast_signed()),
        Logical::UInt | Logical::Set | Logical::Bit => tgr1::text::u64_text(&mut out, raw()?),
        Logical::Float32 => tgr1::text::f32_text(&mut out, f64::from_bits(raw()?) as f32),
        Logical::Float64 => tgr1::text::f64_text(&mut out, f64::from_bits(raw()?)),
        Logical::Date => PackedTime(raw()?).date_text(&mut out),
        Logical::DateTime | Logical::Timestamp => PackedTime(raw()?).datetime_text(&mut out, fsp),
        Logical::Time => tgr1::text::time_text(&mut out, raw()?.cast_signed(), fsp),
        Logical::Enum => {
            let member = usize::try_from(raw()?).ok()?.checked_sub(1).and_then(|n| column.ty.members.get(n));
            out.extend_from_slice(member.map_or("", String::as_str).as_bytes());
        }
        Logical::Vector => tgr1::text::vector_text(&mut out, image.bytes(i)?),
        Logical::Bytes => out.extend_from_slice(hex::encode(image.bytes(i)?).as_bytes()),
        Logical::Decimal | Logical::Text | Logical::Json => out.extend_from_slice(image.bytes(i)?),
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}
