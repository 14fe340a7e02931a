//! Statements that bring rows with a key to their last state.

use crate::keyed::{Entry, Keyed};
use crate::runs::Runs;
use crate::table::Table;
use tg_sql_common::{KeyMode, Limits};
use tidegate_sdk::sql::Blocks;

/// Writes the last states of a table's keys.
pub(crate) struct KeyedWriter<'a> {
    pub(crate) table: &'a Table,
    pub(crate) keyed: &'a Keyed,
    pub(crate) limits: Limits,
}

impl KeyedWriter<'_> {
    /// Appends the statements and tells the states they write.
    pub(crate) fn write(&self, safe: bool, out: &mut Blocks) -> u64 {
        let table = self.table;
        let entries = &self.keyed.entries;
        // A row made and gone within the window never was downstream, unless the window is a repetition.
        let gone = entries.iter().filter(|e| !e.effect.put && (safe || !e.effect.fresh));
        let deletes = self.list(&table.delete_head, b")", self.limits.keys, gone, out);
        let puts = if table.mode == KeyMode::Replace {
            self.puts(&table.replace_head, b"", entries.iter().filter(|e| e.effect.put), out)
        } else {
            let upsert = |e: &&Entry| e.effect.put && (safe || !e.effect.fresh);
            let insert = |e: &&Entry| e.effect.put && !safe && e.effect.fresh;
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
