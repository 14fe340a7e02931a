//! Types as Java and canal name them.

use std::fmt::Write;
use tg_format_common::{Column, MysqlType};
use tgr1::Value;
use tidegate_sdk::Column as SchemaColumn;

const BIT: i32 = -7;
const TINYINT: i32 = -6;
const BIGINT: i32 = -5;
const CHAR: i32 = 1;
const DECIMAL: i32 = 3;
const INTEGER: i32 = 4;
const SMALLINT: i32 = 5;
const REAL: i32 = 7;
const DOUBLE: i32 = 8;
const VARCHAR: i32 = 12;
const DATE: i32 = 91;
const TIME: i32 = 92;
const TIMESTAMP: i32 = 93;
const BLOB: i32 = 2004;
const CLOB: i32 = 2005;

/// The number in `java.sql.Types` of a column.
pub(crate) const fn sql_type(ty: MysqlType) -> i32 {
    match ty {
        MysqlType::Bit | MysqlType::Set => BIT,
        MysqlType::TinyInt => TINYINT,
        MysqlType::SmallInt => SMALLINT,
        MysqlType::MediumInt | MysqlType::Int | MysqlType::Enum => INTEGER,
        MysqlType::BigInt => BIGINT,
        MysqlType::Float => REAL,
        MysqlType::Double => DOUBLE,
        MysqlType::Decimal => DECIMAL,
        MysqlType::Date => DATE,
        MysqlType::Time => TIME,
        MysqlType::DateTime | MysqlType::Timestamp => TIMESTAMP,
        MysqlType::Char => CHAR,
        MysqlType::VarChar | MysqlType::Year | MysqlType::Json | MysqlType::Vector | MysqlType::Null => VARCHAR,
        MysqlType::TinyText | MysqlType::Text | MysqlType::MediumText | MysqlType::LongText => CLOB,
        MysqlType::Binary
        | MysqlType::VarBinary
        | MysqlType::TinyBlob
        | MysqlType::Blob
        | MysqlType::MediumBlob
        | MysqlType::LongBlob => BLOB,
    }
}

/// Whether the number depends on the value.
pub(crate) const fn widens(column: &Column) -> bool {
    column.unsigned
        && matches!(column.ty, MysqlType::TinyInt | MysqlType::SmallInt | MysqlType::Int | MysqlType::BigInt)
}

/// The number for a value: unsigned values that Java's type of that size cannot hold have the next larger type.
pub(crate) const fn widened(ty: MysqlType, value: Value<'_>) -> i32 {
    let Value::UInt(value) = value else {
        return sql_type(ty);
    };
    match ty {
        MysqlType::TinyInt if value > i8::MAX as u64 => SMALLINT,
        MysqlType::SmallInt if value > i16::MAX as u64 => INTEGER,
        MysqlType::Int if value > i32::MAX as u64 => BIGINT,
        MysqlType::BigInt if value > i64::MAX as u64 => DECIMAL,
        _ => sql_type(ty),
    }
}

/// The name in `mysqlType`; with `full` also length, digits and members.
pub(crate) fn mysql_type(column: &Column, schema: &SchemaColumn, full: bool) -> String {
    let mut out = column.ty.name().to_owned();
    if full {
        particulars(&mut out, column, schema);
    }
    let is_number =
        column.ty.is_integer() || matches!(column.ty, MysqlType::Float | MysqlType::Double | MysqlType::Decimal);
    if is_number && column.unsigned {
        out.push_str(" unsigned");
    }
    if is_number && column.zerofill {
        out.push_str(" zerofill");
    }
    out
}

fn particulars(out: &mut String, column: &Column, schema: &SchemaColumn) {
    // Writing to a String cannot fail.
    let _ = match (column.ty, schema.length, schema.decimals.filter(|n| *n > 0)) {
        (MysqlType::Enum | MysqlType::Set, ..) => {
            let members: Vec<String> = column.members.iter().map(|m| format!("'{}'", m.replace('\'', "''"))).collect();
            write!(out, "({})", members.join(","))
        }
        (MysqlType::Decimal, Some(len), _) => write!(out, "({len},{})", schema.decimals.unwrap_or(0)),
        (MysqlType::Float | MysqlType::Double, Some(len), Some(digits)) => write!(out, "({len},{digits})"),
        (MysqlType::DateTime | MysqlType::Timestamp | MysqlType::Time, _, Some(digits)) => write!(out, "({digits})"),
        (MysqlType::Year, ..) => write!(out, "({})", schema.length.unwrap_or(4)),
        (
            MysqlType::Bit
            | MysqlType::Char
            | MysqlType::VarChar
            | MysqlType::Binary
            | MysqlType::VarBinary
            | MysqlType::Vector,
            Some(len),
            _,
        ) => write!(out, "({len})"),
        (ty, Some(len), _) if ty.is_integer() => write!(out, "({len})"),
        _ => Ok(()),
    };
}
