//! TiDB's binary JSON and its text.

use super::codec::put_uvarint;
use serde_json::Value;

const OBJECT: u8 = 0x01;
const ARRAY: u8 = 0x03;
const LITERAL: u8 = 0x04;
const INT: u8 = 0x09;
const UINT: u8 = 0x0a;
const DOUBLE: u8 = 0x0b;
const STRING: u8 = 0x0c;
/// Bytes of the count and size in front of an array or object.
const HEADER: usize = 8;
/// Bytes of a key entry: offset and length.
const KEY_ENTRY: usize = 6;
/// Bytes of a value entry: type code and offset or literal.
const VALUE_ENTRY: usize = 5;

/// Appends type code and body.
pub fn put_json(out: &mut Vec<u8>, value: &Value) {
    out.push(code(value));
    put_body(out, value);
}

fn code(value: &Value) -> u8 {
    match value {
        Value::Null | Value::Bool(_) => LITERAL,
        Value::Number(n) if n.is_i64() => INT,
        Value::Number(n) if n.is_u64() => UINT,
        Value::Number(_) => DOUBLE,
        Value::String(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Object(_) => OBJECT,
    }
}

fn literal(value: &Value) -> Option<u8> {
    match value {
        Value::Null => Some(0),
        Value::Bool(true) => Some(1),
        Value::Bool(false) => Some(2),
        _ => None,
    }
}

fn put_body(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null | Value::Bool(_) => out.push(literal(value).unwrap_or_default()),
        Value::Number(n) => {
            let bits = match (n.as_i64(), n.as_u64()) {
                (Some(i), _) => i as u64,
                (None, Some(u)) => u,
                _ => n.as_f64().unwrap_or_default().to_bits(),
            };
            out.extend_from_slice(&bits.to_le_bytes());
        }
        Value::String(s) => {
            put_uvarint(out, s.len() as u64);
            out.extend_from_slice(s.as_bytes());
        }
        Value::Array(items) => put_container(out, &[], &items.iter().collect::<Vec<_>>()),
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            let (keys, values): (Vec<_>, Vec<_>) = fields.into_iter().map(|(k, v)| (k.as_str(), v)).unzip();
            put_container(out, &keys, &values);
        }
    }
}

/// Count, size, key entries (of an object), value entries, keys, values; offsets count from the count.
fn put_container(out: &mut Vec<u8>, keys: &[&str], values: &[&Value]) {
    let start = out.len();
    let value_entries = start + HEADER + KEY_ENTRY * keys.len();
    out.extend_from_slice(&(values.len() as u32).to_le_bytes());
    out.resize(value_entries + VALUE_ENTRY * values.len(), 0);
    for (i, key) in keys.iter().enumerate() {
        let at = start + HEADER + KEY_ENTRY * i;
        let offset = (out.len() - start) as u32;
        out[at..at + 4].copy_from_slice(&offset.to_le_bytes());
        out[at + 4..at + 6].copy_from_slice(&(key.len() as u16).to_le_bytes());
        out.extend_from_slice(key.as_bytes());
    }
    for (i, value) in values.iter().enumerate() {
        let at = value_entries + VALUE_ENTRY * i;
        out[at] = code(value);
        let slot = match literal(value) {
            Some(byte) => u32::from(byte),
            None => {
                let offset = (out.len() - start) as u32;
                put_body(out, value);
                offset
            }
        };
        out[at + 1..at + 5].copy_from_slice(&slot.to_le_bytes());
    }
    let size = (out.len() - start) as u32;
    out[start + 4..start + 8].copy_from_slice(&size.to_le_bytes());
}

/// The text TiDB prints for a JSON value: `{"a": 1, "b": [1, 2]}`.
#[must_use]
pub fn json_text(value: &Value) -> String {
    let mut out = String::new();
    write_text(&mut out, value);
    out
}

fn write_text(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) if n.is_f64() => out.push_str(&double_text(n.as_f64().unwrap_or_default())),
        Value::Number(n) => out.push_str(&n.to_string()),
        Value::String(s) => write_string(out, s),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                write_text(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            out.push('{');
            for (i, (key, item)) in fields.into_iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                write_string(out, key);
                out.push_str(": ");
                write_text(out, item);
            }
            out.push('}');
        }
    }
}

fn write_string(out: &mut String, s: &str) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c == '\u{2028}' || c == '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn double_text(v: f64) -> String {
    let abs = v.abs();
    if abs != 0.0 && !(1e-15..1e15).contains(&abs) {
        return format!("{v:e}");
    }
    let text = v.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}
