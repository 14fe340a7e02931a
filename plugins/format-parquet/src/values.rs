//! The values of one column that are not in the file yet.

use crate::kind::Kind;
use bytes::Bytes;
use parquet::basic::Type as Physical;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type,
};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;

/// Rows that are handed to the library at a time: what it needs for each is held for so many only.
const CHUNK_ROWS: usize = 4096;

/// Values in the order of their rows, NULLs left out.
#[derive(Debug)]
enum Data {
    Bool(Vec<bool>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    /// All bytes, and where each value ends.
    Bytes(Vec<u8>, Vec<usize>),
    /// All bytes, and how many a value has.
    Fixed(Vec<u8>, usize),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Values {
    data: Data,
    /// 1 for a value and 0 for NULL; `None`: NULL is not allowed.
    levels: Option<Vec<i16>>,
    rows: usize,
}

/// One value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Item<'a> {
    Bool(bool),
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
    Bytes(&'a [u8]),
}

impl Values {
    pub(crate) fn new(kind: &Kind, nullable: bool) -> Self {
        let data = match kind.physical {
            Physical::BOOLEAN => Data::Bool(Vec::new()),
            Physical::INT32 => Data::I32(Vec::new()),
            Physical::INT64 | Physical::INT96 => Data::I64(Vec::new()),
            Physical::FLOAT => Data::F32(Vec::new()),
            Physical::DOUBLE => Data::F64(Vec::new()),
            Physical::BYTE_ARRAY => Data::Bytes(Vec::new(), Vec::new()),
            Physical::FIXED_LEN_BYTE_ARRAY => Data::Fixed(Vec::new(), kind.width.max(1)),
        };
        Self { data, levels: nullable.then(Vec::new), rows: 0 }
    }

    /// Appends a value; `None`: NULL. Answers its bytes; an error says why it cannot be here.
    pub(crate) fn push(&mut self, item: Option<Item<'_>>) -> std::result::Result<usize, &'static str> {
        const OTHER: &str = "the value is not of the column's type";
        let size = match (&mut self.data, item) {
            (_, None) if self.levels.is_none() => return Err("NULL where the column allows none"),
            (_, None) => 0,
            (Data::Bool(all), Some(Item::Bool(v))) => {
                all.push(v);
                size_of::<bool>()
            }
            (Data::I32(all), Some(Item::I32(v))) => {
                all.push(v);
                size_of::<i32>()
            }
            (Data::I64(all), Some(Item::I64(v))) => {
                all.push(v);
                size_of::<i64>()
            }
            (Data::F32(all), Some(Item::F32(v))) => {
                all.push(v);
                size_of::<f32>()
            }
            (Data::F64(all), Some(Item::F64(v))) => {
                all.push(v);
                size_of::<f64>()
            }
            (Data::Bytes(all, ends), Some(Item::Bytes(v))) => {
                all.extend_from_slice(v);
                ends.push(all.len());
                v.len() + size_of::<usize>()
            }
            (Data::Fixed(all, width), Some(Item::Bytes(v))) if v.len() == *width => {
                all.extend_from_slice(v);
                v.len()
            }
            _ => return Err(OTHER),
        };
        let level = self.levels.as_mut().map_or(0, |levels| {
            levels.push(i16::from(item.is_some()));
            size_of::<i16>()
        });
        self.rows += 1;
        Ok(size + level)
    }

    /// Takes back what was appended after so many rows.
    pub(crate) fn truncate(&mut self, rows: usize) {
        while self.rows > rows {
            self.rows -= 1;
            if self.levels.as_mut().and_then(Vec::pop) != Some(0) {
                self.data.pop();
            }
        }
    }

    /// Hands everything over and is empty then.
    ///
    /// # Errors
    /// When the library refuses.
    pub(crate) fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let levels = self.levels.as_deref();
        let rows = std::mem::take(&mut self.rows);
        match &mut self.data {
            Data::Bool(all) => chunks::<BoolType>(writer, rows, levels, |from, to| part(all, from, to)),
            Data::I32(all) => chunks::<Int32Type>(writer, rows, levels, |from, to| part(all, from, to)),
            Data::I64(all) => chunks::<Int64Type>(writer, rows, levels, |from, to| part(all, from, to)),
            Data::F32(all) => chunks::<FloatType>(writer, rows, levels, |from, to| part(all, from, to)),
            Data::F64(all) => chunks::<DoubleType>(writer, rows, levels, |from, to| part(all, from, to)),
            Data::Bytes(all, ends) => {
                let all = Bytes::from(std::mem::take(all));
                let value = |i: usize| ByteArray::from(cut(&all, start(ends, i), start(ends, i + 1)));
                chunks::<ByteArrayType>(writer, rows, levels, |from, to| (from..to).map(value).collect())
            }
            Data::Fixed(all, width) => {
                let all = Bytes::from(std::mem::take(all));
                let value =
                    |i: usize| FixedLenByteArray::from(ByteArray::from(cut(&all, i * *width, (i + 1) * *width)));
                chunks::<FixedLenByteArrayType>(writer, rows, levels, |from, to| (from..to).map(value).collect())
            }
        }?;
        self.data.clear();
        if let Some(levels) = &mut self.levels {
            levels.clear();
        }
        Ok(())
    }
}

impl Data {
    fn pop(&mut self) {
        match self {
            Self::Bool(all) => drop(all.pop()),
            Self::I32(all) => drop(all.pop()),
            Self::I64(all) => drop(all.pop()),
            Self::F32(all) => drop(all.pop()),
            Self::F64(all) => drop(all.pop()),
            Self::Bytes(all, ends) => {
                ends.pop();
                all.truncate(ends.last().copied().unwrap_or(0));
            }
            Self::Fixed(all, width) => all.truncate(all.len().saturating_sub(*width)),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Bool(all) => all.clear(),
            Self::I32(all) => all.clear(),
            Self::I64(all) => all.clear(),
            Self::F32(all) => all.clear(),
            Self::F64(all) => all.clear(),
            Self::Bytes(all, ends) => {
                all.clear();
                ends.clear();
            }
            Self::Fixed(all, _) => all.clear(),
        }
    }
}

/// Where a value begins: where the one before ends.
fn start(ends: &[usize], i: usize) -> usize {
    i.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0)
}

fn part<T: Clone>(all: &[T], from: usize, to: usize) -> Vec<T> {
    all.get(from..to).unwrap_or_default().to_vec()
}

fn cut(all: &Bytes, from: usize, to: usize) -> Bytes {
    if from <= to && to <= all.len() { all.slice(from..to) } else { Bytes::new() }
}

/// Writes rows bit by bit. `values` answers those from one number to another.
fn chunks<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    rows: usize,
    levels: Option<&[i16]>,
    values: impl Fn(usize, usize) -> Vec<T::T>,
) -> Result<()> {
    let writer = writer.typed::<T>();
    let (mut row, mut value) = (0, 0);
    while row < rows {
        let next = rows.min(row + CHUNK_ROWS);
        let levels = levels.and_then(|l| l.get(row..next));
        let count = levels.map_or(next - row, |l| l.iter().filter(|level| **level == 1).count());
        writer.write_batch(&values(value, value + count), levels, None)?;
        (row, value) = (next, value + count);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Data, Item, Values};
    use crate::kind::Kind;

    #[test]
    fn what_is_taken_back_was_never_there() {
        let mut values = Values::new(&Kind::STRING, true);
        for item in [Some(Item::Bytes(b"ab")), None, Some(Item::Bytes(b"")), None, Some(Item::Bytes(b"c"))] {
            values.push(item).unwrap();
        }
        values.truncate(3);
        values.push(Some(Item::Bytes(b"d"))).unwrap();
        let Data::Bytes(all, ends) = &values.data else { panic!() };
        assert_eq!((all.as_slice(), ends.as_slice()), (&b"abd"[..], &[2, 2, 3][..]));
        assert_eq!(values.levels.as_deref(), Some(&[1, 0, 1, 1][..]));
    }

    #[test]
    fn what_does_not_belong_is_refused() {
        let mut long = Values::new(&Kind::LONG, false);
        assert!(long.push(None).is_err() && long.push(Some(Item::Bool(true))).is_err());
        assert!(long.push(Some(Item::I64(1))).is_ok());
        assert_eq!(long.rows, 1);
    }
}
