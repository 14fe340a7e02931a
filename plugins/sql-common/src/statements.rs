//! From a window to the statements of one transaction.

use crate::window::{Segment, Window};
use tgr1::FormatError;
use tidegate_sdk::sql::Blocks;

/// Bounds of one statement. A single row that is larger stands alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Rows that are put.
    pub rows: usize,
    /// Keys of rows that go.
    pub keys: usize,
    /// Bytes.
    pub bytes: usize,
}

/// What became of a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// Row states written: puts, deletes, and changes of keyless tables.
    pub effects: u64,
    /// Statements written.
    pub statements: u64,
}

/// Appends the statements that bring the downstream to the window's last state. `safe`: rows or unique values may be there already.
///
/// # Errors
/// When a string of a batch lies outside it; `out` is unusable then.
pub fn write_statements<S: Segment>(
    window: &Window<S>,
    safe: bool,
    limits: Limits,
    out: &mut Blocks,
) -> Result<Written, FormatError> {
    let before = out.len();
    let mut effects = 0;
    for (table, segment) in &window.segments {
        effects += segment.write(table, &window.kept, safe, limits, out)?;
    }
    Ok(Written { effects, statements: (out.len() - before) as u64 })
}
