//! Keys and values to events.

use crate::encode::{TEST_CHECKPOINT, TEST_DDL, TEST_DELETE};
use crate::{SchemaId, bytes, decimal};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_format_common::read::{self, Object};
use tg_format_common::{Bytes, ChangeEvent, Datum, DdlChange, DecodeError, Field, MysqlType, RowChange};
use tgr1::Op;

/// Schemas a decoder keeps.
const SCHEMAS_MAX: usize = 1000;
/// Fields that follow a row's columns.
const OP: &str = "_tidb_op";
const COMMIT_TS: &str = "_tidb_commit_ts";
const PHYSICAL_TIME: &str = "_tidb_commit_physical_time";
const BEFORE: &str = "_ticdc_before";

/// Gives the text of the schema that a message's header names.
pub trait SchemaText {
    /// The schema with Confluent's number or Glue's id.
    fn text(&self, id: &SchemaId) -> Option<String>;
}

/// A column as a schema describes it.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    ty: MysqlType,
    unsigned: bool,
    avro: String,
    scale: Option<usize>,
    /// Place of NULL in the union; `None`: it is none.
    null_at: Option<i64>,
}

/// What a schema says.
#[derive(Clone, Debug, Default)]
struct Record {
    database: String,
    table: String,
    columns: Vec<Column>,
    /// Names of what follows, in order.
    extras: Vec<String>,
}

/// Reads messages with the schemas that `S` finds.
#[derive(Debug)]
pub struct Decoder<S> {
    schemas: S,
    /// Schemas that were read; all are forgotten when there are too many.
    known: BTreeMap<SchemaId, Arc<Record>>,
}

impl<S: SchemaText> Decoder<S> {
    /// With these schemas.
    pub const fn new(schemas: S) -> Self {
        Self { schemas, known: BTreeMap::new() }
    }

    /// Reads one message. A value without the TiDB extension does not say what happened: it counts as an insert, to be
    /// applied as an upsert. A key without a value is a deleted row.
    ///
    /// # Errors
    /// When the bytes are not a message of their schema.
    pub fn decode(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<ChangeEvent, DecodeError> {
        let key = key.map(|key| self.record(key, None)).transpose()?;
        let Some(value) = value else { return deleted(key, None) };
        match value.split_first() {
            Some((&TEST_DDL, json)) => return ddl(json).map(ChangeEvent::Ddl),
            Some((&TEST_CHECKPOINT, ts)) => return timestamp(ts).map(ChangeEvent::Watermark),
            // The header of Glue begins with the same byte and is longer.
            Some((&TEST_DELETE, ts)) if ts.len() == size_of::<u64>() => return deleted(key, Some(timestamp(ts)?)),
            _ => {}
        }
        let names: Vec<&str> = key.iter().flat_map(|(_, row, _)| row.iter().map(|f| f.name.as_str())).collect();
        let (record, row, extras) = self.record(value, Some(&names))?;
        let op = match extras.op.as_deref() {
            Some("d") => Op::Delete,
            Some("u") => Op::Update,
            Some("c") | None => Op::Insert,
            Some(other) => return Err(DecodeError::unknown("_tidb_op", other)),
        };
        let (after, before) = match op {
            Op::Delete => (None, Some(row)),
            _ => (Some(row), extras.before),
        };
        Ok(ChangeEvent::Row(change(&record, op, extras.commit_ts, after, before, false)))
    }

    /// `keys`: which columns are in the key; `None`: all.
    fn record(
        &mut self,
        message: &[u8],
        keys: Option<&[&str]>,
    ) -> Result<(Arc<Record>, Vec<Field>, Extras), DecodeError> {
        let mut from = Bytes(message);
        let id = crate::read_header(&mut from)?;
        let record = self.schema(id)?;
        let row = fields(&mut from, &record.columns, keys)?;
        let mut extras = Extras::default();
        for name in &record.extras {
            match name.as_str() {
                OP => extras.op = Some(text_of(&mut from)?),
                COMMIT_TS => extras.commit_ts = Some(bytes::read_long(&mut from)?.cast_unsigned()),
                PHYSICAL_TIME => drop(bytes::read_long(&mut from)?),
                _ => {
                    if bytes::read_long(&mut from)? == 1 {
                        extras.before = Some(fields(&mut from, &record.columns, keys)?);
                    }
                }
            }
        }
        from.end()?;
        Ok((record, row, extras))
    }

    fn schema(&mut self, id: SchemaId) -> Result<Arc<Record>, DecodeError> {
        if let Some(record) = self.known.get(&id) {
            return Ok(Arc::clone(record));
        }
        let text = self.schemas.text(&id).ok_or_else(|| DecodeError::unknown("schema id", &format!("{id:?}")))?;
        let record = Arc::new(schema(&text)?);
        if self.known.len() >= SCHEMAS_MAX {
            self.known.clear();
        }
        self.known.insert(id, Arc::clone(&record));
        Ok(record)
    }
}

#[derive(Debug, Default)]
struct Extras {
    op: Option<String>,
    commit_ts: Option<u64>,
    before: Option<Vec<Field>>,
}

fn change(
    record: &Record,
    op: Op,
    commit_ts: Option<u64>,
    after: Option<Vec<Field>>,
    before: Option<Vec<Field>>,
    key_only: bool,
) -> RowChange {
    let (database, table) = (record.database.clone(), record.table.clone());
    RowChange { database, table, op, commit_ts, commit_ms: None, after, before, key_only, claim: None }
}

fn text_of(from: &mut Bytes<'_>) -> Result<String, DecodeError> {
    String::from_utf8(bytes::read_bytes(from)?.to_vec()).map_err(|_| DecodeError::Member("text"))
}

/// A row of which there is the key only.
fn deleted(key: Option<(Arc<Record>, Vec<Field>, Extras)>, commit_ts: Option<u64>) -> Result<ChangeEvent, DecodeError> {
    let (record, row, _) = key.ok_or(DecodeError::Member("key"))?;
    Ok(ChangeEvent::Row(change(&record, Op::Delete, commit_ts, None, Some(row), true)))
}

/// The statement that a message for tests carries.
fn ddl(json: &[u8]) -> Result<DdlChange, DecodeError> {
    let object = read::object(json)?;
    Ok(DdlChange {
        database: read::text(&object, "schema")?.to_owned(),
        table: read::text(&object, "table")?.to_owned(),
        query: read::text(&object, "query")?.to_owned(),
        commit_ts: Some(read::number(&object, "commitTs")?),
        kind: read::number(&object, "type")?.to_string(),
        after: None,
        before: None,
    })
}

fn timestamp(bytes: &[u8]) -> Result<u64, DecodeError> {
    bytes.try_into().map(u64::from_be_bytes).map_err(|_| DecodeError::Short("timestamp"))
}

fn fields(from: &mut Bytes<'_>, columns: &[Column], keys: Option<&[&str]>) -> Result<Vec<Field>, DecodeError> {
    let mut row = Vec::with_capacity(columns.len());
    for column in columns {
        let is_null = match column.null_at {
            Some(null_at) => match bytes::read_long(from)? {
                place @ (0 | 1) => place == null_at,
                other => return Err(DecodeError::unknown("place in a union", &other.to_string())),
            },
            None => false,
        };
        let value = if is_null { Datum::Null } else { datum(from, column)? };
        let key = keys.is_none_or(|keys| keys.contains(&column.name.as_str()));
        row.push(Field { name: column.name.clone(), ty: Some(column.ty), key, value });
    }
    Ok(row)
}

fn datum(from: &mut Bytes<'_>, column: &Column) -> Result<Datum, DecodeError> {
    let fault = |expected| DecodeError::Value { column: column.name.clone(), expected };
    Ok(match column.avro.as_str() {
        "int" | "long" => {
            let value = bytes::read_long(from)?;
            if column.unsigned { Datum::UInt(value.cast_unsigned()) } else { Datum::Int(value) }
        }
        "float" => Datum::Float(f32::from_le_bytes(from.array("float")?).into()),
        "double" => Datum::Float(f64::from_le_bytes(from.array("double")?)),
        "bytes" => {
            let raw = bytes::read_bytes(from)?;
            match (column.ty, column.scale) {
                (MysqlType::Decimal, Some(scale)) => {
                    Datum::Text(decimal::text(raw, scale).ok_or_else(|| fault("decimal"))?)
                }
                (MysqlType::Bit, _) => {
                    let mut word = [0; 8];
                    let place = 8_usize.checked_sub(raw.len()).and_then(|at| word.get_mut(at..));
                    place.ok_or_else(|| fault("bit"))?.copy_from_slice(raw);
                    Datum::UInt(u64::from_be_bytes(word))
                }
                _ => Datum::Bytes(raw.to_vec()),
            }
        }
        _ if column.ty == MysqlType::BigInt => {
            Datum::UInt(text_of(from)?.parse().map_err(|_| fault("unsigned integer"))?)
        }
        _ => Datum::Text(text_of(from)?),
    })
}

fn schema(text: &str) -> Result<Record, DecodeError> {
    let object = read::object(text.as_bytes())?;
    let namespace = read::text(&object, "namespace")?;
    let mut record = Record {
        database: namespace.rsplit('.').next().unwrap_or_default().to_owned(),
        table: read::text(&object, "name")?.to_owned(),
        ..Record::default()
    };
    for field in read::array(&object, "fields")? {
        let field = field.as_object().ok_or(DecodeError::Member("fields"))?;
        match read::text(field, "name")? {
            name @ (OP | COMMIT_TS | PHYSICAL_TIME | BEFORE) => record.extras.push(name.to_owned()),
            name => record.columns.push(column(name, field)?),
        }
    }
    Ok(record)
}

fn column(name: &str, field: &Object) -> Result<Column, DecodeError> {
    let is_null = |value: &Value| value.as_str() == Some("null");
    let (ty, null_at) = match field.get("type") {
        Some(Value::Object(ty)) => (ty, None),
        Some(Value::Array(union)) => {
            let null_at = union.iter().position(is_null).ok_or(DecodeError::Member("union"))?;
            let ty = union.iter().find_map(Value::as_object).ok_or(DecodeError::Member("union"))?;
            (ty, i64::try_from(null_at).ok())
        }
        _ => return Err(DecodeError::Member("type")),
    };
    let parameters =
        read::optional_object(ty, "connect.parameters")?.ok_or(DecodeError::Member("connect.parameters"))?;
    let word = read::text(parameters, "tidb_type")?;
    let known = if word == "TiDBVectorFloat32" { Some(MysqlType::Vector) } else { MysqlType::parse(word) };
    let scale = if ty.contains_key("scale") { usize::try_from(read::number(ty, "scale")?).ok() } else { None };
    Ok(Column {
        name: name.to_owned(),
        ty: known.ok_or_else(|| DecodeError::unknown("tidb_type", word))?,
        unsigned: word.ends_with(" UNSIGNED"),
        avro: read::text(ty, "type")?.to_owned(),
        scale,
        null_at,
    })
}
