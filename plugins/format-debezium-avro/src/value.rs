//! Values as Debezium's Avro has them.

use crate::schema::{self, Modes};
use tg_format_avro::bytes::{bytes, long};
use tg_format_avro::{BigintUnsigned, DecimalMode, decimal};
use tg_format_common::{Column, EncodeError, MysqlType, Table, calendar, value};
use tgr1::text::u64_text;
use tgr1::{Image, Logical, PackedTime, Value};

/// The moment that stands for no date.
const EPOCH: &[u8] = b"1970-01-01T00:00:00Z";

/// Appends a value: its place in the union, then itself.
pub(crate) fn write(
    out: &mut Vec<u8>,
    table: &Table,
    column: &Column,
    image: &Image<'_>,
    commit_ts: u64,
    modes: Modes,
    scratch: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let fault =
        |reason| EncodeError::Value { table: table.full_name.clone(), column: column.name.clone(), commit_ts, reason };
    let value = value::get(table, column, image, commit_ts)?;
    let instant = match (column.spec.logical, value) {
        (Logical::Date, Value::UInt(bits)) => Some(calendar::days(PackedTime(bits))),
        (Logical::DateTime, Value::UInt(bits)) => {
            let unit = if column.fsp <= 3 { 1000 } else { 1 };
            Some(calendar::micros(PackedTime(bits)).map(|micros| micros.div_euclid(unit)))
        }
        _ => None,
    };
    // A date that no calendar has is no value.
    if value == Value::Null || instant == Some(None) && column.nullable {
        long(out, 0);
        return Ok(());
    }
    long(out, 1);
    scratch.clear();
    match (column.spec.logical, value) {
        _ if instant.is_some() => long(out, instant.flatten().unwrap_or(0)),
        (Logical::Int | Logical::Year | Logical::Time, Value::Int(value)) => long(out, value),
        (Logical::UInt, Value::UInt(value)) if column.ty == MysqlType::BigInt => match modes.bigint {
            BigintUnsigned::Long => {
                long(
                    out,
                    i64::try_from(value)
                        .map_err(|_| fault("larger than a long; set avro-bigint-unsigned-handling-mode = string"))?,
                );
            }
            BigintUnsigned::String => {
                u64_text(scratch, value);
                bytes(out, scratch);
            }
        },
        (Logical::UInt, Value::UInt(value)) => long(out, value.cast_signed()),
        (Logical::Float32, Value::Float(value)) => out.extend_from_slice(&(value as f32).to_le_bytes()),
        (_, Value::Float(value)) => out.extend_from_slice(&value.to_le_bytes()),
        (Logical::Bit, Value::UInt(bits)) if schema::bits(table, column) == 1 => out.push(u8::from(bits != 0)),
        (Logical::Bit, Value::UInt(bits)) => {
            let len = (schema::bits(table, column).div_ceil(8) as usize).min(8);
            bytes(out, bits.to_le_bytes().get(..len).unwrap_or_default());
        }
        (Logical::Decimal, Value::Bytes(text)) if modes.decimal == DecimalMode::Precise => {
            if !decimal::write(scratch, text, schema::scale(table, column)) {
                return Err(fault("not a decimal of the column's scale"));
            }
            bytes(out, scratch);
        }
        (Logical::Timestamp, Value::UInt(bits)) => {
            let time = PackedTime(bits);
            if calendar::days(time).is_none() {
                bytes(out, EPOCH);
                return Ok(());
            }
            time.datetime_text(scratch, column.fsp);
            scratch.iter_mut().filter(|b| **b == b' ').for_each(|b| *b = b'T');
            scratch.push(b'Z');
            bytes(out, scratch);
        }
        (logical, Value::Bytes(value)) if logical != Logical::Vector => bytes(out, value),
        (logical, value) => {
            match (logical, value) {
                (Logical::Enum, Value::UInt(number)) => value::enum_name(scratch, column, number),
                (Logical::Set, Value::UInt(bits)) => value::set_names(scratch, column, bits),
                _ => value::plain(scratch, column, value),
            }
            bytes(out, scratch);
        }
    }
    Ok(())
}
