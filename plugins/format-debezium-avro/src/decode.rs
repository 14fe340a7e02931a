//! Keys and envelopes to events.

use crate::dynamic::{self, Dynamic, Member};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_format_avro::{SchemaId, SchemaText, decimal, read_header};
use tg_format_common::{Bytes, ChangeEvent, Datum, DecodeError, Field, MysqlType, RowChange, calendar, read};
use tgr1::Op;
use tgr1::text::time_text;

/// Schemas a decoder keeps.
const SCHEMAS_MAX: usize = 1000;

/// Reads messages with the schemas that `S` finds.
#[derive(Debug)]
pub struct Decoder<S> {
    schemas: S,
    /// Schemas that were read; all are forgotten when there are too many.
    known: BTreeMap<SchemaId, Arc<Value>>,
}

impl<S: SchemaText> Decoder<S> {
    /// With these schemas.
    pub const fn new(schemas: S) -> Self {
        Self { schemas, known: BTreeMap::new() }
    }

    /// Reads one message.
    ///
    /// # Errors
    /// When the bytes are not a message of their schema.
    pub fn decode(&mut self, key: Option<&[u8]>, value: &[u8]) -> Result<ChangeEvent, DecodeError> {
        let keys = match key {
            Some(key) => self.record(key, |record| Ok(record.iter().map(|(name, ..)| (*name).to_owned()).collect()))?,
            None => Vec::new(),
        };
        self.record(value, |record| envelope(record, &keys)).map(ChangeEvent::Row)
    }

    fn record<T>(
        &mut self,
        message: &[u8],
        take: impl FnOnce(&[Member<'_>]) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let mut from = Bytes(message);
        let id = read_header(&mut from)?;
        let schema = self.schema(id)?;
        let value = dynamic::read(&schema, &mut from)?;
        from.end()?;
        match &value {
            Dynamic::Record(record) => take(record),
            _ => Err(DecodeError::Member("record")),
        }
    }

    fn schema(&mut self, id: SchemaId) -> Result<Arc<Value>, DecodeError> {
        if let Some(schema) = self.known.get(&id) {
            return Ok(Arc::clone(schema));
        }
        let text = self.schemas.text(&id).ok_or_else(|| DecodeError::unknown("schema id", &format!("{id:?}")))?;
        let schema = Arc::new(Value::Object(read::object(text.as_bytes())?));
        if self.known.len() >= SCHEMAS_MAX {
            self.known.clear();
        }
        self.known.insert(id, Arc::clone(&schema));
        Ok(schema)
    }
}

fn member<'a>(record: &'a [Member<'a>], name: &'static str) -> Result<&'a Dynamic<'a>, DecodeError> {
    record.iter().find(|(n, ..)| *n == name).map(|(_, value, _)| value).ok_or(DecodeError::Member(name))
}

fn text(value: &Dynamic<'_>, name: &'static str) -> Result<String, DecodeError> {
    match value {
        Dynamic::Text(bytes) => String::from_utf8(bytes.to_vec()).map_err(|_| DecodeError::Member(name)),
        _ => Err(DecodeError::Member(name)),
    }
}

fn envelope(record: &[Member<'_>], keys: &[String]) -> Result<RowChange, DecodeError> {
    let Dynamic::Record(source) = member(record, "source")? else {
        return Err(DecodeError::Member("source"));
    };
    let op = match text(member(record, "op")?, "op")?.as_str() {
        "c" => Op::Insert,
        "u" => Op::Update,
        "d" => Op::Delete,
        other => return Err(DecodeError::unknown("op", other)),
    };
    let number = |name| match member(source, name)? {
        Dynamic::Number(value) => Ok(value.cast_unsigned()),
        _ => Err(DecodeError::Member(name)),
    };
    let image = |name| match member(record, name)? {
        Dynamic::Record(row) => row.iter().map(|member| field(member, keys)).collect::<Result<_, _>>().map(Some),
        Dynamic::Null => Ok(None),
        _ => Err(DecodeError::Member(name)),
    };
    let (after, before): (Option<Vec<Field>>, Option<Vec<Field>>) = (image("after")?, image("before")?);
    if after.is_some() != (op != Op::Delete) || op == Op::Delete && before.is_none() {
        return Err(DecodeError::Member("after or before"));
    }
    Ok(RowChange {
        database: text(member(source, "db")?, "db")?,
        table: text(member(source, "table")?, "table")?,
        op,
        commit_ts: Some(number("commit_ts")?),
        commit_ms: Some(number("ts_ms")?),
        after,
        before,
        key_only: false,
        claim: None,
    })
}

fn field((name, value, ty): &Member<'_>, keys: &[String]) -> Result<Field, DecodeError> {
    let key = keys.iter().any(|key| key == name);
    let Some(ty) = ty else {
        let value =
            if matches!(value, Dynamic::Null) { Datum::Null } else { return Err(DecodeError::Member("column")) };
        return Ok(Field { name: (*name).to_owned(), ty: None, key, value });
    };
    let parameters =
        read::optional_object(ty, "connect.parameters")?.ok_or(DecodeError::Member("connect.parameters"))?;
    let word = read::text(parameters, "tidb_type")?;
    let mysql = MysqlType::parse(word).ok_or_else(|| DecodeError::unknown("tidb_type", word))?;
    let fault = || DecodeError::Value { column: (*name).to_owned(), expected: mysql.name() };
    let value = datum(mysql, word.ends_with(" UNSIGNED"), ty, value).ok_or_else(fault)?;
    Ok(Field { name: (*name).to_owned(), ty: Some(mysql), key, value })
}

fn datum(mysql: MysqlType, unsigned: bool, ty: &Map<String, Value>, value: &Dynamic<'_>) -> Option<Datum> {
    let as_text = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).ok().map(Datum::Text)
    };
    let is_micro = ty.get("connect.name").and_then(Value::as_str) == Some("io.debezium.time.MicroTimestamp");
    Some(match (mysql, value) {
        (MysqlType::Bit, Dynamic::Truth(bit)) => Datum::UInt((*bit).into()),
        (MysqlType::Bit, Dynamic::Text(bytes)) => {
            let mut word = [0; 8];
            word.get_mut(..bytes.len())?.copy_from_slice(bytes);
            Datum::UInt(u64::from_le_bytes(word))
        }
        (MysqlType::Date, Dynamic::Number(days)) => {
            let date = calendar::date(*days)?;
            as_text(&|out| date.date_text(out))?
        }
        (MysqlType::DateTime, Dynamic::Number(value)) => {
            let micros = if is_micro { *value } else { value.checked_mul(1000)? };
            let fsp = match (is_micro, micros % 1_000_000) {
                (true, _) => 6,
                (false, 0) => 0,
                (false, _) => 3,
            };
            let time = calendar::datetime(micros)?;
            as_text(&|out| time.datetime_text(out, fsp))?
        }
        (MysqlType::Time, Dynamic::Number(micros)) => as_text(&|out| time_text(out, *micros, 6))?,
        (MysqlType::BigInt, Dynamic::Text(text)) => Datum::UInt(std::str::from_utf8(text).ok()?.parse().ok()?),
        (_, Dynamic::Number(value)) if unsigned => Datum::UInt(value.cast_unsigned()),
        (_, Dynamic::Number(value)) => Datum::Int(*value),
        (_, Dynamic::Single(value)) => Datum::Float((*value).into()),
        (_, Dynamic::Double(value)) => Datum::Float(*value),
        (MysqlType::Decimal, Dynamic::Text(bytes)) if ty.contains_key("scale") => {
            Datum::Text(decimal::text(bytes, usize::try_from(ty.get("scale")?.as_u64()?).ok()?)?)
        }
        (_, Dynamic::Text(bytes)) if mysql.is_binary() => Datum::Bytes(bytes.to_vec()),
        (MysqlType::Timestamp, Dynamic::Text(bytes)) => {
            let text = std::str::from_utf8(bytes).ok()?;
            Datum::Text(text.strip_suffix('Z')?.replace('T', " "))
        }
        (_, Dynamic::Text(bytes)) => Datum::Text(String::from_utf8(bytes.to_vec()).ok()?),
        (_, Dynamic::Null) => Datum::Null,
        _ => return None,
    })
}
