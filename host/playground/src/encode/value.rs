//! Typed values of columns: from text, to text, to the payloads and datums of rows and keys.

use super::codec::{cmp_f64, cmp_i64, put_int_le, put_memcomparable, put_uint_le, put_uvarint, put_varint};
use super::{FieldType, decimal, json, time};
use bytes::Bytes;
use std::borrow::Cow;
use tg_model::TypeCode;

/// One value of a column. The variant must fit the column's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// Signed integers and YEAR.
    Int(i64),
    /// Unsigned integers, ENUM (1-based position), SET (bit mask) and BIT.
    Uint(u64),
    /// FLOAT and DOUBLE; a FLOAT is widened.
    Double(f64),
    /// DECIMAL as text.
    Decimal(Cow<'static, str>),
    /// Text and byte strings.
    Bytes(Bytes),
    /// DATE, DATETIME and TIMESTAMP (UTC) in packed form, see [`time::pack`].
    Time(u64),
    /// TIME in nanoseconds.
    Duration(i64),
    /// JSON.
    Json(serde_json::Value),
    /// VECTOR.
    Vector(Vec<f32>),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Bytes(Bytes::from_static(text.as_bytes()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Bytes(Bytes::from(text))
    }
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}

impl Value {
    /// Reads the text a server prints for a value of this type; `None` when it does not fit the type.
    /// BIT and byte strings are their bytes.
    #[must_use]
    pub fn parse(ty: &FieldType, text: &[u8]) -> Option<Self> {
        if ty.code.is_string() {
            return Some(Self::Bytes(Bytes::copy_from_slice(text)));
        }
        if ty.code == TypeCode::Bit {
            return Some(Self::Uint(text.iter().fold(0, |v, b| v << 8 | u64::from(*b))));
        }
        let text = std::str::from_utf8(text).ok()?;
        let position = |name: &str| ty.elems.iter().position(|e| e == name);
        Some(match ty.code {
            _ if ty.code.is_integer() && ty.unsigned() => Self::Uint(text.parse().ok()?),
            _ if ty.code.is_integer() || ty.code == TypeCode::Year => Self::Int(text.parse().ok()?),
            TypeCode::Float => Self::Double(f64::from(text.parse::<f32>().ok()?)),
            TypeCode::Double => Self::Double(text.parse().ok()?),
            TypeCode::Decimal => Self::Decimal(Cow::Owned(text.to_owned())),
            TypeCode::Date | TypeCode::DateTime | TypeCode::Timestamp => Self::Time(time::pack(text)?),
            TypeCode::Time => Self::Duration(time::duration(text)?),
            TypeCode::Enum if text.is_empty() => Self::Uint(0),
            TypeCode::Enum => Self::Uint(position(text)? as u64 + 1),
            TypeCode::Set => {
                let names = text.split(',').filter(|n| !n.is_empty());
                Self::Uint(names.map(position).try_fold(0, |set, p| Some(set | 1 << p?))?)
            }
            TypeCode::Json => Self::Json(serde_json::from_str(text).ok()?),
            TypeCode::VectorFloat32 => {
                let items = text.trim_matches(['[', ']']).split(',').filter(|i| !i.is_empty());
                Self::Vector(items.map(|i| i.trim().parse().ok()).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    /// The text a server prints for the value; `None` for NULL.
    #[must_use]
    pub fn text(&self, ty: &FieldType) -> Option<Vec<u8>> {
        let member = |i: usize| ty.elems.get(i).map_or("", String::as_str);
        Some(match (self, ty.code) {
            (Self::Null, _) => return None,
            (Self::Int(v), TypeCode::Year) => format!("{v:04}").into_bytes(),
            (Self::Int(v), _) => v.to_string().into_bytes(),
            (Self::Uint(v), TypeCode::Enum) => v.checked_sub(1).map_or("", |i| member(i as usize)).into(),
            (Self::Uint(v), TypeCode::Set) => {
                let names: Vec<_> = (0..64).filter(|i| v >> i & 1 == 1).map(member).collect();
                names.join(",").into_bytes()
            }
            (Self::Uint(v), TypeCode::Bit) => {
                let len = usize::try_from(ty.flen).unwrap_or(1).div_ceil(8).min(8);
                v.to_be_bytes()[8 - len..].to_vec()
            }
            (Self::Uint(v), _) => v.to_string().into_bytes(),
            (Self::Double(v), TypeCode::Float) => {
                float_text(f64::from(*v as f32), &(*v as f32).to_string(), || format!("{:e}", *v as f32))
            }
            (Self::Double(v), _) => float_text(*v, &v.to_string(), || format!("{v:e}")),
            (Self::Decimal(text), _) => text.as_bytes().to_vec(),
            (Self::Bytes(b), _) => b.to_vec(),
            (Self::Time(v), code) => time::packed_text(*v, code == TypeCode::Date, ty.fsp()).into_bytes(),
            (Self::Duration(ns), _) => time::duration_text(*ns, ty.fsp()).into_bytes(),
            (Self::Json(v), _) => json::json_text(v).into_bytes(),
            (Self::Vector(items), _) => {
                let items: Vec<_> = items.iter().map(f32::to_string).collect();
                format!("[{}]", items.join(",")).into_bytes()
            }
        })
    }

    /// Appends the payload of row format v2; `None` when the value does not fit the type. NULL has none.
    #[must_use]
    pub fn put_payload(&self, ty: &FieldType, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Null => return None,
            Self::Int(v) | Self::Duration(v) => put_int_le(out, *v),
            Self::Uint(v) | Self::Time(v) => put_uint_le(out, *v),
            Self::Double(v) => out.extend_from_slice(&cmp_f64(*v)),
            Self::Decimal(text) => put_decimal(out, text, ty)?,
            Self::Bytes(b) => put_bytes(out, b, ty),
            Self::Json(v) => json::put_json(out, v),
            Self::Vector(items) => put_vector(out, items),
        }
        Some(())
    }

    /// Appends the datum of row format v1.
    #[must_use]
    pub fn put_datum(&self, ty: &FieldType, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Null => out.push(0),
            Self::Int(v) | Self::Duration(v) => {
                out.push(8);
                put_varint(out, *v);
            }
            Self::Uint(v) | Self::Time(v) => {
                out.push(9);
                put_uvarint(out, *v);
            }
            Self::Bytes(b) => {
                out.push(2);
                put_varint(out, b.len() as i64);
                out.extend_from_slice(b);
            }
            Self::Json(v) => {
                out.push(10);
                json::put_json(out, v);
            }
            Self::Vector(items) => {
                out.push(20);
                put_vector(out, items);
            }
            Self::Double(_) | Self::Decimal(_) => return self.put_key(ty, out),
        }
        Some(())
    }

    /// Appends the datum of a key. Text goes by its collation: the `_bin` ones drop trailing spaces;
    /// others are not made here (`None`), neither are JSON and vectors.
    #[must_use]
    pub fn put_key(&self, ty: &FieldType, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Null => out.push(0),
            Self::Int(v) => {
                out.push(3);
                out.extend_from_slice(&cmp_i64(*v));
            }
            Self::Uint(v) | Self::Time(v) => {
                out.push(4);
                out.extend_from_slice(&v.to_be_bytes());
            }
            Self::Double(v) => {
                out.push(5);
                out.extend_from_slice(&cmp_f64(*v));
            }
            Self::Decimal(text) => {
                out.push(6);
                put_decimal(out, text, ty)?;
            }
            Self::Duration(v) => {
                out.push(7);
                out.extend_from_slice(&cmp_i64(*v));
            }
            Self::Bytes(b) => {
                out.push(1);
                put_memcomparable(out, sort_key(b, &ty.collate)?);
            }
            Self::Json(_) | Self::Vector(_) => return None,
        }
        Some(())
    }
}

fn sort_key<'a>(text: &'a [u8], collate: &str) -> Option<&'a [u8]> {
    match collate {
        "" | "binary" | "utf8mb4_0900_bin" => Some(text),
        c if c.ends_with("_bin") => {
            let len = text.iter().rposition(|b| *b != b' ').map_or(0, |i| i + 1);
            Some(&text[..len])
        }
        _ => None,
    }
}

fn put_decimal(out: &mut Vec<u8>, text: &str, ty: &FieldType) -> Option<()> {
    decimal::put_decimal(out, text, usize::try_from(ty.flen).ok()?, usize::try_from(ty.decimal).unwrap_or(0))
}

/// BINARY(n) is stored padded with zeros.
fn put_bytes(out: &mut Vec<u8>, bytes: &[u8], ty: &FieldType) {
    let start = out.len();
    out.extend_from_slice(bytes);
    if ty.code == TypeCode::Char && ty.charset == "binary" {
        let len = usize::try_from(ty.flen).unwrap_or(0).max(bytes.len());
        out.resize(start + len, 0);
    }
}

fn put_vector(out: &mut Vec<u8>, items: &[f32]) {
    out.extend_from_slice(&(items.len() as u32).to_le_bytes());
    items.iter().for_each(|i| out.extend_from_slice(&i.to_le_bytes()));
}

/// The shortest text that reads back; in exponent form from 1e15 up and below 1e-15.
fn float_text(v: f64, plain: &str, exponent: impl Fn() -> String) -> Vec<u8> {
    let abs = v.abs();
    if abs != 0.0 && !(1e-15..1e15).contains(&abs) { exponent().into_bytes() } else { plain.as_bytes().to_vec() }
}
