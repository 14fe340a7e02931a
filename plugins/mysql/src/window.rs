//! What was written since the last flush.

use crate::keyed::Keyed;
use crate::table::{KeyMode, Table};
use hashbrown::HashMap;
use std::rc::Rc;
use tgr1::{Batch, BatchBuf, FormatError, Op, Row};

/// Emptied segments kept for their memory.
const SPARES_MAX: usize = 4;

/// A row of a kept batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RowRef {
    batch: u32,
    row: u32,
}

impl RowRef {
    pub(crate) fn get(self, batches: &[BatchBuf]) -> Option<Row<'_>> {
        batches.get(self.batch as usize)?.batch().row(self.row as usize)
    }
}

/// Changes of one table version.
pub(crate) enum Changes {
    Keyed(Keyed),
    /// In commit order.
    Keyless(Vec<RowRef>),
}

pub(crate) struct Segment {
    pub(crate) table: Rc<Table>,
    pub(crate) changes: Changes,
}

/// Rows of one lane between two flushes.
///
/// Rows with a key are turned to text as they come, so that no batch is kept for them; batches of tables without one are.
/// Tables stand in the order of their first row; a table whose version changes within the window stands twice.
#[derive(Default)]
pub struct Window {
    pub(crate) batches: Vec<BatchBuf>,
    pub(crate) segments: Vec<Segment>,
    by_table: HashMap<u64, usize>,
    spares: Vec<Keyed>,
    rows: u64,
    bytes: u64,
}

impl Window {
    /// Rows taken.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes held.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether nothing was taken.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Forgets everything and keeps some memory.
    pub fn clear(&mut self) {
        self.batches.clear();
        for segment in self.segments.drain(..) {
            if let Changes::Keyed(keyed) = segment.changes
                && self.spares.len() < SPARES_MAX
            {
                self.spares.extend(keyed.recycled());
            }
        }
        self.by_table.clear();
        self.rows = 0;
        self.bytes = 0;
    }

    /// Takes the rows of a batch.
    ///
    /// # Errors
    /// When a row lacks an image or a key, or a string lies outside it; the window is unusable then.
    pub fn push(&mut self, table: &Rc<Table>, batch: &Batch<'_>) -> Result<(), FormatError> {
        self.rows += batch.len() as u64;
        let at = self.segment_of(table);
        let Some(segment) = self.segments.get_mut(at) else {
            return Ok(());
        };
        match &mut segment.changes {
            Changes::Keyless(list) => {
                if !batch.iter().all(has_images) {
                    return Err(FormatError::Bounds("image"));
                }
                let number = self.batches.len() as u32;
                let kept = BatchBuf::new(batch.as_bytes().to_vec())?;
                list.extend((0..kept.len() as u32).map(|row| RowRef { batch: number, row }));
                self.bytes += kept.len_bytes() as u64;
                self.batches.push(kept);
            }
            Changes::Keyed(keyed) => {
                let before = keyed.len_bytes() as u64;
                keyed.apply(table, batch)?;
                self.bytes = (self.bytes + keyed.len_bytes() as u64).saturating_sub(before);
            }
        }
        Ok(())
    }

    fn segment_of(&mut self, table: &Rc<Table>) -> usize {
        let next = self.segments.len();
        let at = *self.by_table.entry(table.id.table).or_insert(next);
        if self.segments.get(at).is_some_and(|s| s.table.id == table.id) {
            return at;
        }
        let changes = match table.mode {
            KeyMode::Keyless => Changes::Keyless(Vec::new()),
            KeyMode::Upsert | KeyMode::Replace => Changes::Keyed(self.spares.pop().unwrap_or_default()),
        };
        self.segments.push(Segment { table: Rc::clone(table), changes });
        self.by_table.insert(table.id.table, next);
        next
    }
}

/// Whether a row has the images that its kind of change demands.
fn has_images(row: Row<'_>) -> bool {
    match row.op() {
        Op::Insert => row.after().is_some(),
        Op::Update => row.before().is_some() && row.after().is_some(),
        Op::Delete => row.before().is_some(),
    }
}
