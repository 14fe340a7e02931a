//! Messages to events.

use serde_json::Value;
use tg_format_common::read::{self, Object};
use tg_format_common::{ChangeEvent, Datum, DdlChange, DecodeError, Field, MysqlType, RowChange};
use tgr1::Op;

/// Reads one message.
///
/// # Errors
/// When the bytes are not a message of this format.
pub fn decode(message: &[u8]) -> Result<ChangeEvent, DecodeError> {
    let object = read::object(message)?;
    let extension = read::optional_object(&object, "_tidb")?;
    let kind = read::text(&object, "type")?;
    if kind == "TIDB_WATERMARK" {
        let extension = extension.ok_or(DecodeError::Member("_tidb"))?;
        return Ok(ChangeEvent::Watermark(read::number(extension, "watermarkTs")?));
    }
    if read::flag(&object, "isDdl")? {
        return ddl(&object, extension, kind).map(ChangeEvent::Ddl);
    }
    let op = match kind {
        "INSERT" => Op::Insert,
        "UPDATE" => Op::Update,
        "DELETE" => Op::Delete,
        other => return Err(DecodeError::unknown("type", other)),
    };
    row(&object, extension, op).map(ChangeEvent::Row)
}

fn commit_ts(extension: Option<&Object>) -> Result<Option<u64>, DecodeError> {
    extension.map(|extension| read::number(extension, "commitTs")).transpose()
}

fn ddl(object: &Object, extension: Option<&Object>, kind: &str) -> Result<DdlChange, DecodeError> {
    Ok(DdlChange {
        database: read::text(object, "database")?.to_owned(),
        table: read::text(object, "table")?.to_owned(),
        query: read::text(object, "sql")?.to_owned(),
        commit_ts: commit_ts(extension)?,
        kind: kind.to_owned(),
        after: None,
        before: None,
    })
}

fn row(object: &Object, extension: Option<&Object>, op: Op) -> Result<RowChange, DecodeError> {
    let types = read::optional_object(object, "mysqlType")?.ok_or(DecodeError::Member("mysqlType"))?;
    let keys = match object.get("pkNames") {
        None | Some(Value::Null) => &[][..],
        Some(_) => read::array(object, "pkNames")?,
    };
    let data = images(object, "data", types, keys)?.ok_or(DecodeError::Member("data"))?;
    let old = images(object, "old", types, keys)?;
    let (after, before) = match op {
        Op::Insert => (Some(data), None),
        Op::Update => (Some(data), Some(old.ok_or(DecodeError::Member("old"))?)),
        Op::Delete => (None, Some(data)),
    };
    let key_only = extension.map_or(Ok(false), |extension| read::flag(extension, "onlyHandleKey"))?;
    let claim = extension.map_or(Ok(None), |extension| read::optional_text(extension, "claimCheckLocation"))?;
    Ok(RowChange {
        database: read::text(object, "database")?.to_owned(),
        table: read::text(object, "table")?.to_owned(),
        op,
        commit_ts: commit_ts(extension)?,
        commit_ms: Some(read::number(object, "es")?),
        after,
        before,
        key_only,
        claim: claim.map(str::to_owned),
    })
}

/// The one object in an array of row images.
fn images(
    object: &Object,
    name: &'static str,
    types: &Object,
    keys: &[Value],
) -> Result<Option<Vec<Field>>, DecodeError> {
    let list = match object.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(list) => list.as_array().ok_or(DecodeError::Member(name))?,
    };
    let [Value::Object(image)] = list.as_slice() else {
        return Err(DecodeError::Member(name));
    };
    let field = |(column, value): (&String, &Value)| {
        let spelling = types.get(column).and_then(Value::as_str).ok_or(DecodeError::Member("mysqlType"))?;
        let ty = MysqlType::parse(spelling).ok_or_else(|| DecodeError::unknown("mysqlType", spelling))?;
        let key = keys.iter().any(|key| key.as_str() == Some(column));
        let value = match value {
            Value::Null => Datum::Null,
            Value::String(text) => datum(column, ty, spelling, text)?,
            _ => return Err(DecodeError::Member(name)),
        };
        Ok(Field { name: column.clone(), ty: Some(ty), key, value })
    };
    image.iter().map(field).collect::<Result<Vec<_>, _>>().map(Some)
}

fn datum(column: &str, ty: MysqlType, spelling: &str, text: &str) -> Result<Datum, DecodeError> {
    if ty.is_binary() {
        let byte = |c: char| u8::try_from(u32::from(c)).ok();
        let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
        return bytes
            .map(Datum::Bytes)
            .ok_or(DecodeError::Value { column: column.to_owned(), expected: "byte string" });
    }
    read::plain(column, ty, spelling.contains(" unsigned"), text)
}
