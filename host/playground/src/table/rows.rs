//! From values to keys and rows of a table, and back to text.

use super::def::{Handle, TableDef};
use crate::PlaygroundError;
use crate::encode::row::{Cell, RowWriter, find, read_payload};
use crate::encode::{Value, codec, key};
use bytes::Bytes;
use std::sync::atomic::Ordering;

/// One row as a server prints it: a value per column, `None` for NULL.
pub type TextRow = Vec<Option<Vec<u8>>>;

impl TableDef {
    fn misfit(&self, column: usize) -> PlaygroundError {
        let column = self.columns.get(column).map_or_else(String::new, |c| c.name.clone());
        PlaygroundError::ValueMisfit { table: self.full_name(), column }
    }

    /// The record key of a row with these values; a table without clustered key gives a new row id.
    ///
    /// # Errors
    /// The values do not fit the columns.
    pub fn key_of(&self, values: &[Value]) -> Result<Bytes, PlaygroundError> {
        if values.len() != self.columns.len() {
            return Err(self.misfit(values.len()));
        }
        match &self.handle {
            Handle::RowId => Ok(key::record_key(self.id, self.row_id.fetch_add(1, Ordering::Relaxed) + 1)),
            Handle::Int(at) => self.key_of_handle(&values[*at..=*at]),
            Handle::Common(at) => {
                let values: Vec<_> = at.iter().map(|i| values[*i].clone()).collect();
                self.key_of_handle(&values)
            }
        }
    }

    /// The record key by the values of the handle: the clustered key's columns in order, or the row id.
    ///
    /// # Errors
    /// The values do not fit the columns.
    pub fn key_of_handle(&self, handle: &[Value]) -> Result<Bytes, PlaygroundError> {
        if let Handle::Common(at) = &self.handle {
            let mut out = Vec::new();
            for (i, value) in at.iter().zip(handle) {
                value.put_key(&self.columns[*i].ty, &mut out).ok_or_else(|| self.misfit(*i))?;
            }
            return Ok(key::record_key_common(self.id, &out));
        }
        let id = match handle.first() {
            Some(Value::Int(v)) => *v,
            Some(Value::Uint(v)) => *v as i64,
            _ => return Err(self.misfit(0)),
        };
        Ok(key::record_key(self.partition_of(id), id))
    }

    /// MySQL's hash partitioning: the remainder of the absolute value.
    fn partition_of(&self, id: i64) -> i64 {
        let Some(n) = (self.partitions.len() as u64).checked_sub(1).map(|n| n + 1) else {
            return self.id;
        };
        self.partitions[(id.unsigned_abs() % n) as usize].0
    }

    /// The row bytes of these values, one per column in order.
    ///
    /// # Errors
    /// A value does not fit its column.
    pub fn row_of(&self, values: &[Value], writer: &mut RowWriter) -> Result<Bytes, PlaygroundError> {
        let skip = |i: &usize| match &self.handle {
            Handle::Int(at) => at == i,
            Handle::Common(at) => at.contains(i) && !self.columns[*i].ty.needs_restored_data(),
            Handle::RowId => false,
        };
        let columns = self.columns.iter().zip(values).enumerate().filter(|(i, _)| !skip(i));
        let mut columns: Vec<_> = columns.map(|(_, (c, v))| (c.id, &c.ty, v)).collect();
        columns.sort_unstable_by_key(|c| c.0);
        writer.encode(columns).ok_or_else(|| self.misfit(usize::MAX))
    }

    /// Reads a record back to text; `None` when it is malformed.
    #[must_use]
    pub fn text_row(&self, record: &[u8], row: &[u8]) -> Option<TextRow> {
        let handle = record.get(key::RECORD_PREFIX_LEN..)?;
        (0..self.columns.len())
            .map(|i| {
                let column = &self.columns[i];
                let value = match find(row, column.id)? {
                    Cell::Payload(data) => read_payload(&column.ty, data)?,
                    Cell::Null => Value::Null,
                    Cell::Absent => self.absent(i, handle)?,
                };
                Some(value.text(&column.ty))
            })
            .collect()
    }

    fn absent(&self, i: usize, handle: &[u8]) -> Option<Value> {
        let ty = &self.columns[i].ty;
        match &self.handle {
            Handle::Int(at) if *at == i => {
                let v = codec::from_cmp_i64(handle.try_into().ok()?);
                return Some(if ty.unsigned() { Value::Uint(v as u64) } else { Value::Int(v) });
            }
            Handle::Common(at) if at.contains(&i) => {
                let at_key = at.iter().position(|a| *a == i)?;
                return key_values(handle).into_iter().nth(at_key);
            }
            _ => {}
        }
        match &self.columns[i].origin_default {
            Some(text) => Value::parse(ty, text.as_bytes()),
            None => Some(Value::Null),
        }
    }
}

/// The values of a common handle, as far as they can be read.
fn key_values(mut handle: &[u8]) -> Vec<Value> {
    let mut out = Vec::new();
    while let Some((value, rest)) = key_value(handle) {
        out.push(value);
        handle = rest;
    }
    out
}

fn key_value(data: &[u8]) -> Option<(Value, &[u8])> {
    let (flag, data) = data.split_first()?;
    let word = || data.split_first_chunk::<8>();
    Some(match flag {
        1 => {
            let (raw, rest) = codec::decode_memcomparable(data)?;
            (Value::Bytes(Bytes::from(raw)), rest)
        }
        3 => word().map(|(w, rest)| (Value::Int(codec::from_cmp_i64(*w)), rest))?,
        4 => word().map(|(w, rest)| (Value::Uint(u64::from_be_bytes(*w)), rest))?,
        5 => word().map(|(w, rest)| (Value::Double(codec::from_cmp_f64(*w)), rest))?,
        6 => {
            let (text, len) = crate::encode::decimal::decimal_text(data)?;
            (Value::Decimal(text.into()), data.get(len..)?)
        }
        7 => word().map(|(w, rest)| (Value::Duration(codec::from_cmp_i64(*w)), rest))?,
        _ => return None,
    })
}
