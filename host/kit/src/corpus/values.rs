//! Values: the ends of every type's range, and those in between.

use super::cell::{Cell, from_text};
use crate::rng::Rng;
use tg_model::{Column, TypeCode};
use tgr1::{Logical, PackedTime};

/// Texts that have broken somebody's quoting.
const TEXTS: &[&str] = &[
    "",
    " ",
    "plain",
    "it's \"quoted\" \\ and `ticked`",
    "line\nbreak\r\n\ttab",
    "nul\0inside",
    "%s {} ${x} <a>&amp;",
    "'; DROP TABLE t; --",
    "naïve – żółć – 漢字 – 👩‍👩‍👧",
    "\u{feff}bom and \u{202e}turned",
    "trailing \\",
];
/// JSON documents as TiDB prints them.
const DOCUMENTS: &[&str] = &[
    "null",
    "{}",
    "[]",
    "\"text\"",
    "18446744073709551615",
    "-0.5",
    r#"{"a": [1, 2, {"b": null}], "c": "it's \"x\" \\ \u0000"}"#,
    r#"[[[[[[[[1]]]]]]]]"#,
];

/// The ends of what a column can hold, each once. NULL is not among them.
pub(crate) fn ends(column: &Column) -> Vec<Cell> {
    let texts = |texts: &[&str]| texts.iter().filter_map(|t| from_text(column, t).ok()).collect::<Vec<_>>();
    match tg_mounter::logical(&column.ty) {
        Logical::Int => signed_ends(column.ty.code).map(Cell::Int).to_vec(),
        Logical::UInt => [0, 1, unsigned_max(column.ty.code)].map(Cell::Uint).to_vec(),
        Logical::Float32 => {
            [0.0, -0.0, 1.5, f32::MAX, f32::MIN_POSITIVE].map(|f: f32| Cell::Float(f64::from(f))).to_vec()
        }
        Logical::Float64 => [0.0, -0.0, 0.1, f64::MAX, f64::MIN_POSITIVE, 1e15].map(Cell::Float).to_vec(),
        Logical::Decimal => decimal_ends(column),
        Logical::Text => texts(TEXTS),
        Logical::Bytes => [&b""[..], b"\0", b"\xff\xfe\x00'\"\\"].map(|b| Cell::Bytes(b.to_vec())).to_vec(),
        Logical::Json => texts(DOCUMENTS),
        Logical::Date => texts(&["0000-00-00", "0001-01-01", "2024-00-31", "9999-12-31"]),
        Logical::DateTime => texts(&["0000-00-00 00:00:00", "1000-01-01 00:00:00", "9999-12-31 23:59:59.999999"]),
        Logical::Timestamp => texts(&["0000-00-00 00:00:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07.999999"]),
        Logical::Time => texts(&["00:00:00", "-838:59:59", "838:59:59", "00:00:00.000001"]),
        Logical::Year => [0, 1901, 2155].map(Cell::Int).to_vec(),
        Logical::Enum => [0, 1, column.ty.members.len() as u64].map(Cell::Uint).to_vec(),
        Logical::Set => [0, 1, mask(column.ty.members.len() as u32)].map(Cell::Uint).to_vec(),
        Logical::Bit => [0, 1, mask(column.ty.len.unwrap_or(1))].map(Cell::Uint).to_vec(),
        Logical::Vector => texts(&["[0,0,0]", "[1.5,-2,3e10]"]),
    }
}

/// Any value of a column that is not NULL. Texts are at most `long` bytes.
pub(crate) fn any(rng: &mut Rng, column: &Column, long: usize) -> Cell {
    if rng.permille(150) {
        let ends = ends(column);
        if let Some(cell) = rng.pick(&ends) {
            return cell.clone();
        }
    }
    match tg_mounter::logical(&column.ty) {
        Logical::Int => {
            let [low, _, high] = signed_ends(column.ty.code);
            Cell::Int((rng.next().cast_signed() >> rng.below(60)).clamp(low, high))
        }
        Logical::UInt => Cell::Uint((rng.next() >> rng.below(60)).min(unsigned_max(column.ty.code))),
        Logical::Float32 => Cell::Float(f64::from((rng.next() as i32) as f32 / 256.0)),
        Logical::Float64 => Cell::Float(rng.next().cast_signed() as f64 / 65536.0),
        Logical::Decimal => decimal_any(rng, column),
        Logical::Text => Cell::Bytes(words(rng, long).into_bytes()),
        Logical::Bytes => Cell::Bytes((0..rng.below(long.min(64))).map(|_| rng.next() as u8).collect()),
        Logical::Json => Cell::Bytes(format!(r#"{{"n": {}, "s": "{}"}}"#, rng.below(1000), rng.below(9)).into_bytes()),
        Logical::Date => Cell::Uint(date(rng, false).0),
        Logical::DateTime => Cell::Uint(date(rng, true).0),
        Logical::Timestamp => Cell::Uint(date(rng, true).0),
        Logical::Time => Cell::Int((rng.next() % 3_000_000).cast_signed() * 1_000_000 - 1_500_000_000_000),
        Logical::Year => Cell::Int(1901 + rng.below(255) as i64),
        Logical::Enum => Cell::Uint(1 + rng.below(column.ty.members.len()) as u64),
        Logical::Set => Cell::Uint(rng.next() & mask(column.ty.members.len() as u32)),
        Logical::Bit => Cell::Uint(rng.next() & mask(column.ty.len.unwrap_or(1))),
        Logical::Vector => {
            let numbers = (0..column.ty.len.unwrap_or(3)).map(|_| rng.below(1000) as f32 / 8.0);
            Cell::Bytes(numbers.flat_map(f32::to_le_bytes).collect())
        }
    }
}

/// Lower end, one, upper end.
const fn signed_ends(code: TypeCode) -> [i64; 3] {
    match code {
        TypeCode::TinyInt => [i8::MIN as i64, 1, i8::MAX as i64],
        TypeCode::SmallInt => [i16::MIN as i64, 1, i16::MAX as i64],
        TypeCode::MediumInt => [-(1 << 23), 1, (1 << 23) - 1],
        TypeCode::Int => [i32::MIN as i64, 1, i32::MAX as i64],
        _ => [i64::MIN, 1, i64::MAX],
    }
}

const fn unsigned_max(code: TypeCode) -> u64 {
    match code {
        TypeCode::TinyInt => u8::MAX as u64,
        TypeCode::SmallInt => u16::MAX as u64,
        TypeCode::MediumInt => (1 << 24) - 1,
        TypeCode::Int => u32::MAX as u64,
        _ => u64::MAX,
    }
}

const fn mask(bits: u32) -> u64 {
    match bits {
        0 => 0,
        1..64 => (1 << bits) - 1,
        _ => u64::MAX,
    }
}

fn decimal_text(whole: &str, fraction: &str) -> Vec<u8> {
    if fraction.is_empty() { whole.as_bytes().to_vec() } else { format!("{whole}.{fraction}").into_bytes() }
}

fn decimal_ends(column: &Column) -> Vec<Cell> {
    let decimals = column.ty.decimals.unwrap_or(0) as usize;
    let whole = "9".repeat((column.ty.len.unwrap_or(10) as usize).saturating_sub(decimals).max(1));
    let zero = decimal_text("0", &"0".repeat(decimals));
    let most = decimal_text(&whole, &"9".repeat(decimals));
    let least = [b"-", &most[..]].concat();
    [zero, most, least].map(Cell::Bytes).to_vec()
}

fn decimal_any(rng: &mut Rng, column: &Column) -> Cell {
    let decimals = column.ty.decimals.unwrap_or(0) as usize;
    let digits = (column.ty.len.unwrap_or(10) as usize).saturating_sub(decimals).clamp(1, 15);
    let whole = (rng.next() % 10_u64.pow(digits as u32)).to_string();
    let fraction: String = (0..decimals).map(|_| char::from(b'0' + rng.below(10) as u8)).collect();
    Cell::Bytes(decimal_text(&whole, &fraction))
}

fn words(rng: &mut Rng, long: usize) -> String {
    let len = if rng.permille(900) { rng.below(long.min(24) + 1) } else { rng.below(long + 1) };
    let letters = b"abcdefghijklmnopqrstuvwxyz ABCDEF'\\\"";
    (0..len).filter_map(|_| rng.pick(letters).copied().map(char::from)).collect()
}

fn date(rng: &mut Rng, with_time: bool) -> PackedTime {
    let (year, month, day) = (1970 + rng.below(60) as u16, 1 + rng.below(12) as u8, 1 + rng.below(28) as u8);
    let of_day = if with_time { (rng.below(24) as u8, rng.below(60) as u8, rng.below(60) as u8) } else { (0, 0, 0) };
    PackedTime::from_parts(year, month, day, of_day.0, of_day.1, of_day.2, 0).unwrap_or(PackedTime::ZERO)
}
