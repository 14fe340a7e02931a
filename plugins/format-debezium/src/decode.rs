//! Messages to events.

use serde_json::Value;
use tg_format_common::read::{self, Object};
use tg_format_common::{ChangeEvent, Datum, DdlChange, DecodeError, Field, MysqlType, RowChange, calendar, json};
use tgr1::Op;
use tgr1::text::time_text;

/// Reads one message's value. With a schema, times are read as text again, and with the TiDB extension bytes as bytes; without,
/// values are what JSON says. `key`: the names that [`decode_key`] answered.
///
/// # Errors
/// When the bytes are not a message of this format.
pub fn decode(key: &[String], value: &[u8]) -> Result<ChangeEvent, DecodeError> {
    let object = read::object(value)?;
    let payload = read::optional_object(&object, "payload")?.ok_or(DecodeError::Member("payload"))?;
    let source = read::optional_object(payload, "source")?.ok_or(DecodeError::Member("source"))?;
    let commit_ts = read::number(source, "commit_ts")?;
    if payload.contains_key("ddl") {
        return Ok(ChangeEvent::Ddl(DdlChange {
            database: read::text(source, "db")?.to_owned(),
            table: read::text(source, "table")?.to_owned(),
            query: read::text(payload, "ddl")?.to_owned(),
            commit_ts: Some(commit_ts),
            kind: first_change(payload)?,
            after: None,
            before: None,
        }));
    }
    let op = match read::text(payload, "op")? {
        "m" => return Ok(ChangeEvent::Watermark(commit_ts)),
        "c" => Op::Insert,
        "u" => Op::Update,
        "d" => Op::Delete,
        other => return Err(DecodeError::unknown("op", other)),
    };
    let schema = read::optional_object(&object, "schema")?;
    let described = schema.map(columns).transpose()?.unwrap_or_default();
    let image = |name| read::optional_object(payload, name)?.map(|image| fields(image, &described, key)).transpose();
    let (after, before) = (image("after")?, image("before")?);
    // An update may come without the old row.
    if after.is_some() != (op != Op::Delete)
        || before.is_none() && op == Op::Delete
        || before.is_some() && op == Op::Insert
    {
        return Err(DecodeError::Member("after or before"));
    }
    Ok(ChangeEvent::Row(RowChange {
        database: read::text(source, "db")?.to_owned(),
        table: read::text(source, "table")?.to_owned(),
        op,
        commit_ts: Some(commit_ts),
        commit_ms: Some(read::number(source, "ts_ms")?),
        after,
        before,
        key_only: false,
        claim: None,
    }))
}

/// Names of the columns in a message's key.
///
/// # Errors
/// When the bytes are not a key of this format.
pub fn decode_key(key: &[u8]) -> Result<Vec<String>, DecodeError> {
    let object = read::object(key)?;
    let payload = read::optional_object(&object, "payload")?.ok_or(DecodeError::Member("payload"))?;
    Ok(payload.keys().cloned().collect())
}

fn first_change(payload: &Object) -> Result<String, DecodeError> {
    let first = read::array(payload, "tableChanges")?.first().and_then(Value::as_object);
    first.map_or(Ok(String::new()), |change| read::text(change, "type").map(str::to_owned))
}

/// Descriptions of a table's columns, from the schema of the row.
fn columns(schema: &Object) -> Result<Vec<&Object>, DecodeError> {
    let is_after = |field: &&Object| field.get("field").and_then(Value::as_str) == Some("after");
    let after = read::array(schema, "fields")?.iter().filter_map(Value::as_object).find(is_after);
    let after = after.ok_or(DecodeError::Member("schema"))?;
    Ok(read::array(after, "fields")?.iter().filter_map(Value::as_object).collect())
}

fn fields(image: &Object, described: &[&Object], key: &[String]) -> Result<Vec<Field>, DecodeError> {
    let field = |(name, value): (&String, &Value)| {
        let is_it = |field: &&&Object| field.get("field").and_then(Value::as_str) == Some(name);
        let column = described.iter().find(is_it).copied();
        let fault = || DecodeError::Value { column: name.clone(), expected: "value of its schema" };
        let (ty, value) =
            column.map_or_else(|| Some((None, bare(value)?)), |column| datum(column, value)).ok_or_else(fault)?;
        Ok(Field { name: name.clone(), ty, key: key.contains(name), value })
    };
    image.iter().map(field).collect()
}

/// A value as JSON says it.
fn bare(value: &Value) -> Option<Datum> {
    Some(match value {
        Value::Null => Datum::Null,
        Value::Bool(bit) => Datum::UInt((*bit).into()),
        Value::String(text) => Datum::Text(text.clone()),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Datum::Int(value),
            (_, Some(value)) => Datum::UInt(value),
            _ => Datum::Float(number.as_f64()?),
        },
        Value::Array(_) | Value::Object(_) => return None,
    })
}

fn datum(column: &Object, value: &Value) -> Option<(Option<MysqlType>, Datum)> {
    let named = column.get("name").and_then(Value::as_str).unwrap_or_default();
    let spelling = column.get("tidb_type").and_then(Value::as_str);
    let ty = spelling.and_then(MysqlType::parse).or_else(|| by_name(named));
    if value.is_null() {
        return Some((ty, Datum::Null));
    }
    let text = |out: Vec<u8>| String::from_utf8(out).ok().map(Datum::Text);
    let clock = |micros: i64, fsp: u8| {
        let mut out = Vec::new();
        calendar::datetime(micros)?.datetime_text(&mut out, fsp);
        text(out)
    };
    let datum = match named.rsplit('.').next().unwrap_or_default() {
        "Date" => {
            let mut out = Vec::new();
            calendar::date(value.as_i64()?)?.date_text(&mut out);
            text(out)?
        }
        "Timestamp" => {
            let millis = value.as_i64()?;
            clock(millis.checked_mul(1000)?, if millis % 1000 == 0 { 0 } else { 3 })?
        }
        "MicroTimestamp" => clock(value.as_i64()?, 6)?,
        "MicroTime" => {
            let mut out = Vec::new();
            time_text(&mut out, value.as_i64()?, 6);
            text(out)?
        }
        "ZonedTimestamp" => Datum::Text(value.as_str()?.strip_suffix('Z')?.replace('T', " ")),
        "Bits" => {
            let bytes = json::from_base64(value.as_str()?)?;
            let mut word = [0; 8];
            word.get_mut(..bytes.len())?.copy_from_slice(&bytes);
            Datum::UInt(u64::from_le_bytes(word))
        }
        _ if ty.is_some_and(MysqlType::is_binary) => Datum::Bytes(json::from_base64(value.as_str()?)?),
        _ if ty == Some(MysqlType::Float) => Datum::Float((value.as_f64()? as f32).into()),
        _ if matches!(ty, Some(MysqlType::Double | MysqlType::Decimal)) => Datum::Float(value.as_f64()?),
        _ if ty.is_some_and(MysqlType::is_integer) && spelling.is_some_and(|s| s.ends_with(" UNSIGNED")) => {
            value.as_u64().map(Datum::UInt).or_else(|| value.as_i64().map(Datum::Int))?
        }
        _ => bare(value)?,
    };
    Some((ty, datum))
}

fn by_name(name: &str) -> Option<MysqlType> {
    Some(match name.rsplit('.').next()? {
        "Year" => MysqlType::Year,
        "Date" => MysqlType::Date,
        "Timestamp" | "MicroTimestamp" => MysqlType::DateTime,
        "ZonedTimestamp" => MysqlType::Timestamp,
        "MicroTime" => MysqlType::Time,
        "Enum" => MysqlType::Enum,
        "EnumSet" => MysqlType::Set,
        "Json" => MysqlType::Json,
        "TiDBVectorFloat32" => MysqlType::Vector,
        "Bits" => MysqlType::Bit,
        _ => return None,
    })
}
