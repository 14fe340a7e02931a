//! Schemas of keys and envelopes.

use serde_json::{Value, json};
use tg_format_avro::{BigintUnsigned, DecimalMode, sanitized};
use tg_format_common::{Column, MysqlType, Table};

/// What decides about types.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Modes {
    pub(crate) decimal: DecimalMode,
    pub(crate) bigint: BigintUnsigned,
}

/// Width of a BIT column.
pub(crate) fn bits(table: &Table, column: &Column) -> u32 {
    table.schema.columns.get(column.position).and_then(|c| c.length).unwrap_or(1)
}

/// Fraction digits of a DECIMAL.
pub(crate) fn scale(table: &Table, column: &Column) -> usize {
    table.schema.columns.get(column.position).and_then(|c| c.decimals).unwrap_or(0) as usize
}

/// A column's Avro type, its semantic name and the name's version.
pub(crate) fn kind(table: &Table, column: &Column, modes: Modes) -> (&'static str, Option<&'static str>) {
    match column.ty {
        MysqlType::Int if column.unsigned => ("long", None),
        MysqlType::TinyInt | MysqlType::SmallInt | MysqlType::MediumInt | MysqlType::Int => ("int", None),
        MysqlType::BigInt if column.unsigned && modes.bigint == BigintUnsigned::String => ("string", None),
        MysqlType::BigInt => ("long", None),
        MysqlType::Float => ("float", None),
        MysqlType::Double => ("double", None),
        MysqlType::Decimal if modes.decimal == DecimalMode::String => ("string", None),
        MysqlType::Decimal => ("bytes", None),
        MysqlType::Bit if bits(table, column) == 1 => ("boolean", None),
        MysqlType::Bit => ("bytes", Some("io.debezium.data.Bits")),
        MysqlType::Year => ("int", Some("io.debezium.time.Year")),
        MysqlType::Date => ("int", Some("io.debezium.time.Date")),
        MysqlType::DateTime if column.fsp <= 3 => ("long", Some("io.debezium.time.Timestamp")),
        MysqlType::DateTime => ("long", Some("io.debezium.time.MicroTimestamp")),
        MysqlType::Timestamp => ("string", Some("io.debezium.time.ZonedTimestamp")),
        MysqlType::Time => ("long", Some("io.debezium.time.MicroTime")),
        MysqlType::Enum => ("string", Some("io.debezium.data.Enum")),
        MysqlType::Set => ("string", Some("io.debezium.data.EnumSet")),
        MysqlType::Json => ("string", Some("io.debezium.data.Json")),
        MysqlType::Vector => ("string", Some("io.debezium.data.TiDBVectorFloat32")),
        ty if ty.is_binary() => ("bytes", None),
        _ => ("string", None),
    }
}

fn column_type(table: &Table, column: &Column, modes: Modes) -> Value {
    let (avro, name) = kind(table, column, modes);
    let sign = if column.unsigned && column.ty.is_integer() { " UNSIGNED" } else { "" };
    let mut parameters = json!({ "tidb_type": column.ty.name().to_ascii_uppercase() + sign });
    match column.ty {
        MysqlType::Bit if avro == "bytes" => parameters["length"] = json!(bits(table, column).to_string()),
        MysqlType::Enum | MysqlType::Set => parameters["allowed"] = json!(column.members.join(",")),
        _ => {}
    }
    let mut ty = json!({ "type": avro, "connect.parameters": parameters });
    if let Some(name) = name {
        ty["connect.name"] = json!(name);
        ty["connect.version"] = json!(1);
    }
    if column.ty == MysqlType::Decimal && avro == "bytes" {
        let length = table.schema.columns.get(column.position).and_then(|c| c.length);
        ty["logicalType"] = json!("decimal");
        ty["precision"] = json!(length.unwrap_or(10));
        ty["scale"] = json!(scale(table, column));
    }
    ty
}

fn fields(table: &Table, key_only: bool, modes: Modes) -> Vec<Value> {
    let field = |column: &Column| {
        let ty = column_type(table, column, modes);
        json!({ "name": sanitized(&column.name), "type": ["null", ty], "default": null })
    };
    table.columns.iter().filter(|c| !key_only || c.handle).map(field).collect()
}

fn namespace(table: &Table, cluster: &str) -> String {
    format!("{}.{}", sanitized(cluster), sanitized(&table.schema.database))
}

/// The schema of a table's keys.
pub(crate) fn key(table: &Table, cluster: &str, modes: Modes) -> String {
    let name = format!("{}Key", sanitized(&table.schema.name));
    json!({ "type": "record", "name": name, "namespace": namespace(table, cluster), "fields": fields(table, true, modes) })
        .to_string()
}

/// The schema of a table's envelopes.
pub(crate) fn envelope(table: &Table, cluster: &str, modes: Modes) -> String {
    let name = sanitized(&table.schema.name);
    let row = json!({ "type": "record", "name": name, "fields": fields(table, false, modes) });
    let plain = |name: &str, ty: Value| json!({ "name": name, "type": ty });
    let open = |name: &str, ty: Value| json!({ "name": name, "type": ["null", ty], "default": null });
    let source = json!({ "type": "record", "name": "Source", "namespace": "io.debezium.connector.mysql", "fields": [
        plain("version", json!("string")),
        plain("connector", json!("string")),
        plain("name", json!("string")),
        plain("ts_ms", json!("long")),
        open("snapshot", json!("string")),
        plain("db", json!("string")),
        open("table", json!("string")),
        plain("server_id", json!("long")),
        open("gtid", json!("string")),
        plain("file", json!("string")),
        plain("pos", json!("long")),
        plain("row", json!("int")),
        open("thread", json!("long")),
        open("query", json!("string")),
        plain("commit_ts", json!("long")),
        plain("cluster_id", json!("string")),
    ] });
    json!({ "type": "record", "name": format!("{name}Envelope"), "namespace": namespace(table, cluster), "fields": [
        open("before", row),
        open("after", json!(name)),
        plain("source", source),
        plain("op", json!("string")),
        open("ts_ms", json!("long")),
    ] })
    .to_string()
}
