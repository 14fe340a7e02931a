//! Reading JSON messages and the texts in them.

use crate::{Datum, DecodeError, MysqlType};
use serde_json::{Map, Value};

/// A JSON object.
pub type Object = Map<String, Value>;

/// Parses a message that is one JSON object.
///
/// # Errors
/// When it is not.
pub fn object(bytes: &[u8]) -> Result<Object, DecodeError> {
    match serde_json::from_slice(bytes).map_err(|e| DecodeError::Json(e.to_string()))? {
        Value::Object(object) => Ok(object),
        _ => Err(DecodeError::Member("top level")),
    }
}

/// A string member.
///
/// # Errors
/// When it is missing or of another type.
pub fn text<'a>(object: &'a Object, name: &'static str) -> Result<&'a str, DecodeError> {
    object.get(name).and_then(Value::as_str).ok_or(DecodeError::Member(name))
}

/// A string member that may be missing or null.
///
/// # Errors
/// When it is of another type.
pub fn optional_text<'a>(object: &'a Object, name: &'static str) -> Result<Option<&'a str>, DecodeError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(DecodeError::Member(name)),
    }
}

/// A number member without sign.
///
/// # Errors
/// When it is missing or of another type.
pub fn number(object: &Object, name: &'static str) -> Result<u64, DecodeError> {
    object.get(name).and_then(Value::as_u64).ok_or(DecodeError::Member(name))
}

/// A truth value; missing is false.
///
/// # Errors
/// When it is of another type.
pub fn flag(object: &Object, name: &'static str) -> Result<bool, DecodeError> {
    object.get(name).map_or(Ok(false), |value| value.as_bool().ok_or(DecodeError::Member(name)))
}

/// An object member that may be missing or null.
///
/// # Errors
/// When it is of another type.
pub fn optional_object<'a>(object: &'a Object, name: &'static str) -> Result<Option<&'a Object>, DecodeError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_object().map(Some).ok_or(DecodeError::Member(name)),
    }
}

/// An array member.
///
/// # Errors
/// When it is missing or of another type.
pub fn array<'a>(object: &'a Object, name: &'static str) -> Result<&'a [Value], DecodeError> {
    object.get(name).and_then(Value::as_array).map(Vec::as_slice).ok_or(DecodeError::Member(name))
}

/// The value of a text that [`value::plain`](crate::value::plain) wrote, by the column's type.
///
/// # Errors
/// When the text is not one of the type.
pub fn plain(column: &str, ty: MysqlType, unsigned: bool, text: &str) -> Result<Datum, DecodeError> {
    let fault = |expected| DecodeError::Value { column: column.to_owned(), expected };
    Ok(match ty {
        _ if ty.is_integer() && !unsigned => Datum::Int(text.parse().map_err(|_| fault("signed integer"))?),
        MysqlType::Year => Datum::Int(text.parse().map_err(|_| fault("year"))?),
        _ if ty.is_integer() => Datum::UInt(text.parse().map_err(|_| fault("unsigned integer"))?),
        MysqlType::Bit | MysqlType::Enum | MysqlType::Set => Datum::UInt(text.parse().map_err(|_| fault("number"))?),
        MysqlType::Float | MysqlType::Double => Datum::Float(float(ty, text).ok_or_else(|| fault("number"))?),
        _ => Datum::Text(text.to_owned()),
    })
}

/// A floating-point number with the precision of its type.
#[must_use]
pub fn float(ty: MysqlType, text: &str) -> Option<f64> {
    let value: f64 = if ty == MysqlType::Float { text.parse::<f32>().ok()?.into() } else { text.parse().ok()? };
    value.is_finite().then_some(value)
}
