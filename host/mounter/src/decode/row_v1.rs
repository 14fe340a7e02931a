//! Rows in format 1.

use super::{Datum, Fault, read_datum};

/// A row as pairs of column id and value, in any order. A row without columns is one zero byte.
#[derive(Clone, Copy, Debug)]
pub struct RowV1<'a> {
    rest: &'a [u8],
}

impl<'a> RowV1<'a> {
    /// Starts reading.
    #[must_use]
    pub fn new(row: &'a [u8]) -> Self {
        Self { rest: if row == [0] { &[] } else { row } }
    }

    fn pair(&mut self) -> Result<(i64, Datum<'a>), Fault> {
        match read_datum(&mut self.rest)? {
            Datum::Int(id) => Ok((id, read_datum(&mut self.rest)?)),
            _ => Err(Fault("a column id of the row is not an integer")),
        }
    }
}

impl<'a> Iterator for RowV1<'a> {
    type Item = Result<(i64, Datum<'a>), Fault>;

    /// Ends after the first error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let pair = self.pair();
        if pair.is_err() {
            self.rest = &[];
        }
        Some(pair)
    }
}
