//! Any record, by its schema.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tg_format_avro::bytes::{read_bytes, read_long};
use tg_format_common::{Bytes, DecodeError};

/// Deepest nesting of types.
const DEPTH_MAX: usize = 8;

/// A value of any type, with the schema of what is no record.
#[derive(Clone, Debug)]
pub(crate) enum Dynamic<'a> {
    Null,
    Truth(bool),
    Number(i64),
    Single(f32),
    Double(f64),
    Text(&'a [u8]),
    Record(Vec<Member<'a>>),
}

/// A record's member: name, value, and the schema of the value if it is no record.
pub(crate) type Member<'a> = (&'a str, Dynamic<'a>, Option<&'a Map<String, Value>>);

/// Named types of a schema.
type Names<'a> = BTreeMap<String, &'a Map<String, Value>>;

/// Reads a value of this type.
pub(crate) fn read<'a>(schema: &'a Value, from: &mut Bytes<'a>) -> Result<Dynamic<'a>, DecodeError> {
    let mut names = Names::new();
    value(schema, from, &mut names, 0).map(|(value, _)| value)
}

type Read<'a> = (Dynamic<'a>, Option<&'a Map<String, Value>>);

fn value<'a>(
    schema: &'a Value,
    from: &mut Bytes<'a>,
    names: &mut Names<'a>,
    depth: usize,
) -> Result<Read<'a>, DecodeError> {
    if depth > DEPTH_MAX {
        return Err(DecodeError::Member("schema"));
    }
    match schema {
        Value::String(name) => match names.get(name.as_str()).copied() {
            Some(record) => Ok((fields(record, from, names, depth)?, None)),
            None => Ok((primitive(name, from)?, None)),
        },
        Value::Array(union) => {
            learn(union, names);
            let place = usize::try_from(read_long(from)?).ok().and_then(|place| union.get(place));
            value(place.ok_or(DecodeError::Member("union"))?, from, names, depth + 1)
        }
        Value::Object(object) => match object.get("type").and_then(Value::as_str) {
            Some("record") => {
                learn(std::slice::from_ref(schema), names);
                Ok((fields(object, from, names, depth)?, None))
            }
            Some(name) => Ok((primitive(name, from)?, Some(object))),
            None => Err(DecodeError::Member("type")),
        },
        _ => Err(DecodeError::Member("type")),
    }
}

/// Remembers records by name, also of branches that are not taken.
fn learn<'a>(types: &'a [Value], names: &mut Names<'a>) {
    for object in types.iter().filter_map(Value::as_object) {
        if let Some(name) = object.get("name").and_then(Value::as_str) {
            names.insert(name.to_owned(), object);
        }
    }
}

fn fields<'a>(
    record: &'a Map<String, Value>,
    from: &mut Bytes<'a>,
    names: &mut Names<'a>,
    depth: usize,
) -> Result<Dynamic<'a>, DecodeError> {
    let list = record.get("fields").and_then(Value::as_array).ok_or(DecodeError::Member("fields"))?;
    let mut out = Vec::with_capacity(list.len());
    for field in list {
        let name = field.get("name").and_then(Value::as_str).ok_or(DecodeError::Member("name"))?;
        let ty = field.get("type").ok_or(DecodeError::Member("type"))?;
        let (value, ty) = value(ty, from, names, depth + 1)?;
        out.push((name, value, ty));
    }
    Ok(Dynamic::Record(out))
}

fn primitive<'a>(name: &str, from: &mut Bytes<'a>) -> Result<Dynamic<'a>, DecodeError> {
    Ok(match name {
        "null" => Dynamic::Null,
        "boolean" => Dynamic::Truth(from.byte("boolean")? != 0),
        "int" | "long" => Dynamic::Number(read_long(from)?),
        "float" => Dynamic::Single(f32::from_le_bytes(from.array("float")?)),
        "double" => Dynamic::Double(f64::from_le_bytes(from.array("double")?)),
        "string" | "bytes" => Dynamic::Text(read_bytes(from)?),
        other => return Err(DecodeError::unknown("type", other)),
    })
}
