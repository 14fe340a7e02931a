//! Values into slots.

use crate::decode::{Datum, Fault, cmp_f64, decimal_text, decode_bytes, json_text, le_i64, le_u64};
use crate::zone::TimestampZone;
use tg_model::ColumnType;
use tgr1::{BatchWriter, Logical};

/// How a column's values are decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Int,
    UInt,
    Float,
    Decimal,
    Bytes,
    Json,
    Packed,
    Timestamp,
    Duration,
    Vector,
}

const WRONG_TYPE: Fault = Fault("the value has another type than its column");

impl Kind {
    pub(crate) fn of(ty: &ColumnType) -> Self {
        match crate::logical(ty) {
            Logical::Int | Logical::Year => Self::Int,
            Logical::UInt | Logical::Enum | Logical::Set | Logical::Bit => Self::UInt,
            Logical::Float32 | Logical::Float64 => Self::Float,
            Logical::Decimal => Self::Decimal,
            Logical::Text | Logical::Bytes => Self::Bytes,
            Logical::Json => Self::Json,
            Logical::Date | Logical::DateTime => Self::Packed,
            Logical::Timestamp => Self::Timestamp,
            Logical::Time => Self::Duration,
            Logical::Vector => Self::Vector,
        }
    }

    /// Puts a payload of row format 2.
    #[inline]
    pub(crate) fn put_payload(
        self,
        out: &mut BatchWriter,
        col: usize,
        payload: &[u8],
        zone: &TimestampZone,
    ) -> Result<(), Fault> {
        match self {
            Self::Int => out.put_i64(col, le_i64(payload)?),
            Self::UInt | Self::Packed => out.put_u64(col, le_u64(payload)?),
            Self::Float => out.put_f64(col, float(payload)?),
            Self::Decimal => out.put_bytes_with(col, |buf| decimal_text(buf, payload))?,
            Self::Bytes => out.put_bytes(col, payload),
            Self::Json => out.put_bytes_with(col, |buf| json_text(buf, payload))?,
            Self::Timestamp => out.put_u64(col, zone.local(le_u64(payload)?)?),
            Self::Duration => out.put_i64(col, le_i64(payload)? / 1000),
            Self::Vector => out.put_bytes(col, vector(payload)?),
        }
        Ok(())
    }

    /// Puts a datum of a key or of row format 1.
    pub(crate) fn put_datum(
        self,
        out: &mut BatchWriter,
        col: usize,
        datum: Datum<'_>,
        zone: &TimestampZone,
    ) -> Result<(), Fault> {
        match (self, datum) {
            (_, Datum::Null) => {}
            // Integers carry the flag of either sign; the column decides.
            (Self::Int, Datum::Int(v)) => out.put_i64(col, v),
            (Self::Int, Datum::UInt(v)) => out.put_i64(col, v.cast_signed()),
            (Self::UInt, Datum::UInt(v)) => out.put_u64(col, v),
            (Self::UInt, Datum::Int(v)) => out.put_u64(col, v.cast_unsigned()),
            (Self::Float, Datum::Float(v)) => out.put_f64(col, v),
            (Self::Decimal, Datum::Decimal(v)) => out.put_bytes_with(col, |buf| decimal_text(buf, v))?,
            (Self::Bytes, Datum::Bytes(v)) => out.put_bytes(col, v),
            (Self::Bytes, Datum::KeyBytes(mut v)) => out.put_bytes_with(col, |buf| decode_bytes(&mut v, buf))?,
            (Self::Json, Datum::Json(v)) => out.put_bytes_with(col, |buf| json_text(buf, v))?,
            (Self::Packed, Datum::UInt(v)) => out.put_u64(col, v),
            (Self::Timestamp, Datum::UInt(v)) => out.put_u64(col, zone.local(v)?),
            (Self::Duration, Datum::Int(v) | Datum::Duration(v)) => out.put_i64(col, v / 1000),
            (Self::Vector, Datum::Vector(v)) => out.put_bytes(col, vector(v)?),
            _ => return Err(WRONG_TYPE),
        }
        Ok(())
    }
}

#[inline]
fn float(mut payload: &[u8]) -> Result<f64, Fault> {
    let value = cmp_f64(&mut payload)?;
    if payload.is_empty() { Ok(value) } else { Err(Fault("a float is not 8 bytes long")) }
}

/// The elements behind the count.
fn vector(payload: &[u8]) -> Result<&[u8], Fault> {
    let (count, elements) = payload.split_first_chunk().ok_or(Fault::SHORT)?;
    if u64::from(u32::from_le_bytes(*count)) * 4 != elements.len() as u64 {
        return Err(Fault("a vector has a wrong length"));
    }
    Ok(elements)
}
