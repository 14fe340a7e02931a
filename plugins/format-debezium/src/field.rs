//! A column as Kafka Connect describes it.

use crate::value;
use std::io::Write;
use tg_format_common::json::{self, Escape};
use tg_format_common::{Column, MysqlType, Table};

/// Type, semantic name and whether the name has a version.
struct Kind {
    ty: &'static str,
    name: Option<&'static str>,
    versioned: bool,
}

const fn plain(ty: &'static str) -> Kind {
    Kind { ty, name: None, versioned: false }
}

const fn named(ty: &'static str, name: &'static str) -> Kind {
    Kind { ty, name: Some(name), versioned: true }
}

/// Whether a BIT column is one bit wide, and so a truth value.
pub(crate) fn is_truth(table: &Table, column: &Column) -> bool {
    column.ty == MysqlType::Bit && bits(table, column) == 1
}

/// Width of a BIT column.
pub(crate) fn bits(table: &Table, column: &Column) -> u32 {
    table.schema.columns.get(column.position).and_then(|c| c.length).unwrap_or(1)
}

fn kind(table: &Table, column: &Column) -> Kind {
    let schema = table.schema.columns.get(column.position);
    match column.ty {
        MysqlType::TinyInt => plain("int16"),
        MysqlType::SmallInt => plain(if column.unsigned { "int32" } else { "int16" }),
        MysqlType::MediumInt => plain("int32"),
        MysqlType::Int => plain(if column.unsigned { "int64" } else { "int32" }),
        MysqlType::BigInt => plain("int64"),
        MysqlType::Float if schema.is_some_and(|c| c.decimals.is_some()) => plain("double"),
        MysqlType::Float => plain("float"),
        MysqlType::Double | MysqlType::Decimal => plain("double"),
        MysqlType::Bit if is_truth(table, column) => plain("boolean"),
        MysqlType::Bit => named("bytes", "io.debezium.data.Bits"),
        MysqlType::Year => named("int32", "io.debezium.time.Year"),
        MysqlType::Date => named("int32", "io.debezium.time.Date"),
        MysqlType::DateTime if column.fsp <= 3 => named("int64", "io.debezium.time.Timestamp"),
        MysqlType::DateTime => named("int64", "io.debezium.time.MicroTimestamp"),
        MysqlType::Timestamp => named("string", "io.debezium.time.ZonedTimestamp"),
        MysqlType::Time => named("int64", "io.debezium.time.MicroTime"),
        MysqlType::Enum => named("string", "io.debezium.data.Enum"),
        MysqlType::Set => named("string", "io.debezium.data.EnumSet"),
        MysqlType::Json => named("string", "io.debezium.data.Json"),
        MysqlType::Vector => Kind { ty: "string", name: Some("io.debezium.data.TiDBVectorFloat32"), versioned: false },
        _ => plain("string"),
    }
}

/// Appends the description of a column. `tidb_type`: with the type it has in TiDB.
pub(crate) fn describe(out: &mut Vec<u8>, table: &Table, column: &Column, tidb_type: bool) {
    let kind = kind(table, column);
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{{\"type\":\"{}\",\"optional\":{}", kind.ty, column.nullable);
    if let Some(name) = kind.name {
        let _ = write!(out, ",\"name\":\"{name}\"");
    }
    if kind.versioned {
        out.extend_from_slice(b",\"version\":1");
    }
    match column.ty {
        MysqlType::Bit if !is_truth(table, column) => {
            let _ = write!(out, ",\"parameters\":{{\"length\":\"{}\"}}", bits(table, column));
        }
        MysqlType::Enum | MysqlType::Set => {
            out.extend_from_slice(b",\"parameters\":{\"allowed\":");
            json::string(out, column.members.join(",").as_bytes(), Escape::Least);
            out.push(b'}');
        }
        _ => {}
    }
    if tidb_type {
        out.extend_from_slice(b",\"tidb_type\":");
        json::string(out, spelling(column).as_bytes(), Escape::Least);
    }
    out.extend_from_slice(b",\"field\":");
    json::string(out, column.name.as_bytes(), Escape::Least);
    if let Some(default) = value::default(table, column) {
        out.extend_from_slice(b",\"default\":");
        out.extend_from_slice(&default);
    }
    out.push(b'}');
}

/// A column's type in upper case.
pub(crate) fn spelling(column: &Column) -> String {
    let name = if column.ty == MysqlType::Null { "unspecified" } else { column.ty.name() };
    let sign = if column.ty.is_integer() && column.unsigned { " UNSIGNED" } else { "" };
    name.to_ascii_uppercase() + sign
}
