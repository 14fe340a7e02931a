//! Rows: format v2 written and read, format v1 written (the system tables use it).

use super::codec::{from_cmp_f64, int_le, put_varint, uint_le};
use super::decimal::decimal_text;
use super::json_read::json_value;
use super::{FieldType, Value};
use bytes::Bytes;
use std::borrow::Cow;
use tg_model::TypeCode;

/// First byte of a row in format v2.
const VERSION: u8 = 128;
/// Flag: ids and offsets are 32 bits wide.
const LARGE: u8 = 1;
/// Bytes before the ids.
const HEADER: usize = 6;

/// Writes rows in format v2; keeps its buffers from row to row.
#[derive(Debug, Default)]
pub struct RowWriter {
    ids: Vec<(u32, u32)>,
    nulls: Vec<u32>,
    data: Vec<u8>,
}

impl RowWriter {
    /// Encodes one row. `columns` must come in ascending column id; handle columns and absent columns
    /// are left out by the caller. `None` when a value does not fit its type or an id is negative.
    #[must_use]
    pub fn encode<'a>(&mut self, columns: impl IntoIterator<Item = (i64, &'a FieldType, &'a Value)>) -> Option<Bytes> {
        self.ids.clear();
        self.nulls.clear();
        self.data.clear();
        for (id, ty, value) in columns {
            let id = u32::try_from(id).ok()?;
            if *value == Value::Null {
                self.nulls.push(id);
            } else {
                value.put_payload(ty, &mut self.data)?;
                self.ids.push((id, self.data.len() as u32));
            }
        }
        Some(self.assemble())
    }

    fn assemble(&self) -> Bytes {
        let max_id = self.ids.iter().map(|i| i.0).chain(self.nulls.iter().copied()).max().unwrap_or(0);
        let large = max_id > 255 || self.data.len() > usize::from(u16::MAX);
        let (id_len, offset_len) = if large { (4, 4) } else { (1, 2) };
        let columns = self.ids.len() + self.nulls.len();
        let len = HEADER + columns * id_len + self.ids.len() * offset_len + self.data.len();
        let mut out = Vec::with_capacity(len);
        out.extend_from_slice(&[VERSION, if large { LARGE } else { 0 }]);
        out.extend_from_slice(&(self.ids.len() as u16).to_le_bytes());
        out.extend_from_slice(&(self.nulls.len() as u16).to_le_bytes());
        for id in self.ids.iter().map(|i| i.0).chain(self.nulls.iter().copied()) {
            out.extend_from_slice(&id.to_le_bytes()[..id_len]);
        }
        for (_, end) in &self.ids {
            out.extend_from_slice(&end.to_le_bytes()[..offset_len]);
        }
        out.extend_from_slice(&self.data);
        Bytes::from(out)
    }
}

/// Encodes a row in format v1: pairs of column id and value, nulls as they are given.
#[must_use]
pub fn encode_v1(columns: &[(i64, &FieldType, Value)]) -> Option<Bytes> {
    if columns.is_empty() {
        return Some(Bytes::from_static(&[0]));
    }
    let mut out = Vec::new();
    for (id, ty, value) in columns {
        out.push(8);
        put_varint(&mut out, *id);
        value.put_datum(ty, &mut out)?;
    }
    Some(Bytes::from(out))
}

/// What a row in format v2 says about a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// The payload.
    Payload(&'a [u8]),
    /// NULL.
    Null,
    /// Nothing: the handle or the origin default has it.
    Absent,
}

/// Finds a column in a row of format v2; `None` when the row is malformed.
#[must_use]
pub fn find(row: &[u8], id: i64) -> Option<Cell<'_>> {
    let (&[version, flags], _) = row.split_first_chunk::<2>()?;
    if version != VERSION {
        return None;
    }
    let (id_len, offset_len) = if flags & LARGE == 0 { (1, 2) } else { (4, 4) };
    let number = |at: usize, len: usize| row.get(at..at + len).and_then(uint_le).map(|n| n as usize);
    let (full, nulls) = (number(2, 2)?, number(4, 2)?);
    let offsets = HEADER + (full + nulls) * id_len;
    let data = offsets + full * offset_len;
    for i in 0..full + nulls {
        if number(HEADER + i * id_len, id_len)? as i64 != id {
            continue;
        }
        if i >= full {
            return Some(Cell::Null);
        }
        let start = if i == 0 { 0 } else { number(offsets + (i - 1) * offset_len, offset_len)? };
        let end = number(offsets + i * offset_len, offset_len)?;
        return row.get(data + start..data + end).map(Cell::Payload);
    }
    Some(Cell::Absent)
}

/// Reads a payload of row format v2; `None` when it is not one of this type.
#[must_use]
pub fn read_payload(ty: &FieldType, data: &[u8]) -> Option<Value> {
    Some(match ty.code {
        code if code.is_string() => Value::Bytes(Bytes::copy_from_slice(data)),
        code if code.is_integer() && !ty.unsigned() => Value::Int(int_le(data)?),
        code if code.is_integer() => Value::Uint(uint_le(data)?),
        TypeCode::Year => Value::Int(int_le(data)?),
        TypeCode::Enum | TypeCode::Set | TypeCode::Bit => Value::Uint(uint_le(data)?),
        TypeCode::Float | TypeCode::Double => Value::Double(from_cmp_f64(data.try_into().ok()?)),
        TypeCode::Decimal => Value::Decimal(Cow::Owned(decimal_text(data)?.0)),
        TypeCode::Date | TypeCode::DateTime | TypeCode::Timestamp => Value::Time(uint_le(data)?),
        TypeCode::Time => Value::Duration(int_le(data)?),
        TypeCode::Json => Value::Json(json_value(data)?),
        TypeCode::VectorFloat32 => {
            let items = data.get(4..)?.chunks_exact(4);
            Value::Vector(items.filter_map(|c| c.try_into().ok().map(f32::from_le_bytes)).collect())
        }
        _ => return None,
    })
}
