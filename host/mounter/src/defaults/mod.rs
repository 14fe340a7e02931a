//! What a column holds in rows written before it was added: the default frozen at that moment, worked out once a table version.

mod parse;

use crate::decode::Fault;
use crate::value::Kind;
use crate::zone::TimestampZone;
use parse::{date_time, decimal, duration_micros, vector};
use tg_model::{Column, TypeCode};

/// From this version of a column's meta data on, the origin default of a TIMESTAMP is in UTC.
const UTC_SINCE_META_VERSION: u8 = 1;

const UNFIT: Fault = Fault("its origin default does not fit its type");

/// A value ready to be put.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Absent {
    Null,
    Int(i64),
    UInt(u64),
    Float(f64),
    Bytes(Vec<u8>),
}

/// The value of a column that a row leaves out: its origin default, else NULL, else the type's zero value.
pub(crate) fn absent_value(column: &Column, zone: &TimestampZone) -> Result<Absent, Fault> {
    match &column.origin_default {
        Some(text) => from_text(column, text, zone),
        None if column.flags.nullable => Ok(Absent::Null),
        None => Ok(zero_value(column)),
    }
}

fn zero_value(column: &Column) -> Absent {
    match Kind::of(&column.ty) {
        Kind::Int | Kind::Duration => Absent::Int(0),
        // Without a default, MySQL fills a NOT NULL ENUM with its first member.
        Kind::UInt if column.ty.code == TypeCode::Enum => Absent::UInt(1),
        Kind::UInt | Kind::Packed | Kind::Timestamp => Absent::UInt(0),
        Kind::Float => Absent::Float(0.0),
        Kind::Decimal => decimal(b"0", column.ty.decimals.unwrap_or(0)).map_or(Absent::Null, Absent::Bytes),
        Kind::Bytes => Absent::Bytes(padded(column, Vec::new())),
        Kind::Json => Absent::Bytes(b"null".to_vec()),
        Kind::Vector => Absent::Bytes(Vec::new()),
    }
}

fn from_text(column: &Column, bytes: &[u8], zone: &TimestampZone) -> Result<Absent, Fault> {
    let kind = Kind::of(&column.ty);
    if kind == Kind::Bytes {
        return Ok(Absent::Bytes(padded(column, bytes.to_vec())));
    }
    if column.ty.code == TypeCode::Bit {
        return bit(bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| UNFIT)?.trim();
    Ok(match kind {
        Kind::UInt if matches!(column.ty.code, TypeCode::Enum | TypeCode::Set) => Absent::UInt(members(column, text)?),
        Kind::Int => Absent::Int(text.parse().ok().or_else(|| whole(text).map(|v| v as i64)).ok_or(UNFIT)?),
        Kind::UInt => Absent::UInt(text.parse().ok().or_else(|| whole(text).map(|v| v as u64)).ok_or(UNFIT)?),
        Kind::Float if column.ty.code == TypeCode::Float => {
            Absent::Float(text.parse::<f32>().map_err(|_| UNFIT)?.into())
        }
        Kind::Float => Absent::Float(text.parse().map_err(|_| UNFIT)?),
        Kind::Decimal => Absent::Bytes(decimal(text.as_bytes(), column.ty.decimals.unwrap_or(0)).ok_or(UNFIT)?),
        Kind::Packed => Absent::UInt(date_time(text).ok_or(UNFIT)?),
        Kind::Timestamp => Absent::UInt(timestamp(column, text, zone)?),
        Kind::Duration => Absent::Int(duration_micros(text).ok_or(UNFIT)?),
        Kind::Json | Kind::Bytes => Absent::Bytes(text.as_bytes().to_vec()),
        Kind::Vector => Absent::Bytes(vector(text).ok_or(UNFIT)?),
    })
}

/// BINARY(n) is padded with zero bytes, as stored rows are.
fn padded(column: &Column, mut bytes: Vec<u8>) -> Vec<u8> {
    let len = column.ty.len.map_or(0, |len| len as usize);
    if column.ty.code == TypeCode::Char && column.ty.is_binary() && bytes.len() < len {
        bytes.resize(len, 0);
    }
    bytes
}

/// A number written with a fraction or an exponent, rounded.
fn whole(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|v| v.is_finite()).map(f64::round)
}

fn bit(bytes: &[u8]) -> Result<Absent, Fault> {
    if bytes.len() > 8 {
        return Err(UNFIT);
    }
    Ok(Absent::UInt(bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte))))
}

/// Old servers kept the text in their own zone, which is not recorded: the feed's zone is the best guess.
fn timestamp(column: &Column, text: &str, zone: &TimestampZone) -> Result<u64, Fault> {
    let packed = date_time(text).ok_or(UNFIT)?;
    if column.meta_version >= UTC_SINCE_META_VERSION { zone.local(packed) } else { Ok(packed) }
}

/// ENUM: the member's number. SET: the bits of the members, separated by commas.
fn members(column: &Column, text: &str) -> Result<u64, Fault> {
    let find = |name: &str| {
        let members = &column.ty.members;
        let exact = members.iter().position(|member| member == name);
        exact.or_else(|| members.iter().position(|member| member.to_lowercase() == name.to_lowercase()))
    };
    if text.is_empty() && column.ty.code == TypeCode::Set {
        return Ok(0);
    }
    if column.ty.code == TypeCode::Enum {
        let number = find(text).map(|at| at as u64 + 1).or_else(|| text.parse().ok());
        return number.filter(|n| *n <= column.ty.members.len() as u64).ok_or(UNFIT);
    }
    text.split(',').try_fold(0, |bits, name| {
        let at = find(name).filter(|at| *at < 64).ok_or(UNFIT)?;
        Ok(bits | 1 << at)
    })
}
