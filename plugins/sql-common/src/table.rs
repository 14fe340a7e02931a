//! What is to be known of a table version in order to write its rows.

use tgr1::{Batch, batch_flags};
use tidegate_sdk::{Failure, TableSchema};

/// How rows of a table are brought to their new state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyMode {
    /// The row key is the only unique key: an insert that updates on conflict meets the very row.
    Upsert,
    /// There are more unique keys: rows that hold a value have to go before it is taken.
    Replace,
    /// Nothing identifies a row: one statement for each change, in order.
    Keyless,
}

impl KeyMode {
    /// By the table's keys.
    #[must_use]
    pub fn of(schema: &TableSchema) -> Self {
        let key = schema.row_key_columns();
        let mut others = schema.indexes.iter().enumerate().filter(|(i, _)| schema.row_key != Some(*i as u32));
        if key.is_empty() || key.iter().any(|p| *p as usize >= schema.columns.len()) {
            Self::Keyless
        } else if others.any(|(_, index)| index.unique || index.primary) {
            Self::Replace
        } else {
            Self::Upsert
        }
    }
}

/// One table version, prepared for writing.
pub trait Table {
    /// As statements name it.
    fn name(&self) -> &str;

    /// Columns of its batches.
    fn columns(&self) -> usize;

    /// Positions of those columns in the schema; `None`: they are all there.
    fn wanted(&self) -> Option<&[u32]> {
        None
    }

    /// Whether a window that met a row or a unique value that was there already may go through when it is written in safe mode.
    fn safe_mode_helps(&self) -> bool;
}

/// What reading rows later relies on.
pub(crate) fn check(batch: &Batch<'_>, table: &impl Table, plugin: &str) -> Result<(), Failure> {
    let position = |i: usize| table.wanted().map_or(Some(i), |w| w.get(i).map(|p| *p as usize));
    let is_there = |i: usize| batch.column(i).is_some_and(|c| Some(usize::from(c.position)) == position(i));
    if batch.column_count() != table.columns() || !(0..table.columns()).all(is_there) {
        return Err(Failure::fatal("batch", format!("rows of {} lack columns of the plan", table.name())));
    }
    let absent = batch.flags() & batch_flags::ABSENT != 0
        && batch.iter().any(|row| {
            [row.before(), row.after()].into_iter().flatten().any(|i| (0..i.len()).any(|col| i.is_absent(col)))
        });
    if absent {
        let message = format!("rows of {} lack values; the {plugin} sink needs whole rows", table.name());
        return Err(Failure::unsupported("absent-values", message));
    }
    Ok(())
}
