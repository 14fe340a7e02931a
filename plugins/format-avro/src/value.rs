//! Values as Avro writes them.

use crate::schema::{BigintUnsigned, DecimalMode, Modes, null_is_second, scale};
use crate::{bytes, decimal};
use tg_format_common::{Column, EncodeError, MysqlType, Table, value};
use tgr1::text::u64_text;
use tgr1::{Image, Logical, Value};

/// Appends a value, with its place in the union when it may be NULL.
pub(crate) fn write(
    out: &mut Vec<u8>,
    table: &Table,
    column: &Column,
    image: &Image<'_>,
    commit_ts: u64,
    modes: Modes,
    scratch: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let value = value::get(table, column, image, commit_ts)?;
    let fault =
        |reason| EncodeError::Value { table: table.full_name.clone(), column: column.name.clone(), commit_ts, reason };
    if column.nullable {
        let is_null = value == Value::Null;
        bytes::long(out, i64::from(is_null == null_is_second(table, column, modes)));
    }
    match (column.spec.logical, value) {
        (_, Value::Null) if column.nullable => {}
        (_, Value::Null) => return Err(fault("NULL in a column that is NOT NULL")),
        (Logical::Int | Logical::Year, Value::Int(value)) => bytes::long(out, value),
        (Logical::UInt, Value::UInt(value))
            if column.ty == MysqlType::BigInt && modes.bigint == BigintUnsigned::String =>
        {
            scratch.clear();
            u64_text(scratch, value);
            bytes::bytes(out, scratch);
        }
        (Logical::UInt, Value::UInt(value)) => bytes::long(out, value.cast_signed()),
        (Logical::Float32, Value::Float(value)) => out.extend_from_slice(&(value as f32).to_le_bytes()),
        (_, Value::Float(value)) => out.extend_from_slice(&value.to_le_bytes()),
        (Logical::Bit, Value::UInt(bits)) => {
            let width = table.schema.columns.get(column.position).and_then(|c| c.length).unwrap_or(1);
            let len = (width.div_ceil(8) as usize).clamp(1, 8);
            bytes::bytes(out, bits.to_be_bytes().get(8 - len..).unwrap_or_default());
        }
        (Logical::Decimal, Value::Bytes(text)) if modes.decimal == DecimalMode::Precise => {
            scratch.clear();
            if !decimal::write(scratch, text, scale(table, column)) {
                return Err(fault("not a decimal of the column's scale"));
            }
            bytes::bytes(out, scratch);
        }
        (logical, Value::Bytes(value)) if logical != Logical::Vector => bytes::bytes(out, value),
        (logical, value) => {
            scratch.clear();
            match (logical, value) {
                (Logical::Enum, Value::UInt(number)) => value::enum_name(scratch, column, number),
                (Logical::Set, Value::UInt(bits)) => value::set_names(scratch, column, bits),
                _ => value::plain(scratch, column, value),
            }
            bytes::bytes(out, scratch);
        }
    }
    Ok(())
}
