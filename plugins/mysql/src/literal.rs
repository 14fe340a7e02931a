//! Values as SQL literals, for a session with `sql_mode` without NO_BACKSLASH_ESCAPES, `time_zone` +00:00 and utf8mb4.

use crate::append::{push_date, push_datetime, push_i64, push_u64};
use crate::escape::push_escaped;
use crate::table::ImageColumn;
use std::io::Write;
use tg_sql_common::{in_quotes, is_plain_number, push_tuple};
use tgr1::{FormatError, Image, PackedTime, text};
use tidegate_sdk::LogicalType;

/// How the values of a column are spelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Literal {
    Int,
    Uint,
    /// FLOAT and DOUBLE alike, as a DOUBLE literal: an f32 that was widened is exact as f64, so the server stores
    /// and compares the very same bits.
    Float,
    Decimal,
    Text,
    Bytes,
    Date,
    Datetime,
    Time,
    Vector,
}

impl Literal {
    pub(crate) const fn of(logical: LogicalType) -> Self {
        match logical {
            LogicalType::Int | LogicalType::Year => Self::Int,
            // By number: independent of the members' character set, and 0 is the invalid value.
            LogicalType::Uint | LogicalType::Enumeration | LogicalType::Set | LogicalType::Bit => Self::Uint,
            LogicalType::Float32 | LogicalType::Float64 => Self::Float,
            LogicalType::Decimal => Self::Decimal,
            LogicalType::Text | LogicalType::Json => Self::Text,
            LogicalType::Bytes => Self::Bytes,
            LogicalType::Date => Self::Date,
            LogicalType::Datetime | LogicalType::Timestamp => Self::Datetime,
            LogicalType::Time => Self::Time,
            LogicalType::Vector => Self::Vector,
        }
    }

    /// Whether the slot refers to bytes elsewhere in the row.
    pub(crate) const fn is_string(self) -> bool {
        matches!(self, Self::Decimal | Self::Text | Self::Bytes | Self::Vector)
    }
}

/// Appends `(v1,v2)`.
#[inline]
pub(crate) fn push_row(out: &mut Vec<u8>, image: &Image<'_>, columns: &[ImageColumn]) -> Result<(), FormatError> {
    push_tuple(out, columns, |out, column| push_value(out, image, column.at, column.literal))
}

/// Appends the value of a column.
#[inline]
pub(crate) fn push_value(
    out: &mut Vec<u8>,
    image: &Image<'_>,
    col: usize,
    literal: Literal,
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
        Literal::Int => push_i64(out, raw.cast_signed()),
        Literal::Uint => push_u64(out, raw),
        Literal::Float => push_float(out, f64::from_bits(raw)),
        Literal::Date => push_date(out, PackedTime(raw)),
        // Zero fractions need not be spelled; others never have more digits than the column.
        Literal::Datetime => push_datetime(out, PackedTime(raw)),
        _ => {
            let micros = raw.cast_signed();
            in_quotes(out, |out| text::time_text(out, micros, if micros % 1_000_000 == 0 { 0 } else { 6 }));
        }
    }
    Ok(())
}

fn push_string(out: &mut Vec<u8>, bytes: &[u8], literal: Literal) {
    match literal {
        Literal::Decimal if is_plain_number(bytes) => out.extend_from_slice(bytes),
        Literal::Vector => in_quotes(out, |out| text::vector_text(out, bytes)),
        Literal::Bytes => {
            out.extend_from_slice(b"_binary");
            in_quotes(out, |out| push_escaped(out, bytes));
        }
        _ => in_quotes(out, |out| push_escaped(out, bytes)),
    }
}

/// With an exponent always: without one the server reads a DECIMAL and rounds twice.
fn push_float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{value:e}");
    } else {
        out.push(b'0');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tgr1::{Batch, BatchWriter, ColumnSpec, ImageKind, Logical, Op, SlotKind};

    #[derive(Clone, Copy)]
    enum V<'a> {
        Null,
        I(i64),
        U(u64),
        F(f64),
        B(&'a [u8]),
    }

    fn literal(logical: LogicalType, v: V<'_>) -> Vec<u8> {
        let spec = ColumnSpec::new(0, Logical::from_u8(logical as u8).unwrap());
        let mut w = BatchWriter::new(1, 1, &[spec], 64);
        w.begin_row(2, 1, Op::Insert, 0);
        w.begin_image(ImageKind::After);
        match v {
            V::Null => w.put_null(0),
            V::I(v) => w.put_i64(0, v),
            V::U(v) => w.put_u64(0, v),
            V::F(v) => w.put_f64(0, v),
            V::B(v) => w.put_bytes(0, v),
        }
        w.end_row().unwrap();
        let data = w.finish();
        let batch = Batch::parse(&data).unwrap();
        let mut out = Vec::new();
        push_value(&mut out, &batch.row(0).unwrap().after().unwrap(), 0, Literal::of(logical)).unwrap();
        assert_eq!(spec.slot == SlotKind::Bytes, Literal::of(logical).is_string());
        out
    }

    #[test]
    fn every_type() {
        use LogicalType as L;
        let time = |y, mo, d, h, mi, s, us| V::U(PackedTime::from_parts(y, mo, d, h, mi, s, us).unwrap().0);
        let vector: Vec<u8> = [1.0_f32, 2.5].iter().flat_map(|f| f.to_le_bytes()).collect();
        let cases: [(L, V<'_>, &str); 29] = [
            (L::Int, V::Null, "NULL"),
            (L::Int, V::I(i64::MIN), "-9223372036854775808"),
            (L::Uint, V::U(u64::MAX), "18446744073709551615"),
            (L::Float32, V::F(f64::from(1.1_f32)), "1.100000023841858e0"),
            (L::Float64, V::F(-0.0), "-0e0"),
            (L::Float64, V::F(f64::MAX), "1.7976931348623157e308"),
            (L::Float64, V::F(5e-324), "5e-324"),
            (L::Decimal, V::B(b"-123456.7890"), "-123456.7890"),
            (L::Decimal, V::B(b"1);drop"), "'1);drop'"),
            (L::Text, V::B("日本 '\\ \n".as_bytes()), "'日本 \\'\\\\ \n'"),
            (L::Text, V::B(b""), "''"),
            (L::Text, V::B(b"12345678'"), "'12345678\\''"),
            (L::Json, V::B(br#"{"a": "\"q'"}"#), r#"'{"a": "\\"q\'"}'"#),
            (L::Bytes, V::B(b"a'b\\"), "_binary'a\\'b\\\\'"),
            (L::Date, time(2024, 2, 29, 0, 0, 0, 0), "'2024-02-29'"),
            (L::Date, V::U(0), "'0000-00-00'"),
            (L::Datetime, time(2000, 0, 0, 0, 0, 0, 0), "'2000-00-00 00:00:00'"),
            (L::Datetime, time(9999, 12, 31, 23, 59, 59, 999_999), "'9999-12-31 23:59:59.999999'"),
            (L::Timestamp, V::U(0), "'0000-00-00 00:00:00'"),
            (L::Timestamp, time(1970, 1, 1, 0, 0, 1, 1), "'1970-01-01 00:00:01.000001'"),
            (L::Time, V::I(-1_000_000), "'-00:00:01'"),
            (L::Time, V::I(-3_020_398_999_999), "'-838:59:58.999999'"),
            (L::Time, V::I(1), "'00:00:00.000001'"),
            (L::Year, V::I(0), "0"),
            (L::Enumeration, V::U(0), "0"),
            (L::Set, V::U(5), "5"),
            (L::Bit, V::U(0b101), "5"),
            (L::Vector, V::B(&vector), "'[1,2.5]'"),
            (L::Vector, V::B(b""), "'[]'"),
        ];
        for (logical, v, expected) in cases {
            assert_eq!(String::from_utf8(literal(logical, v)).unwrap(), expected);
        }
        assert_eq!(literal(L::Bytes, V::B(b"\x00\xff\x27")), b"_binary'\x00\xff\\'\'");
    }
}
