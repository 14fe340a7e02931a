//! What was written since the last flush.

use crate::kept::Kept;
use crate::statements::Limits;
use crate::table::Table;
use hashbrown::HashMap;
use std::rc::Rc;
use tgr1::{Batch, FormatError};
use tidegate_sdk::BadEvent;
use tidegate_sdk::sql::Blocks;

/// Emptied segments kept for their memory.
const SPARES_MAX: usize = 4;
/// Tables that a message about a window names.
const NAMED_TABLES_MAX: usize = 3;

/// Changes of one table version within a window, kept as its dialect wants them.
pub trait Segment: Default {
    /// The table version.
    type Table: Table;

    /// Takes the rows of a batch, and tells those it cannot take. A batch that is read again later it puts into `kept`.
    ///
    /// # Errors
    /// When a row lacks an image or a key, or a string lies outside it; the segment is unusable then.
    fn take(&mut self, table: &Self::Table, batch: &Batch<'_>, kept: &mut Kept) -> Result<Vec<BadEvent>, FormatError>;

    /// Bytes held besides the kept batches.
    fn len_bytes(&self) -> usize;

    /// Appends the statements that bring the downstream to the last state, and tells the row states they write. `safe`: rows or unique
    /// values may be there already.
    ///
    /// # Errors
    /// When a string of a batch lies outside it; `out` is unusable then.
    fn write(
        &self,
        table: &Self::Table,
        kept: &Kept,
        safe: bool,
        limits: Limits,
        out: &mut Blocks,
    ) -> Result<u64, FormatError>;

    /// Empties it for another window; `None`: its memory is not worth keeping.
    fn recycled(self) -> Option<Self> {
        None
    }
}

/// Rows of one lane between two flushes.
///
/// Tables stand in the order of their first row; a table whose version changes within the window stands twice.
pub struct Window<S: Segment> {
    pub(crate) kept: Kept,
    pub(crate) segments: Vec<(Rc<S::Table>, S)>,
    /// By table: the version that came last, and the place of its segment.
    newest: HashMap<u64, (u64, usize)>,
    spares: Vec<S>,
    rows: u64,
    /// Of the segments.
    bytes: usize,
}

impl<S: Segment> Default for Window<S> {
    /// Nothing was taken.
    fn default() -> Self {
        let (kept, segments, newest, spares) = (Kept::default(), Vec::new(), HashMap::new(), Vec::new());
        Self { kept, segments, newest, spares, rows: 0, bytes: 0 }
    }
}

impl<S: Segment> Window<S> {
    /// Rows taken.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes held.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        (self.bytes + self.kept.len_bytes()) as u64
    }

    /// Whether nothing was taken.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Forgets everything and keeps some memory.
    pub fn clear(&mut self) {
        self.kept.clear();
        for (_, segment) in self.segments.drain(..) {
            if self.spares.len() < SPARES_MAX {
                self.spares.extend(segment.recycled());
            }
        }
        self.newest.clear();
        (self.rows, self.bytes) = (0, 0);
    }

    /// Takes the rows of a batch and tells those it cannot take.
    ///
    /// # Errors
    /// Those of [`Segment::take`]; the window is unusable then.
    pub fn push(&mut self, table: &Rc<S::Table>, batch: &Batch<'_>) -> Result<Vec<BadEvent>, FormatError> {
        let at = self.segment_of(table, batch);
        let Some((_, segment)) = self.segments.get_mut(at) else { return Ok(Vec::new()) };
        let before = segment.len_bytes();
        let bad = segment.take(table, batch, &mut self.kept)?;
        self.bytes = (self.bytes + segment.len_bytes()).saturating_sub(before);
        self.rows += batch.len().saturating_sub(bad.len()) as u64;
        Ok(bad)
    }

    fn segment_of(&mut self, table: &Rc<S::Table>, batch: &Batch<'_>) -> usize {
        let next = self.segments.len();
        match self.newest.get(&batch.table()) {
            Some((version, at)) if *version == batch.version() => *at,
            _ => {
                self.segments.push((Rc::clone(table), self.spares.pop().unwrap_or_default()));
                self.newest.insert(batch.table(), (batch.version(), next));
                next
            }
        }
    }

    /// What writing it is called in messages.
    pub(crate) fn describe(&self) -> String {
        let names: Vec<&str> = self.segments.iter().take(NAMED_TABLES_MAX).map(|(table, _)| table.name()).collect();
        let more = self.segments.len().saturating_sub(names.len());
        let tail = if more > 0 { format!(" and {more} more tables") } else { String::new() };
        format!("writing {} rows of {}{tail}", self.rows, names.join(", "))
    }
}
