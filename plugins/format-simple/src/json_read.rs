//! Reading the JSON encoding.

use crate::describe::UNSPECIFIED;
use crate::{Decoder, value};
use serde_json::Value;
use tg_format_common::read::{self, Object};
use tg_format_common::{
    ChangeEvent, Datum, DdlChange, DecodeError, Field, MysqlType, RowChange, SchemaChange, SchemaColumn, SchemaIndex,
};
use tgr1::Op;

pub(crate) fn read(message: &[u8], known: &Decoder) -> Result<ChangeEvent, DecodeError> {
    let object = read::object(message)?;
    let version = read::number(&object, "version")?;
    if version != crate::VERSION {
        return Err(DecodeError::unknown("version", &version.to_string()));
    }
    let op = match read::text(&object, "type")? {
        "WATERMARK" => return Ok(ChangeEvent::Watermark(read::number(&object, "commitTs")?)),
        "BOOTSTRAP" => {
            let schema = read::optional_object(&object, "tableSchema")?.ok_or(DecodeError::Member("tableSchema"))?;
            return table(schema).map(ChangeEvent::Schema);
        }
        "INSERT" => Op::Insert,
        "UPDATE" => Op::Update,
        "DELETE" => Op::Delete,
        word => return ddl(&object, word).map(ChangeEvent::Ddl),
    };
    row(&object, op, known).map(ChangeEvent::Row)
}

fn row(object: &Object, op: Op, known: &Decoder) -> Result<RowChange, DecodeError> {
    let (database, table) = (read::text(object, "database")?, read::text(object, "table")?);
    let schema = known.schema(read::number(object, "schemaVersion")?, database, table)?;
    let image = |name| read::optional_object(object, name)?.map(|image| fields(image, schema)).transpose();
    let (after, before) = (image("data")?, image("old")?);
    let (want_after, want_before) = (op != Op::Delete, op != Op::Insert);
    if (after.is_some(), before.is_some()) != (want_after, want_before) {
        return Err(DecodeError::Member("data or old"));
    }
    let claim = read::optional_text(object, "claimCheckLocation")?.map(str::to_owned);
    Ok(RowChange {
        database: database.to_owned(),
        table: table.to_owned(),
        op,
        commit_ts: Some(read::number(object, "commitTs")?),
        commit_ms: None,
        after,
        before,
        key_only: read::flag(object, "handleKeyOnly")?,
        claim,
    })
}

fn fields(image: &Object, schema: &SchemaChange) -> Result<Vec<Field>, DecodeError> {
    let field = |(name, value): (&String, &Value)| {
        let column =
            schema.columns.iter().find(|c| c.name == *name).ok_or_else(|| DecodeError::unknown("column", name))?;
        let value = match value {
            Value::Null => Datum::Null,
            Value::String(text) => value::from_text(column, text)?,
            Value::Object(zoned) => Datum::Text(read::text(zoned, "value")?.to_owned()),
            _ => return Err(DecodeError::Member("value of a column")),
        };
        Ok(Field { name: name.clone(), ty: Some(column.ty), key: schema.is_key(name), value })
    };
    image.iter().map(field).collect()
}

fn ddl(object: &Object, word: &str) -> Result<DdlChange, DecodeError> {
    let schema = |name| read::optional_object(object, name)?.map(table).transpose();
    let (after, before) = (schema("tableSchema")?, schema("preTableSchema")?);
    let names = after.as_ref().map(|schema| (schema.database.clone(), schema.table.clone())).unwrap_or_default();
    Ok(DdlChange {
        database: names.0,
        table: names.1,
        query: read::text(object, "sql")?.to_owned(),
        commit_ts: Some(read::number(object, "commitTs")?),
        kind: word.to_owned(),
        after,
        before,
    })
}

fn table(object: &Object) -> Result<SchemaChange, DecodeError> {
    let items = |name| read::array(object, name);
    Ok(SchemaChange {
        database: read::text(object, "schema")?.to_owned(),
        table: read::text(object, "table")?.to_owned(),
        table_id: read::number(object, "tableID")?,
        version: read::number(object, "version")?,
        columns: items("columns")?.iter().map(column).collect::<Result<_, _>>()?,
        indexes: items("indexes")?.iter().map(index).collect::<Result<_, _>>()?,
    })
}

fn column(value: &Value) -> Result<SchemaColumn, DecodeError> {
    let object = value.as_object().ok_or(DecodeError::Member("columns"))?;
    let ty = read::optional_object(object, "dataType")?.ok_or(DecodeError::Member("dataType"))?;
    let name = read::text(ty, "mysqlType")?;
    let members = if ty.contains_key("elements") { texts(read::array(ty, "elements")?)? } else { Vec::new() };
    Ok(SchemaColumn {
        name: read::text(object, "name")?.to_owned(),
        ty: mysql_type(name)?,
        unsigned: read::flag(ty, "unsigned")?,
        nullable: read::flag(object, "nullable")?,
        members,
        default: read::optional_text(object, "default")?.map(str::to_owned),
    })
}

/// The type of this name; what views have counts as NULL.
pub(crate) fn mysql_type(name: &str) -> Result<MysqlType, DecodeError> {
    if name == UNSPECIFIED {
        return Ok(MysqlType::Null);
    }
    MysqlType::parse(name).ok_or_else(|| DecodeError::unknown("mysqlType", name))
}

fn index(value: &Value) -> Result<SchemaIndex, DecodeError> {
    let object = value.as_object().ok_or(DecodeError::Member("indexes"))?;
    Ok(SchemaIndex {
        name: read::text(object, "name")?.to_owned(),
        unique: read::flag(object, "unique")?,
        primary: read::flag(object, "primary")?,
        columns: texts(read::array(object, "columns")?)?,
    })
}

fn texts(values: &[Value]) -> Result<Vec<String>, DecodeError> {
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(DecodeError::Member("list of names"));
    values.iter().map(text).collect()
}
