//! Event filters on the rows of one open table.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use tg_filter::{RowFilter, RowValues, Value};
use tg_model::{RawChange, TableVersion};
use tg_mounter::{MountError, TableMounter};
use tgr1::{Batch, BatchWriter, ColumnSpec, Image, Logical, PackedTime, text};

/// Filters rows by type, and where a filter looks at values by mounting the row aside first.
pub(crate) struct TableFilter {
    rows: RowFilter,
    version: Arc<TableVersion>,
    scratch: BatchWriter,
    /// Image column by position in the table's columns.
    image_column: HashMap<u32, usize>,
    specs: Vec<ColumnSpec>,
}

impl TableFilter {
    pub(crate) fn new(rows: RowFilter, mounter: &TableMounter) -> Self {
        let image_column = mounter.positions().iter().enumerate().map(|(i, p)| (*p, i)).collect();
        Self {
            rows,
            version: Arc::clone(mounter.table()),
            scratch: mounter.writer(0, 4 << 10),
            image_column,
            specs: mounter.columns().to_vec(),
        }
    }

    /// Whether the change is left out.
    pub(crate) fn drops(&mut self, change: &RawChange, mounter: &mut TableMounter) -> Result<bool, MountError> {
        if !self.rows.looks_at_values() {
            return Ok(self.rows.drops_all(change.op));
        }
        mounter.mount(change, &mut self.scratch)?;
        let data = self.scratch.finish();
        let row = Batch::parse(&data).ok().and_then(|b| b.row(0));
        let Some(row) = row else { return Ok(false) };
        let values =
            |image| RowImage { image, version: &self.version, specs: &self.specs, place: Some(&self.image_column) };
        let (old, new) = (row.before().map(values), row.after().map(values));
        let old = old.as_ref().map(|v| v as &dyn RowValues);
        let new = new.as_ref().map(|v| v as &dyn RowValues);
        Ok(self.rows.drops(change.op, old, new))
    }
}

/// The values of one image of a row.
pub(crate) struct RowImage<'a> {
    image: Image<'a>,
    version: &'a TableVersion,
    specs: &'a [ColumnSpec],
    /// Image column by position in the table's columns; `None`: they are looked for.
    place: Option<&'a HashMap<u32, usize>>,
}

impl<'a> RowImage<'a> {
    /// Of a batch with these columns.
    pub(crate) const fn new(image: Image<'a>, version: &'a TableVersion, specs: &'a [ColumnSpec]) -> Self {
        Self { image, version, specs, place: None }
    }
}

impl RowValues for RowImage<'_> {
    fn value(&self, position: u32) -> Value<'_> {
        let place = match self.place {
            Some(place) => place.get(&position).copied(),
            None => self.specs.iter().position(|s| u32::from(s.position) == position),
        };
        let found = place.and_then(|i| Some((i, self.specs.get(i)?)));
        let Some((col, spec)) = found else { return Value::Null };
        if self.image.is_null(col) {
            return Value::Null;
        }
        self.convert(position, col, spec.logical).unwrap_or(Value::Null)
    }
}

impl RowImage<'_> {
    fn convert(&self, position: u32, col: usize, logical: Logical) -> Option<Value<'_>> {
        let ty = &self.version.columns.get(position as usize)?.ty;
        let fsp = ty.decimals.unwrap_or(0).min(6) as u8;
        let image = &self.image;
        Some(match logical {
            Logical::Int | Logical::Year => Value::Int(i128::from(image.i64(col)?)),
            Logical::UInt | Logical::Bit => Value::Int(i128::from(image.u64(col)?)),
            Logical::Float32 | Logical::Float64 => Value::Real(image.f64(col)?),
            Logical::Decimal => Value::Decimal(Cow::Borrowed(image.str(col)?)),
            Logical::Text | Logical::Json => Value::Text(Cow::Borrowed(image.str(col)?)),
            Logical::Bytes => Value::Bytes(Cow::Borrowed(image.bytes(col)?)),
            Logical::Date => written(|out| PackedTime(image.u64(col).unwrap_or(0)).date_text(out)),
            Logical::DateTime | Logical::Timestamp => {
                written(|out| PackedTime(image.u64(col).unwrap_or(0)).datetime_text(out, fsp))
            }
            Logical::Time => written(|out| text::time_text(out, image.i64(col).unwrap_or(0), fsp)),
            Logical::Vector => written(|out| text::vector_text(out, image.bytes(col).unwrap_or(&[]))),
            Logical::Enum => {
                let n = image.u64(col)?.checked_sub(1);
                let name = n.and_then(|n| ty.members.get(n as usize));
                Value::Text(Cow::Borrowed(name.map_or("", String::as_str)))
            }
            Logical::Set => {
                let bits = image.u64(col)?;
                let named = ty.members.iter().enumerate().filter(|(i, _)| *i < 64 && bits >> i & 1 == 1);
                Value::Text(Cow::Owned(named.map(|(_, m)| m.as_str()).collect::<Vec<_>>().join(",")))
            }
        })
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Value<'static> {
    let mut out = Vec::new();
    write(&mut out);
    Value::Text(Cow::Owned(String::from_utf8_lossy(&out).into_owned()))
}
