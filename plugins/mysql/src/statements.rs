//! From a window to the statements of one transaction.

use crate::key::key_has_null;
use crate::keyless::write_keyless;
use crate::literal::push_value;
use crate::table::{ImageColumn, KeyMode, Table};
use crate::window::{Changes, Entry, Window};
use tgr1::{BatchBuf, FormatError, Image};
use tidegate_sdk::sql::Blocks;

/// Bounds of one statement. A single row that is larger stands alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Rows in one INSERT or REPLACE.
    pub rows: usize,
    /// Keys in one DELETE.
    pub keys: usize,
    /// Bytes of a statement.
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

/// Appends the statements that bring the downstream to the window's last state. `safe`: they may be repeated, and rows may be
/// there already.
///
/// # Errors
/// When a string of the batch lies outside it; `out` is unusable then.
pub fn write_statements(window: &Window, safe: bool, limits: Limits, out: &mut Blocks) -> Result<Written, FormatError> {
    let before = out.len();
    let mut effects = 0;
    for segment in &window.segments {
        let table = &*segment.table;
        match &segment.changes {
            Changes::Keyless(rows) => {
                effects += rows.len() as u64;
                write_keyless(table, rows, &window.batches, safe, limits, out)?;
            }
            Changes::Keyed(keyed) => {
                let writer = KeyedWriter { table, batches: &window.batches, limits };
                effects += writer.write(&keyed.entries, safe, out)?;
            }
        }
    }
    Ok(Written { effects, statements: (out.len() - before) as u64 })
}

/// Builds statements of the form head, items with commas, tail.
pub(crate) struct Packer<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) tail: &'a [u8],
    pub(crate) items_max: usize,
    pub(crate) bytes_max: usize,
    items: usize,
    start: usize,
}

impl<'a> Packer<'a> {
    pub(crate) const fn new(head: &'a [u8], tail: &'a [u8], items_max: usize, bytes_max: usize) -> Self {
        Self { head, tail, items_max, bytes_max, items: 0, start: 0 }
    }

    /// Appends one item; ends the statement before it when the item does not fit any more.
    #[inline]
    pub(crate) fn item(
        &mut self,
        out: &mut Blocks,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        if self.items == self.items_max {
            self.end(out);
        }
        let buf = out.buffer();
        if self.items == 0 {
            self.start = buf.len();
            buf.extend_from_slice(self.head);
        } else {
            buf.push(b',');
        }
        let at = buf.len();
        write(buf)?;
        self.items += 1;
        if self.items > 1 && buf.len() - self.start + self.tail.len() > self.bytes_max {
            self.carry(out, at);
        }
        Ok(())
    }

    /// Moves the item that starts at `at` to a statement of its own.
    fn carry(&mut self, out: &mut Blocks, at: usize) {
        let buf = out.buffer();
        let item = buf.split_off(at);
        buf.pop();
        buf.extend_from_slice(self.tail);
        out.end();
        let buf = out.buffer();
        self.start = buf.len();
        buf.extend_from_slice(self.head);
        buf.extend_from_slice(&item);
        self.items = 1;
    }

    /// Ends the statement in progress, if there is one.
    pub(crate) fn end(&mut self, out: &mut Blocks) {
        if self.items > 0 {
            out.buffer().extend_from_slice(self.tail);
            out.end();
            self.items = 0;
        }
    }
}

/// Appends `(v1,v2)`.
#[inline]
pub(crate) fn push_row(out: &mut Vec<u8>, image: &Image<'_>, columns: &[ImageColumn]) -> Result<(), FormatError> {
    out.push(b'(');
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_value(out, image, column.at, column.literal)?;
    }
    out.push(b')');
    Ok(())
}

struct KeyedWriter<'a> {
    table: &'a Table,
    batches: &'a [BatchBuf],
    limits: Limits,
}

impl KeyedWriter<'_> {
    fn write(&self, entries: &[Entry], safe: bool, out: &mut Blocks) -> Result<u64, FormatError> {
        let table = self.table;
        // A row made and gone within the window never was downstream, unless the window is a repetition.
        let deletes = self.deletes(entries.iter().filter(|e| !e.put && (safe || !e.fresh)), out)?;
        let puts = if table.mode == KeyMode::Replace {
            self.puts(&table.replace_head, b"", entries.iter().filter(|e| e.put), out)?
        } else {
            let upsert = |e: &&Entry| e.put && (safe || !e.fresh);
            let insert = |e: &&Entry| e.put && !safe && e.fresh;
            self.puts(&table.insert_head, &table.upsert_tail, entries.iter().filter(upsert), out)?
                + self.puts(&table.insert_head, b"", entries.iter().filter(insert), out)?
        };
        Ok(deletes + puts)
    }

    fn puts<'e>(
        &self,
        head: &[u8],
        tail: &[u8],
        entries: impl Iterator<Item = &'e Entry>,
        out: &mut Blocks,
    ) -> Result<u64, FormatError> {
        let mut packer = Packer::new(head, tail, self.limits.rows, self.limits.bytes);
        let mut count = 0;
        for entry in entries {
            let Some(image) = entry.image(self.batches) else {
                continue;
            };
            packer.item(out, |buf| push_row(buf, &image, &self.table.written))?;
            count += 1;
        }
        packer.end(out);
        Ok(count)
    }

    fn deletes<'e>(&self, entries: impl Iterator<Item = &'e Entry>, out: &mut Blocks) -> Result<u64, FormatError> {
        let key = &self.table.key;
        let mut packer = Packer::new(&self.table.delete_head, b")", self.limits.keys, self.limits.bytes);
        let mut count = 0;
        for entry in entries {
            let Some(image) = entry.image(self.batches) else {
                continue;
            };
            if key_has_null(&image, key) {
                return Err(FormatError::Bounds("row key"));
            }
            packer.item(out, |buf| match key.as_slice() {
                [one] => push_value(buf, &image, one.at, one.literal),
                several => push_row(buf, &image, several),
            })?;
            count += 1;
        }
        packer.end(out);
        Ok(count)
    }
}
