//! Values as files hold them.

use crate::ZeroDates;
use crate::decimal;
use crate::kind::Kind;
use crate::values::Item;
use parquet::basic::Type as Physical;
use tg_format_common::{Column, calendar, value};
use tgr1::{Logical, PackedTime, Value};

/// A value as the file holds it; an error says why it cannot.
pub(crate) fn item<'a>(
    column: &Column,
    kind: &Kind,
    value: Value<'a>,
    dates: ZeroDates,
    scratch: &'a mut Vec<u8>,
) -> Result<Option<Item<'a>>, &'static str> {
    const OUT_OF_RANGE: &str = "the number is greater than its type allows";
    let wide = matches!(kind.physical, Physical::INT64);
    scratch.clear();
    Ok(Some(match (column.spec.logical, value) {
        (_, Value::Null) => return Ok(None),
        (Logical::Int | Logical::Year, Value::Int(v)) if wide => Item::I64(v),
        (Logical::Int | Logical::Year, Value::Int(v)) => Item::I32(i32::try_from(v).map_err(|_| OUT_OF_RANGE)?),
        (Logical::UInt | Logical::Bit, Value::UInt(v)) if wide => Item::I64(v.cast_signed()),
        (Logical::UInt, Value::UInt(v)) => Item::I32(u32::try_from(v).map_err(|_| OUT_OF_RANGE)?.cast_signed()),
        (Logical::Float32, Value::Float(v)) => Item::F32(v as f32),
        (Logical::Float64, Value::Float(v)) => Item::F64(v),
        (Logical::Time, Value::Int(micros)) => Item::I64(micros),
        (Logical::Date, Value::UInt(bits)) => {
            let days = calendar::days(PackedTime(bits)).and_then(|days| i32::try_from(days).ok());
            return dated(days.map(Item::I32), dates);
        }
        (Logical::DateTime | Logical::Timestamp, Value::UInt(bits)) => {
            return dated(calendar::micros(PackedTime(bits)).map(Item::I64), dates);
        }
        (Logical::Decimal, Value::Bytes(text)) => {
            return decimal_item(kind, text, scratch).map(Some);
        }
        (Logical::Bytes, Value::Bytes(bytes)) => Item::Bytes(bytes),
        (Logical::Vector, Value::Bytes(_)) => {
            value::plain(scratch, column, value);
            Item::Bytes(scratch)
        }
        (Logical::Enum, Value::UInt(number)) => {
            value::enum_name(scratch, column, number);
            Item::Bytes(scratch)
        }
        (Logical::Set, Value::UInt(bits)) => {
            value::set_names(scratch, column, bits);
            Item::Bytes(scratch)
        }
        // Readers refuse a whole file for one text that is none.
        (_, Value::Bytes(text)) if std::str::from_utf8(text).is_err() => {
            return Err("the text is not UTF-8");
        }
        (_, Value::Bytes(text)) => Item::Bytes(text),
        _ => return Err("the value is not of the column's type"),
    }))
}

fn dated(date: Option<Item<'_>>, zero: ZeroDates) -> Result<Option<Item<'_>>, &'static str> {
    if date.is_none() && zero == ZeroDates::Refuse {
        return Err(
            "the date is in no calendar, and the format has no other; `zero-dates=null` writes NULL where that is allowed",
        );
    }
    Ok(date)
}

fn decimal_item<'a>(kind: &Kind, text: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Item<'a>, &'static str> {
    const UNFIT: &str = "the number has more digits than its type";
    let Some(of) = kind.decimal else {
        return Ok(Item::Bytes(text));
    };
    let number = decimal::unscaled(text, of.digits, of.scale).ok_or(UNFIT)?;
    Ok(match kind.physical {
        Physical::INT32 => Item::I32(i32::try_from(number).map_err(|_| UNFIT)?),
        Physical::INT64 => Item::I64(i64::try_from(number).map_err(|_| UNFIT)?),
        _ => {
            decimal::put(scratch, number, kind.width);
            Item::Bytes(scratch)
        }
    })
}
