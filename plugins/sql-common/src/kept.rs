//! Batches that a window keeps, and rows in them.

use tgr1::{Batch, BatchBuf, FormatError, Row};

/// Batches whose rows are read when statements are made of them.
#[derive(Default)]
pub struct Kept {
    batches: Vec<BatchBuf>,
    bytes: usize,
}

/// A row of a kept batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowRef {
    batch: u32,
    row: u32,
}

impl Kept {
    /// Where a row of the batch is found once [`Kept::keep`] has taken it.
    #[must_use]
    pub fn upcoming(&self, row: usize) -> RowRef {
        RowRef { batch: self.batches.len() as u32, row: row as u32 }
    }

    /// Takes a copy of the batch.
    ///
    /// # Errors
    /// Those of [`BatchBuf::new`]: none for bytes that were parsed.
    pub fn keep(&mut self, batch: &Batch<'_>) -> Result<(), FormatError> {
        let batch = BatchBuf::new(batch.as_bytes().to_vec())?;
        self.bytes += batch.len_bytes();
        self.batches.push(batch);
        Ok(())
    }

    /// The row.
    #[must_use]
    pub fn get(&self, at: RowRef) -> Option<Row<'_>> {
        self.batches.get(at.batch as usize)?.batch().row(at.row as usize)
    }

    pub(crate) const fn len_bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn clear(&mut self) {
        self.batches.clear();
        self.bytes = 0;
    }
}
