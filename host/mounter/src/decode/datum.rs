//! Datums: values that carry their type in a flag byte, in keys and in rows of format 1.

use super::int::{cmp_f64, cmp_i64, take, uvarint, varint};
use super::{Fault, be_u64, decimal_len, skip_bytes};

/// A decoded flag and what follows it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Datum<'a> {
    /// NULL.
    Null,
    /// Signed integer.
    Int(i64),
    /// Unsigned integer; also packed times, ENUM, SET, BIT.
    UInt(u64),
    /// Float or double.
    Float(f64),
    /// Bytes as they are.
    Bytes(&'a [u8]),
    /// Bytes in memory-comparable form; see [`super::decode_bytes`].
    KeyBytes(&'a [u8]),
    /// Precision, fraction digits, then the binary form.
    Decimal(&'a [u8]),
    /// Nanoseconds.
    Duration(i64),
    /// Type code, then the binary value.
    Json(&'a [u8]),
    /// Count, then the elements.
    Vector(&'a [u8]),
}

/// Cuts one datum off the front.
///
/// # Errors
/// When the flag is unknown or the bytes end too early.
pub fn read_datum<'a>(input: &mut &'a [u8]) -> Result<Datum<'a>, Fault> {
    let (flag, rest) = input.split_first().ok_or(Fault::SHORT)?;
    *input = rest;
    Ok(match flag {
        0 => Datum::Null,
        1 => Datum::KeyBytes(skip_bytes(input)?),
        2 => Datum::Bytes(compact_bytes(input)?),
        3 => Datum::Int(cmp_i64(input)?),
        4 => Datum::UInt(be_u64(input)?),
        5 => Datum::Float(cmp_f64(input)?),
        6 => Datum::Decimal(decimal(input)?),
        7 => Datum::Duration(cmp_i64(input)?),
        8 => Datum::Int(varint(input)?),
        9 => Datum::UInt(uvarint(input)?),
        10 => Datum::Json(json(input)?),
        20 => Datum::Vector(vector(input)?),
        _ => return Err(Fault("a value has an unknown flag")),
    })
}

fn compact_bytes<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let len = varint(input)?;
    take(input, usize::try_from(len).map_err(|_| Fault("a string has a negative length"))?)
}

fn decimal<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let [prec, frac, ..] = **input else {
        return Err(Fault::SHORT);
    };
    take(input, 2 + decimal_len(prec, frac)?)
}

fn vector<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let count = u32::from_le_bytes(*input.first_chunk().ok_or(Fault::SHORT)?);
    take(input, (count as usize).saturating_mul(4).saturating_add(4))
}

/// A JSON value does not carry its length at one place: it follows from the type.
fn json<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let (code, body) = input.split_first().ok_or(Fault::SHORT)?;
    let string = |body: &[u8]| {
        let mut rest = body;
        let len = uvarint(&mut rest)?;
        Ok((body.len() - rest.len()).saturating_add(usize::try_from(len).unwrap_or(usize::MAX)))
    };
    let len = match code {
        1 | 3 => u32::from_le_bytes(*body.get(4..).and_then(<[u8]>::first_chunk).ok_or(Fault::SHORT)?) as usize,
        4 => 1,
        9..=11 | 14..=16 => 8,
        12 => string(body)?,
        13 => string(body.get(1..).ok_or(Fault::SHORT)?)?.saturating_add(1),
        17 => 12,
        _ => return Err(Fault("a JSON value has an unknown type")),
    };
    take(input, len.saturating_add(1))
}
