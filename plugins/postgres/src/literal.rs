//! Values as SQL literals, for a session with `standard_conforming_strings` on, in UTC.

use crate::bad::exists;
use crate::config::BitType;
use crate::ident::quoted;
use crate::pgtype::bit_length;
use std::io::Write;
use std::rc::Rc;
use tg_sql_common::{in_quotes, is_plain_number};
use tgr1::{FormatError, Image, PackedTime, text};
use tidegate_sdk::{Column, LogicalType};

/// How the values of a column are spelled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Literal {
    Int,
    Uint,
    /// FLOAT and DOUBLE alike: an f32 that was widened names itself among the f32.
    Float,
    Decimal,
    Text,
    Json,
    Bytes,
    Date,
    Datetime,
    Timestamp,
    Time,
    Vector,
    /// ENUM: the members in quotes.
    Member(Rc<[String]>),
    /// SET: the members without.
    Members(Rc<[String]>),
    /// BIT as digits, so many.
    Bits(u32),
}

impl Literal {
    pub(crate) fn of(column: &Column, bits: BitType) -> Self {
        match column.logical {
            LogicalType::Int | LogicalType::Year => Self::Int,
            LogicalType::Uint => Self::Uint,
            LogicalType::Bit if bits == BitType::Bit => Self::Bits(bit_length(column)),
            LogicalType::Bit => Self::Uint,
            LogicalType::Float32 | LogicalType::Float64 => Self::Float,
            LogicalType::Decimal => Self::Decimal,
            LogicalType::Text => Self::Text,
            LogicalType::Json => Self::Json,
            LogicalType::Bytes => Self::Bytes,
            LogicalType::Date => Self::Date,
            LogicalType::Datetime => Self::Datetime,
            LogicalType::Timestamp => Self::Timestamp,
            LogicalType::Time => Self::Time,
            LogicalType::Vector => Self::Vector,
            LogicalType::Enumeration => Self::Member(column.members.iter().map(|m| quoted(m)).collect()),
            LogicalType::Set => Self::Members(column.members.iter().cloned().collect()),
        }
    }

    /// Whether the slot refers to bytes elsewhere in the row.
    pub(crate) const fn is_string(&self) -> bool {
        matches!(self, Self::Decimal | Self::Text | Self::Json | Self::Bytes | Self::Vector)
    }
}

/// Appends the value of a column. Dates that do not exist become NULL: a row that must not hold that was put aside before.
pub(crate) fn push_value(
    out: &mut Vec<u8>,
    image: &Image<'_>,
    col: usize,
    literal: &Literal,
) -> Result<(), FormatError> {
    let Some(raw) = image.u64(col) else {
        out.extend_from_slice(b"NULL");
        return Ok(());
    };
    if literal.is_string() {
        push_string(out, image.bytes(col).ok_or(FormatError::Bounds("string"))?, literal);
        return Ok(());
    }
    match literal {
        Literal::Int => text::i64_text(out, raw.cast_signed()),
        Literal::Uint => text::u64_text(out, raw),
        // In quotes, so that the server reads the very type of the column and rounds once. Writing to a Vec cannot fail.
        Literal::Float => in_quotes(out, |out| drop(write!(out, "{:e}", f64::from_bits(raw)))),
        Literal::Date | Literal::Datetime | Literal::Timestamp => push_time(out, PackedTime(raw), literal),
        Literal::Member(members) => {
            // 0 is what a value became that is no member.
            let member = (raw as usize).checked_sub(1).and_then(|i| members.get(i));
            out.extend_from_slice(member.map_or("''", String::as_str).as_bytes());
        }
        Literal::Members(members) => {
            let chosen = members.iter().enumerate().filter(|(i, _)| raw >> (i & 63) & 1 == 1);
            let chosen: Vec<&str> = chosen.map(|(_, m)| m.as_str()).collect();
            out.extend_from_slice(quoted(&chosen.join(",")).as_bytes());
        }
        Literal::Bits(length) => {
            let _ = write!(out, "B'{raw:0width$b}'", width = *length as usize);
        }
        _ => {
            let micros = raw.cast_signed();
            in_quotes(out, |out| text::time_text(out, micros, if micros % 1_000_000 == 0 { 0 } else { 6 }));
        }
    }
    Ok(())
}

fn push_time(out: &mut Vec<u8>, time: PackedTime, literal: &Literal) {
    if !exists(time) {
        out.extend_from_slice(b"NULL");
        return;
    }
    in_quotes(out, |out| {
        if *literal == Literal::Date {
            time.date_text(out);
            return;
        }
        time.datetime_text(out, if time.micro() == 0 { 0 } else { 6 });
        if *literal == Literal::Timestamp {
            out.extend_from_slice(b"+00");
        }
    });
}

fn push_string(out: &mut Vec<u8>, bytes: &[u8], literal: &Literal) {
    match literal {
        Literal::Decimal if is_plain_number(bytes) => out.extend_from_slice(bytes),
        Literal::Vector => in_quotes(out, |out| {
            let at = out.len();
            text::vector_text(out, bytes);
            for (place, brace) in [(at, b'{'), (out.len().saturating_sub(1), b'}')] {
                if let Some(bracket) = out.get_mut(place) {
                    *bracket = brace;
                }
            }
        }),
        Literal::Bytes => {
            out.extend_from_slice(b"'\\x");
            push_hex(out, bytes);
            out.push(b'\'');
        }
        _ => in_quotes(out, |out| crate::ident::push_escaped(out, bytes)),
    }
}

fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |n: u8| if n < 10 { b'0' + n } else { b'a' + n - 10 };
    out.reserve(bytes.len() * 2);
    for b in bytes {
        out.extend_from_slice(&[digit(b >> 4), digit(b & 15)]);
    }
}
