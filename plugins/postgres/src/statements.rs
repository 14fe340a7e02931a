//! Statements that bring rows of one table to their last state.

use crate::literal::push_value;
use crate::segment::{Changes, Entry};
use crate::table::{ByKey, ImageColumn, Table};
use tg_sql_common::{Kept, KeyMode, Limits, Packer, push_tuple};
use tgr1::{FormatError, Image};
use tidegate_sdk::sql::Blocks;

/// A row that the window knows and its batch does not have.
const LOST: FormatError = FormatError::Bounds("row");

/// Writes the changes of a table. `safe`: rows other than those of the window may hold unique values that it needs.
pub(crate) struct Writer<'a> {
    pub(crate) table: &'a Table,
    pub(crate) changes: &'a Changes,
    pub(crate) kept: &'a Kept,
    pub(crate) limits: Limits,
    pub(crate) safe: bool,
}

impl Writer<'_> {
    /// Brings rows with a key to their last state.
    pub(crate) fn keyed(&self, out: &mut Blocks) -> Result<(), FormatError> {
        let replaces = self.table.mode == KeyMode::Replace;
        // A row that the window made is not downstream yet, unless the window is a repetition.
        let leaves = |e: &&Entry| !e.effect.put || (replaces && (self.safe || !e.effect.fresh));
        self.delete(&self.table.key, self.changes.entries.iter().filter(leaves), out)?;
        if replaces && self.safe {
            for other in &self.table.others {
                self.delete(other, self.puts(), out)?;
            }
        }
        let mut list = self.list(&self.table.insert_head, &self.table.upsert_tail, self.limits.rows);
        for entry in self.puts() {
            let image = entry.image(self.kept).ok_or(LOST)?;
            list.item(out, |buf| push_row(buf, &image, &self.table.columns))?;
        }
        list.end(out);
        Ok(())
    }

    fn puts(&self) -> impl Iterator<Item = &Entry> {
        self.changes.entries.iter().filter(|e| e.effect.put)
    }

    const fn list<'l>(&self, head: &'l [u8], tail: &'l [u8], items_max: usize) -> Packer<'l> {
        Packer::new(head, tail, items_max, self.limits.bytes)
    }

    /// Deletes rows by a unique key. A key with a NULL in it identifies nothing.
    fn delete<'e>(
        &self,
        key: &ByKey,
        entries: impl Iterator<Item = &'e Entry>,
        out: &mut Blocks,
    ) -> Result<(), FormatError> {
        let mut list = self.list(&key.delete_head, b")", self.limits.keys);
        for entry in entries {
            let image = entry.image(self.kept).ok_or(LOST)?;
            if key.columns.iter().any(|c| image.is_null(c.at)) {
                continue;
            }
            list.item(out, |buf| match key.columns.as_slice() {
                [one] => push_value(buf, &image, one.at, &one.literal),
                several => push_typed_row(buf, &image, several),
            })?;
        }
        list.end(out);
        Ok(())
    }

    /// One statement a change; inserts that follow one another share one. A repeated change cannot be told from a new equal row.
    pub(crate) fn keyless(&self, out: &mut Blocks) -> Result<(), FormatError> {
        let mut list = self.list(&self.table.insert_head, b"", self.limits.rows);
        for at in &self.changes.rows {
            let row = self.kept.get(*at).ok_or(LOST)?;
            if let Some(before) = row.before() {
                list.end(out);
                self.delete_one(&before, out)?;
            }
            if let Some(after) = row.after() {
                list.item(out, |buf| push_row(buf, &after, &self.table.columns))?;
            }
        }
        list.end(out);
        Ok(())
    }

    /// Deletes one of the rows that are as this image.
    fn delete_one(&self, before: &Image<'_>, out: &mut Blocks) -> Result<(), FormatError> {
        let name = self.table.name.as_bytes();
        let buf = out.buffer();
        for part in [b"DELETE FROM ", name, b" WHERE ctid=(SELECT ctid FROM ", name] {
            buf.extend_from_slice(part);
        }
        for (i, (column, name)) in self.table.columns.iter().zip(&self.table.names).enumerate() {
            buf.extend_from_slice(if i == 0 { b" WHERE " } else { b" AND " });
            buf.extend_from_slice(name.as_bytes());
            buf.extend_from_slice(b" IS NOT DISTINCT FROM ");
            push_typed(buf, before, column)?;
        }
        buf.extend_from_slice(b" LIMIT 1)");
        out.end();
        Ok(())
    }
}

/// Appends `(v1,v2)`.
fn push_row(out: &mut Vec<u8>, image: &Image<'_>, columns: &[ImageColumn]) -> Result<(), FormatError> {
    push_tuple(out, columns, |out, column| push_value(out, image, column.at, &column.literal))
}

/// The same with types: within a list of rows nothing else tells the server.
fn push_typed_row(out: &mut Vec<u8>, image: &Image<'_>, columns: &[ImageColumn]) -> Result<(), FormatError> {
    push_tuple(out, columns, |out, column| push_typed(out, image, column))
}

/// Appends `CAST(v AS t)`. A sign would come too late for `v::t`.
fn push_typed(out: &mut Vec<u8>, image: &Image<'_>, column: &ImageColumn) -> Result<(), FormatError> {
    out.extend_from_slice(b"CAST(");
    push_value(out, image, column.at, &column.literal)?;
    out.extend_from_slice(b" AS ");
    out.extend_from_slice(column.pg_type.as_bytes());
    out.push(b')');
    Ok(())
}
