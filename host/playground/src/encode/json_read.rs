//! Reads TiDB's binary JSON back, for comparing rows; values of time and opaque types are not written
//! by this crate and not read either.

use serde_json::{Map, Value};

/// The value of a type code and body; `None` when malformed or of a type this crate does not write.
#[must_use]
pub fn json_value(data: &[u8]) -> Option<Value> {
    let (code, body) = data.split_first()?;
    read(*code, body)
}

fn read(code: u8, body: &[u8]) -> Option<Value> {
    let word = || body.first_chunk::<8>().copied();
    Some(match code {
        0x01 => object(body)?,
        0x03 => array(body)?,
        0x04 => literal(*body.first()?)?,
        0x09 => Value::from(i64::from_le_bytes(word()?)),
        0x0a => Value::from(u64::from_le_bytes(word()?)),
        0x0b => Value::from(f64::from_le_bytes(word()?)),
        0x0c => {
            let (len, text) = uvarint(body)?;
            Value::from(std::str::from_utf8(text.get(..len)?).ok()?)
        }
        _ => return None,
    })
}

fn literal(byte: u8) -> Option<Value> {
    Some(match byte {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => Value::Bool(false),
        _ => return None,
    })
}

fn uvarint(data: &[u8]) -> Option<(usize, &[u8])> {
    let mut len = 0;
    for (i, b) in data.iter().take(9).enumerate() {
        len |= usize::from(b & 0x7f) << (7 * i);
        if b & 0x80 == 0 {
            return Some((len, &data[i + 1..]));
        }
    }
    None
}

fn u32_at(body: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(*body.get(at..)?.first_chunk()?) as usize)
}

fn entry(body: &[u8], at: usize) -> Option<Value> {
    let code = *body.get(at)?;
    let slot = u32_at(body, at + 1)?;
    if code == 0x04 { literal(slot as u8) } else { read(code, body.get(slot..)?) }
}

fn array(body: &[u8]) -> Option<Value> {
    let count = u32_at(body, 0)?;
    (0..count).map(|i| entry(body, 8 + 5 * i)).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn object(body: &[u8]) -> Option<Value> {
    let count = u32_at(body, 0)?;
    let mut map = Map::new();
    for i in 0..count {
        let at = 8 + 6 * i;
        let offset = u32_at(body, at)?;
        let len = usize::from(u16::from_le_bytes(*body.get(at + 4..)?.first_chunk()?));
        let key = std::str::from_utf8(body.get(offset..offset + len)?).ok()?;
        map.insert(key.to_owned(), entry(body, 8 + 6 * count + 5 * i)?);
    }
    Some(Value::Object(map))
}
