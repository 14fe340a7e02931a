//! What both encodings make of a type.

use tg_format_common::{Datum, DecodeError, MysqlType, SchemaColumn, json, read};

/// A value that was written as text, by its column.
pub(crate) fn from_text(column: &SchemaColumn, text: &str) -> Result<Datum, DecodeError> {
    if column.ty.is_binary() {
        let fault = || DecodeError::Value { column: column.name.clone(), expected: "base64 text" };
        return json::from_base64(text).map(Datum::Bytes).ok_or_else(fault);
    }
    read::plain(&column.name, column.ty, column.unsigned, text)
}

/// A value that was written as an integer; bits are kept.
pub(crate) fn from_int(column: &SchemaColumn, value: i64) -> Result<Datum, DecodeError> {
    match column.ty {
        MysqlType::Year => Ok(Datum::Int(value)),
        MysqlType::Bit | MysqlType::Enum | MysqlType::Set => Ok(Datum::UInt(value.cast_unsigned())),
        ty if ty.is_integer() && column.unsigned => Ok(Datum::UInt(value.cast_unsigned())),
        ty if ty.is_integer() => Ok(Datum::Int(value)),
        ty => Err(DecodeError::Value { column: column.name.clone(), expected: ty.name() }),
    }
}
