//! From a window to the statements of one transaction.

use crate::lists::Lists;
use crate::literal::push_value;
use crate::table::{ByKey, ImageColumn, KeyMode, Table};
use crate::window::{Entry, RowRef, Segment, Window};
use tgr1::{BatchBuf, FormatError, Image};
use tidegate_sdk::sql::Blocks;

/// A row that the window knows and its batch does not have.
const LOST: FormatError = FormatError::Bounds("row");

/// Bounds of one statement. A single row that is larger stands alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Rows or keys.
    pub rows: usize,
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

/// Appends the statements that bring the downstream to the window's last state. `safe`: rows other than those of the window may
/// hold unique values that it needs.
///
/// # Errors
/// When a string of a batch lies outside it; `out` is unusable then.
pub fn write_statements(window: &Window, safe: bool, limits: Limits, out: &mut Blocks) -> Result<Written, FormatError> {
    let before = out.len();
    let mut effects = 0;
    for (table, segment) in &window.segments {
        let writer = Writer { table, segment, batches: &window.batches, limits, safe };
        effects += (segment.entries.len() + segment.rows.len()) as u64;
        if table.mode == KeyMode::Keyless { writer.keyless(out)? } else { writer.keyed(out)? }
    }
    Ok(Written { effects, statements: (out.len() - before) as u64 })
}

struct Writer<'a> {
    table: &'a Table,
    segment: &'a Segment,
    batches: &'a [BatchBuf],
    limits: Limits,
    safe: bool,
}

impl Writer<'_> {
    fn keyed(&self, out: &mut Blocks) -> Result<(), FormatError> {
        let replaces = self.table.mode == KeyMode::Replace;
        // A row that the window made is not downstream yet, unless the window is a repetition.
        let leaves = |e: &&Entry| !e.put || (replaces && (self.safe || !e.fresh));
        self.delete(&self.table.key, self.segment.entries.iter().filter(leaves), out)?;
        if replaces && self.safe {
            for other in &self.table.others {
                self.delete(other, self.puts(), out)?;
            }
        }
        let mut list = self.list(&self.table.insert_head, &self.table.upsert_tail);
        let mut item = Vec::new();
        for entry in self.puts() {
            item.clear();
            push_row(&mut item, &entry.image(self.batches).ok_or(LOST)?, &self.table.columns)?;
            list.item(out, &item);
        }
        list.end(out);
        Ok(())
    }

    fn puts(&self) -> impl Iterator<Item = &Entry> {
        self.segment.entries.iter().filter(|e| e.put)
    }

    const fn list<'l>(&self, head: &'l [u8], tail: &'l [u8]) -> Lists<'l> {
        Lists::new(head, tail, self.limits.rows, self.limits.bytes)
    }

    /// Deletes rows by a unique key. A key with a NULL in it identifies nothing.
    fn delete<'e>(
        &self,
        key: &ByKey,
        entries: impl Iterator<Item = &'e Entry>,
        out: &mut Blocks,
    ) -> Result<(), FormatError> {
        let mut list = self.list(&key.delete_head, b")");
        let mut item = Vec::new();
        for entry in entries {
            let image = entry.image(self.batches).ok_or(LOST)?;
            if key.columns.iter().any(|c| image.is_null(c.at)) {
                continue;
            }
            item.clear();
            match key.columns.as_slice() {
                [one] => push_value(&mut item, &image, one.at, &one.literal)?,
                several => push_typed_row(&mut item, &image, several)?,
            }
            list.item(out, &item);
        }
        list.end(out);
        Ok(())
    }

    /// One statement a change; inserts that follow one another share one. A repeated change cannot be told from a new equal row.
    fn keyless(&self, out: &mut Blocks) -> Result<(), FormatError> {
        let mut list = self.list(&self.table.insert_head, b"");
        let mut item = Vec::new();
        for row in self.segment.rows.iter().map(|r: &RowRef| r.get(self.batches)) {
            let row = row.ok_or(LOST)?;
            if let Some(before) = row.before() {
                list.end(out);
                self.delete_one(&before, out)?;
            }
            if let Some(after) = row.after() {
                item.clear();
                push_row(&mut item, &after, &self.table.columns)?;
                list.item(out, &item);
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
    push_each(out, columns, |out, column| push_value(out, image, column.at, &column.literal))
}

/// The same with types: within a list of rows nothing else tells the server.
fn push_typed_row(out: &mut Vec<u8>, image: &Image<'_>, columns: &[ImageColumn]) -> Result<(), FormatError> {
    push_each(out, columns, |out, column| push_typed(out, image, column))
}

fn push_each(
    out: &mut Vec<u8>,
    columns: &[ImageColumn],
    push: impl Fn(&mut Vec<u8>, &ImageColumn) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    out.push(b'(');
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push(out, column)?;
    }
    out.push(b')');
    Ok(())
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
