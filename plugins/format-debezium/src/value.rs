//! Values as Debezium writes them.

use crate::field;
use tg_format_common::json::{self, Escape};
use tg_format_common::number::{self, Float};
use tg_format_common::{Column, MysqlType, Table, calendar, value};
use tgr1::text::i64_text;
use tgr1::{Logical, PackedTime, Value};

/// What unsigned integers above the signed range are written as.
const OUT_OF_RANGE: i64 = -1;
/// The moment that stands for no date.
const EPOCH: &[u8] = b"\"1970-01-01T00:00:00Z\"";

/// Appends a value. `default`: what is written for NULL.
pub(crate) fn write(
    out: &mut Vec<u8>,
    table: &Table,
    column: &Column,
    value: Value<'_>,
    default: Option<&[u8]>,
    scratch: &mut Vec<u8>,
) {
    match (column.spec.logical, value) {
        (_, Value::Null) => out.extend_from_slice(default.unwrap_or(b"null")),
        (Logical::Int | Logical::Year | Logical::Time, Value::Int(value)) => i64_text(out, value),
        (Logical::UInt, Value::UInt(value)) => i64_text(out, i64::try_from(value).unwrap_or(OUT_OF_RANGE)),
        (_, Value::Float(float)) => number::json(out, value::float(column, float)),
        (Logical::Bit, Value::UInt(bits)) => bit(out, table, column, bits),
        (Logical::Date, Value::UInt(bits)) => instant(out, column, calendar::days(PackedTime(bits))),
        (Logical::DateTime, Value::UInt(bits)) => {
            let unit = if column.fsp <= 3 { 1000 } else { 1 };
            instant(out, column, calendar::micros(PackedTime(bits)).map(|micros| micros.div_euclid(unit)));
        }
        (Logical::Timestamp, Value::UInt(bits)) => zoned(out, column, PackedTime(bits)),
        (Logical::Enum | Logical::Set, Value::UInt(bits)) => {
            scratch.clear();
            match column.ty {
                MysqlType::Enum => value::enum_name(scratch, column, bits),
                _ => value::set_names(scratch, column, bits),
            }
            json::string(out, scratch, Escape::Least);
        }
        (Logical::Decimal, Value::Bytes(text)) => number::json(out, Float::Double(decimal(text))),
        (Logical::Bytes, Value::Bytes(bytes)) => json::base64(out, bytes),
        (Logical::Vector, Value::Bytes(_)) => {
            out.push(b'"');
            value::plain(out, column, value);
            out.push(b'"');
        }
        (_, Value::Bytes(text)) => json::string(out, text, Escape::Least),
        // No other slot goes with the rest.
        _ => out.extend_from_slice(b"null"),
    }
}

fn decimal(text: &[u8]) -> f64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

fn bit(out: &mut Vec<u8>, table: &Table, column: &Column, bits: u64) {
    if field::is_truth(table, column) {
        out.extend_from_slice(if bits == 0 { b"false" } else { b"true" });
        return;
    }
    let len = (field::bits(table, column).div_ceil(8) as usize).min(8);
    json::base64(out, bits.to_le_bytes().get(..len).unwrap_or_default());
}

/// A number, or what stands for a date that no calendar has.
fn instant(out: &mut Vec<u8>, column: &Column, value: Option<i64>) {
    match value {
        Some(value) => i64_text(out, value),
        None if column.nullable => out.extend_from_slice(b"null"),
        None => out.push(b'0'),
    }
}

fn zoned(out: &mut Vec<u8>, column: &Column, time: PackedTime) {
    if calendar::days(time).is_none() {
        out.extend_from_slice(EPOCH);
        return;
    }
    out.push(b'"');
    let at = out.len();
    time.datetime_text(out, column.fsp);
    if let Some(space) = out.get_mut(at..).and_then(|text| text.iter_mut().find(|b| **b == b' ')) {
        *space = b'T';
    }
    out.extend_from_slice(b"Z\"");
}

/// A column's default as its values are written; `None`: it has none, or it is an expression.
pub(crate) fn default(table: &Table, column: &Column) -> Option<Vec<u8>> {
    let schema = table.schema.columns.get(column.position)?;
    if schema.attrs.iter().any(|(name, value)| name == "default-is-expr" && value == "true") {
        return None;
    }
    let bytes = schema.default_value.as_deref()?;
    let text = std::str::from_utf8(bytes).ok();
    let mut out = Vec::new();
    let mut scratch = Vec::new();
    let value = match column.spec.logical {
        Logical::Int | Logical::Year => Value::Int(text?.parse().ok()?),
        Logical::UInt => Value::UInt(text?.parse().ok()?),
        Logical::Float32 | Logical::Float64 => Value::Float(text?.parse().ok()?),
        Logical::Date | Logical::DateTime | Logical::Timestamp => Value::UInt(parse_time(text?)?.0),
        Logical::Bit => {
            let low = bytes.get(bytes.len().saturating_sub(8)..)?;
            let mut word = [0; 8];
            word.get_mut(8 - low.len()..)?.copy_from_slice(low);
            Value::UInt(u64::from_be_bytes(word))
        }
        Logical::Time => Value::Int(parse_clock(text?)?),
        Logical::Enum | Logical::Set => {
            // Names are written as they are.
            json::string(&mut out, bytes, Escape::Least);
            return Some(out);
        }
        Logical::Vector => return None,
        Logical::Decimal | Logical::Text | Logical::Bytes | Logical::Json => Value::Bytes(bytes),
    };
    write(&mut out, table, column, value, None, &mut scratch);
    Some(out)
}

/// `2020-01-01 00:00:00.5` or a part of it.
fn parse_time(text: &str) -> Option<PackedTime> {
    let (date, clock) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let mut date = date.splitn(3, '-');
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut clock = clock.splitn(3, ':');
    let micro: u32 = if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").get(..6)?.parse().ok()? };
    let small = |list: &mut std::str::SplitN<'_, char>| list.next().and_then(|part| part.parse::<u8>().ok());
    let year = date.next()?.parse().ok()?;
    let (month, day) = (small(&mut date)?, small(&mut date)?);
    PackedTime::from_parts(year, month, day, small(&mut clock)?, small(&mut clock)?, small(&mut clock)?, micro)
}

/// Microseconds of `-12:34:56.5`.
fn parse_clock(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let micros: i64 = if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").get(..6)?.parse().ok()? };
    let mut seconds = 0_i64;
    for part in clock.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse::<u32>().ok()?.into())?;
    }
    Some(sign * (seconds.checked_mul(1_000_000)?.checked_add(micros)?))
}

#[cfg(test)]
mod tests {
    use super::{parse_clock, parse_time};

    #[test]
    fn defaults_of_times() {
        assert_eq!(parse_time("2020-01-02 03:04:05.5").unwrap().to_string(), "2020-01-02 03:04:05.500000");
        assert_eq!(parse_time("2020-01-02").unwrap().to_string(), "2020-01-02 00:00:00");
        assert_eq!((parse_time("CURRENT_TIMESTAMP"), parse_time("2020-13-01")), (None, None));
        assert_eq!(parse_clock("-12:34:56.5"), Some(-45_296_500_000));
        assert_eq!((parse_clock("x"), parse_clock("1:2:3")), (None, Some(3_723_000_000)));
    }
}
