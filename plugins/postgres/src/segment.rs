//! Changes of one table version between two flushes.

use crate::bad::faulty;
use crate::statements::Writer;
use crate::table::Table;
use hashbrown::HashMap;
use tg_sql_common::{Effect, Kept, KeyMode, Limits, RowRef, Segment, push_key, touch};
use tgr1::{Batch, FormatError, Image, ImageKind, Row};
use tidegate_sdk::BadEvent;
use tidegate_sdk::sql::Blocks;

/// Bytes an entry takes besides its key.
const ENTRY_BYTES: usize = size_of::<Entry>() + 2 * size_of::<usize>();

/// The last state of one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    row: RowRef,
    pub(crate) effect: Effect,
}

impl Entry {
    /// The image that tells the state.
    pub(crate) fn image<'a>(&self, kept: &'a Kept) -> Option<Image<'a>> {
        kept.get(self.row)?.image(if self.effect.put { ImageKind::After } else { ImageKind::Before })
    }
}

/// Rows are read from their batches when statements are made of them: a row may be needed by each of its unique keys.
#[derive(Default)]
pub struct Changes {
    /// Last states, in the order in which their keys came.
    pub(crate) entries: Vec<Entry>,
    by_key: HashMap<Vec<u8>, usize>,
    /// Of tables without a key: every change, in commit order.
    pub(crate) rows: Vec<RowRef>,
    bytes: usize,
}

impl Segment for Changes {
    type Table = Table;

    fn take(&mut self, table: &Table, batch: &Batch<'_>, kept: &mut Kept) -> Result<Vec<BadEvent>, FormatError> {
        let mut bad = Vec::new();
        for (i, row) in batch.iter().enumerate() {
            if let Some((column, why)) = faulty(table, &row)? {
                let name = table.names.get(column).map_or("", String::as_str);
                let message = format!("the column {name} of {} {}", table.name, why.reason());
                bad.push(BadEvent { row: i as u32, code: why.code().to_owned(), message });
            } else {
                self.note(table, row, kept.upcoming(i))?;
            }
        }
        if bad.len() < batch.len() {
            kept.keep(batch)?;
        }
        Ok(bad)
    }

    fn len_bytes(&self) -> usize {
        self.bytes
    }

    fn write(
        &self,
        table: &Table,
        kept: &Kept,
        safe: bool,
        limits: Limits,
        out: &mut Blocks,
    ) -> Result<u64, FormatError> {
        let writer = Writer { table, changes: self, kept, limits, safe };
        if table.mode == KeyMode::Keyless {
            writer.keyless(out)?
        } else {
            writer.keyed(out)?
        }
        Ok((self.entries.len() + self.rows.len()) as u64)
    }
}

impl Changes {
    fn note(&mut self, table: &Table, row: Row<'_>, at: RowRef) -> Result<(), FormatError> {
        if table.mode == KeyMode::Keyless {
            self.rows.push(at);
            self.bytes += size_of::<RowRef>();
            return Ok(());
        }
        let columns = &table.key.columns;
        touch(row, columns, |image, effect| {
            let mut key = Vec::with_capacity(columns.len() * size_of::<u64>());
            push_key(&mut key, image, columns)?;
            self.set(key, Entry { row: at, effect });
            Ok(())
        })
    }

    fn set(&mut self, key: Vec<u8>, mut entry: Entry) {
        let bytes = key.len() + ENTRY_BYTES;
        let next = self.entries.len();
        let at = *self.by_key.entry(key).or_insert(next);
        match self.entries.get_mut(at) {
            Some(known) => {
                entry.effect.fresh = known.effect.fresh;
                *known = entry;
            }
            None => {
                self.entries.push(entry);
                self.bytes += bytes;
            }
        }
    }
}
