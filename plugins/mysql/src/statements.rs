//! From a window to the statements of one transaction.

use crate::keyed::{Entry, Keyed};
use crate::keyless::write_keyless;
use crate::packer::Runs;
use crate::table::{KeyMode, Table};
use crate::window::{Changes, Window};
use tgr1::FormatError;
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
                effects += KeyedWriter { table, keyed, limits }.write(safe, out);
            }
        }
    }
    Ok(Written { effects, statements: (out.len() - before) as u64 })
}

struct KeyedWriter<'a> {
    table: &'a Table,
    keyed: &'a Keyed,
    limits: Limits,
}

impl KeyedWriter<'_> {
    fn write(&self, safe: bool, out: &mut Blocks) -> u64 {
        let table = self.table;
        let entries = &self.keyed.entries;
        // A row made and gone within the window never was downstream, unless the window is a repetition.
        let gone = entries.iter().filter(|e| !e.put && (safe || !e.fresh));
        let deletes = self.list(&table.delete_head, b")", self.limits.keys, gone, out);
        let puts = if table.mode == KeyMode::Replace {
            self.puts(&table.replace_head, b"", entries.iter().filter(|e| e.put), out)
        } else {
            let upsert = |e: &&Entry| e.put && (safe || !e.fresh);
            let insert = |e: &&Entry| e.put && !safe && e.fresh;
            self.puts(&table.insert_head, &table.upsert_tail, entries.iter().filter(upsert), out)
                + self.puts(&table.insert_head, b"", entries.iter().filter(insert), out)
        };
        deletes + puts
    }

    fn puts<'e>(&self, head: &[u8], tail: &[u8], entries: impl Iterator<Item = &'e Entry>, out: &mut Blocks) -> u64 {
        self.list(head, tail, self.limits.rows, entries, out)
    }

    fn list<'e>(
        &self,
        head: &[u8],
        tail: &[u8],
        items_max: usize,
        entries: impl Iterator<Item = &'e Entry>,
        out: &mut Blocks,
    ) -> u64 {
        let mut runs = Runs::new(self.keyed, head, tail, items_max, self.limits.bytes);
        let mut count = 0;
        for entry in entries {
            runs.item(out, entry);
            count += 1;
        }
        runs.end(out);
        count
    }
}
