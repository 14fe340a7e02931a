//! Values of rows, and how a person writes them.

use tg_model::Column;
use tgr1::{Logical, PackedTime, text};

/// A value by its slot in a batch.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// NULL.
    Null,
    /// A signed slot.
    Int(i64),
    /// An unsigned slot; packed times, ENUM and SET numbers too.
    Uint(u64),
    /// A double.
    Float(f64),
    /// Text, decimals, JSON, bytes, vectors.
    Bytes(Vec<u8>),
}

/// The value as text; `None`: NULL. Bytes are in hex behind `0x`, members by name, numbers of more than 53 bits exact.
pub(crate) fn to_text(column: &Column, cell: &Cell) -> Option<String> {
    let logical = tg_mounter::logical(&column.ty);
    let fsp = column.ty.decimals.unwrap_or(0).min(6) as u8;
    let mut out = Vec::new();
    match cell {
        Cell::Null => return None,
        Cell::Int(n) if logical == Logical::Time => text::time_text(&mut out, *n, fsp),
        Cell::Int(n) => text::i64_text(&mut out, *n),
        Cell::Float(n) if logical == Logical::Float32 => text::f32_text(&mut out, *n as f32),
        Cell::Float(n) => text::f64_text(&mut out, *n),
        Cell::Bytes(b) if logical == Logical::Vector => text::vector_text(&mut out, b),
        Cell::Bytes(b) if logical == Logical::Bytes => return Some(format!("0x{}", hex(b))),
        Cell::Bytes(b) => out.extend_from_slice(b),
        Cell::Uint(n) => match logical {
            Logical::Date => PackedTime(*n).date_text(&mut out),
            Logical::DateTime | Logical::Timestamp => PackedTime(*n).datetime_text(&mut out, fsp),
            Logical::Enum => return Some(member(column, *n)),
            Logical::Set => return Some(members(column, *n)),
            _ => text::u64_text(&mut out, *n),
        },
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn member(column: &Column, n: u64) -> String {
    let at = usize::try_from(n).ok().and_then(|n| n.checked_sub(1));
    at.and_then(|at| column.ty.members.get(at)).cloned().unwrap_or_default()
}

fn members(column: &Column, bits: u64) -> String {
    let named = column.ty.members.iter().take(64).enumerate();
    named.filter(|(i, _)| bits >> i & 1 != 0).map(|(_, m)| m.as_str()).collect::<Vec<_>>().join(",")
}

/// The value that is written so; the error says what would be understood.
pub(crate) fn from_text(column: &Column, text: &str) -> Result<Cell, String> {
    let logical = tg_mounter::logical(&column.ty);
    let wanted = |what: &str| format!("`{text}` is no {what}");
    Ok(match logical {
        Logical::Int | Logical::Year => Cell::Int(text.parse().map_err(|_| wanted("integer"))?),
        Logical::UInt | Logical::Bit => Cell::Uint(text.parse().map_err(|_| wanted("unsigned integer"))?),
        Logical::Float32 => Cell::Float(f64::from(text.parse::<f32>().map_err(|_| wanted("number"))?)),
        Logical::Float64 => Cell::Float(text.parse().map_err(|_| wanted("number"))?),
        Logical::Decimal => decimal(text, column.ty.decimals.unwrap_or(0)).ok_or_else(|| wanted("decimal number"))?,
        Logical::Text | Logical::Json => Cell::Bytes(text.as_bytes().to_vec()),
        Logical::Bytes => match text.strip_prefix("0x") {
            Some(digits) => Cell::Bytes(unhex(digits).ok_or_else(|| wanted("hex number"))?),
            None => Cell::Bytes(text.as_bytes().to_vec()),
        },
        Logical::Date | Logical::DateTime | Logical::Timestamp => {
            Cell::Uint(packed(text).ok_or_else(|| wanted("date like 2024-02-29 or time like 2024-02-29 12:30:00.5"))?)
        }
        Logical::Time => Cell::Int(duration(text).ok_or_else(|| wanted("time like -12:30:00.5"))?),
        Logical::Enum if text.is_empty() => Cell::Uint(0),
        Logical::Enum => Cell::Uint(number_of(column, text).ok_or_else(|| wanted("member"))?),
        Logical::Set => set(column, text).ok_or_else(|| wanted("list of members"))?,
        Logical::Vector => vector(text).ok_or_else(|| wanted("vector like [1,2.5]"))?,
    })
}

fn number_of(column: &Column, name: &str) -> Option<u64> {
    column.ty.members.iter().position(|m| m == name).map(|i| i as u64 + 1)
}

fn set(column: &Column, text: &str) -> Option<Cell> {
    let names = text.split(',').filter(|n| !n.is_empty());
    let bits: Option<Vec<u64>> = names.map(|n| number_of(column, n).map(|n| 1 << (n - 1))).collect();
    Some(Cell::Uint(bits?.into_iter().fold(0, |all, bit| all | bit)))
}

/// With exactly as many fraction digits as the column has.
fn decimal(text: &str, decimals: u32) -> Option<Cell> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let fits = !whole.is_empty() && plain(whole) && plain(fraction) && fraction.len() <= decimals as usize;
    if !fits {
        return None;
    }
    let mut out = text.to_owned();
    if decimals > 0 {
        if fraction.is_empty() && !out.contains('.') {
            out.push('.');
        }
        out.extend(std::iter::repeat_n('0', decimals as usize - fraction.len()));
    }
    Some(Cell::Bytes(out.into_bytes()))
}

/// Micros of `.5`, `.000001`; 0 for nothing.
fn micros(fraction: &str) -> Option<u32> {
    if fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<6}").parse().ok()
}

fn clock(text: &str) -> Option<(u32, u8, u8, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let (hour, minute, second) =
        (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (parts.next().is_none() && minute < 60 && second < 60).then(|| Some((hour, minute, second, micros(fraction)?)))?
}

fn packed(text: &str) -> Option<u64> {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (hour, minute, second, micro) = clock(time)?;
    let hour = u8::try_from(hour).ok()?;
    PackedTime::from_parts(year, month, day, hour, minute, second, micro)
        .filter(|_| parts.next().is_none())
        .map(|t| t.0)
}

fn duration(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (hour, minute, second, micro) = clock(text)?;
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Some(sign * (seconds * 1_000_000 + i64::from(micro)))
}

fn vector(text: &str) -> Option<Cell> {
    let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    let parts = inner.split(',').map(str::trim).filter(|p| !p.is_empty());
    let numbers: Option<Vec<f32>> = parts.map(|p| p.parse().ok()).collect();
    Some(Cell::Bytes(numbers?.into_iter().flat_map(f32::to_le_bytes).collect()))
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('?');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// Bytes of hex digits; `None` when they are none.
pub(crate) fn unhex(digits: &str) -> Option<Vec<u8>> {
    let value = |c: &u8| char::from(*c).to_digit(16).map(|n| n as u8);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(value(high)? << 4 | value(low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Cell, from_text, to_text};
    use crate::corpus::TableDef;

    #[test]
    fn values_come_back_as_they_were_written() {
        for (ty, text) in [
            ("bigint", "-9223372036854775808"),
            ("bigint unsigned", "18446744073709551615"),
            ("float", "0.1"),
            ("double", "0.1"),
            ("decimal(65,30)", "-99999999999999999999999999999999999.999999999999999999999999999999"),
            ("text", "naïve 'quoted' \\ text"),
            ("varbinary(8)", "0x00ff41"),
            ("json", r#"{"a": 1}"#),
            ("date", "0000-00-00"),
            ("datetime(6)", "2024-02-29 23:59:59.000001"),
            ("timestamp", "1970-01-01 00:00:01"),
            ("time(3)", "-838:59:59.000"),
            ("year", "2155"),
            ("enum('a','b c')", "b c"),
            ("set('x','y','z')", "x,z"),
            ("bit(64)", "18446744073709551615"),
            ("vector(2)", "[1,-2.5]"),
        ] {
            let table = TableDef::new("d", "t", &[&format!("c {ty}")]).version(1, 1).unwrap();
            let column = &table.columns[0];
            let cell = from_text(column, text).unwrap();
            assert_eq!(to_text(column, &cell).as_deref(), Some(text), "{ty}");
            assert_eq!(to_text(column, &Cell::Null), None);
        }
    }

    #[test]
    fn decimals_get_the_columns_digits_and_nonsense_is_refused() {
        let table = TableDef::new("d", "t", &["c decimal(10,2)", "d date", "e enum('a')"]).version(1, 1).unwrap();
        assert_eq!(from_text(&table.columns[0], "7").unwrap(), Cell::Bytes(b"7.00".to_vec()));
        for (i, text) in [(0, "1.234"), (0, "x"), (1, "yesterday"), (1, "2024-13-01"), (2, "b")] {
            assert!(from_text(&table.columns[i], text).is_err(), "{text}");
        }
    }
}
