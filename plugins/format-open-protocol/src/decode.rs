//! Messages to events.

use crate::{VERSION, flags, quote};
use serde_json::Value;
use tg_format_common::read::{self, Object};
use tg_format_common::{Bytes, ChangeEvent, Datum, DdlChange, DecodeError, Expand, Field, MysqlType, RowChange, json};
use tgr1::Op;

/// Reads one message; it may hold several events. `expand` undoes the compression of a value, if there is one.
///
/// # Errors
/// When the bytes are not a message of this format.
pub fn decode(key: &[u8], value: &[u8], expand: Option<Expand>) -> Result<Vec<ChangeEvent>, DecodeError> {
    let (mut keys, mut values) = (Bytes(key), Bytes(value));
    let version = u64::from_be_bytes(keys.array("version")?);
    if version != VERSION {
        return Err(DecodeError::unknown("version", &version.to_string()));
    }
    let mut events = Vec::new();
    while !keys.is_empty() {
        let key = read::object(keys.framed("key")?)?;
        let value = values.framed("value")?;
        events.push(match expand {
            Some(expand) if !value.is_empty() => event(&key, &expand(value)?)?,
            _ => event(&key, value)?,
        });
    }
    values.end()?;
    Ok(events)
}

fn event(key: &Object, value: &[u8]) -> Result<ChangeEvent, DecodeError> {
    let ts = read::number(key, "ts")?;
    match read::number(key, "t")? {
        1 => row(key, ts, &read::object(value)?).map(ChangeEvent::Row),
        2 => ddl(key, ts, &read::object(value)?).map(ChangeEvent::Ddl),
        3 => Bytes(value).end().map(|()| ChangeEvent::Watermark(ts)),
        other => Err(DecodeError::unknown("kind", &other.to_string())),
    }
}

fn ddl(key: &Object, ts: u64, value: &Object) -> Result<DdlChange, DecodeError> {
    Ok(DdlChange {
        database: read::text(key, "scm")?.to_owned(),
        table: read::optional_text(key, "tbl")?.unwrap_or_default().to_owned(),
        query: read::text(value, "q")?.to_owned(),
        commit_ts: Some(ts),
        kind: read::number(value, "t")?.to_string(),
        after: None,
        before: None,
    })
}

fn row(key: &Object, ts: u64, value: &Object) -> Result<RowChange, DecodeError> {
    let image = |name| read::optional_object(value, name)?.map(fields).transpose();
    let (new, old, gone) = (image("u")?, image("p")?, image("d")?);
    let (op, after, before) = match (new, old, gone) {
        (Some(new), None, None) => (Op::Insert, Some(new), None),
        (Some(new), Some(old), None) => (Op::Update, Some(new), Some(old)),
        (None, None, Some(old)) => (Op::Delete, None, Some(old)),
        _ => return Err(DecodeError::Member("u, p or d")),
    };
    Ok(RowChange {
        database: read::text(key, "scm")?.to_owned(),
        table: read::text(key, "tbl")?.to_owned(),
        op,
        commit_ts: Some(ts),
        commit_ms: None,
        after,
        before,
        key_only: read::flag(key, "ohk")?,
        claim: read::optional_text(key, "ccl")?.map(str::to_owned),
    })
}

fn fields(image: &Object) -> Result<Vec<Field>, DecodeError> {
    image.iter().map(field).collect()
}

fn field((name, column): (&String, &Value)) -> Result<Field, DecodeError> {
    let column = column.as_object().ok_or(DecodeError::Member("column"))?;
    let (code, bits) = (read::number(column, "t")?, read::number(column, "f")?);
    let ty = MysqlType::from_code(code, bits & flags::BINARY != 0)
        .ok_or_else(|| DecodeError::unknown("type", &code.to_string()))?;
    let value = column.get("v").ok_or(DecodeError::Member("v"))?;
    let fault = || DecodeError::Value { column: name.clone(), expected: ty.name() };
    let value = datum(ty, bits & flags::UNSIGNED != 0, value).ok_or_else(fault)?;
    Ok(Field { name: name.clone(), ty: Some(ty), key: read::flag(column, "h")?, value })
}

fn datum(ty: MysqlType, unsigned: bool, value: &Value) -> Option<Datum> {
    Some(match ty {
        _ if value.is_null() => Datum::Null,
        MysqlType::Year => Datum::Int(value.as_i64()?),
        _ if ty.is_integer() && !unsigned => Datum::Int(value.as_i64()?),
        MysqlType::Bit | MysqlType::Enum | MysqlType::Set => Datum::UInt(value.as_u64()?),
        _ if ty.is_integer() => Datum::UInt(value.as_u64()?),
        MysqlType::Float => Datum::Float((value.as_f64()? as f32).into()),
        MysqlType::Double => Datum::Float(value.as_f64()?),
        _ if ty.is_lob() => {
            let bytes = json::from_base64(value.as_str()?)?;
            if ty.is_text() { Datum::Text(String::from_utf8(bytes).ok()?) } else { Datum::Bytes(bytes) }
        }
        _ if ty.is_binary() => Datum::Bytes(quote::read(value.as_str()?)?),
        _ => Datum::Text(value.as_str()?.to_owned()),
    })
}
