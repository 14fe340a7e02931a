//! What was written since the last flush, reduced to the last state of each row key.

use crate::key::{key_eq, key_hash};
use crate::table::{KeyMode, Table};
use hashbrown::{HashMap, HashTable};
use std::rc::Rc;
use tgr1::{BatchBuf, Image, Op, Row, row_flags};

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

/// The last state of one key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    hash: u64,
    row: RowRef,
    /// The row is there at the end (its after image counts); otherwise it is gone (its before image counts).
    pub(crate) put: bool,
    /// The first change in the window made the row, so the downstream does not have it yet.
    pub(crate) fresh: bool,
}

impl Entry {
    pub(crate) fn image(self, batches: &[BatchBuf]) -> Option<Image<'_>> {
        let row = self.row.get(batches)?;
        if self.put { row.after() } else { row.before() }
    }
}

/// Changes of one table version, reduced.
#[derive(Default)]
pub(crate) struct Keyed {
    index: HashTable<u32>,
    pub(crate) entries: Vec<Entry>,
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
/// Tables stand in the order of their first row; a table whose version changes within the window stands twice.
#[derive(Default)]
pub struct Window {
    pub(crate) batches: Vec<BatchBuf>,
    pub(crate) segments: Vec<Segment>,
    by_table: HashMap<u64, usize>,
    rows: u64,
    bytes: u64,
}

impl Window {
    /// Rows taken.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of the batches kept.
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
        self.segments.clear();
        self.by_table.clear();
        self.rows = 0;
        self.bytes = 0;
    }

    /// Takes the rows of a batch.
    pub fn push(&mut self, table: &Rc<Table>, batch: BatchBuf) {
        self.rows += batch.len() as u64;
        self.bytes += batch.len_bytes() as u64;
        let number = self.batches.len() as u32;
        self.batches.push(batch);
        let at = self.segment_of(table);
        if let (Some(batch), Some(segment)) = (self.batches.get(number as usize), self.segments.get_mut(at)) {
            let rows = 0..batch.len() as u32;
            match &mut segment.changes {
                Changes::Keyless(list) => list.extend(rows.map(|row| RowRef { batch: number, row })),
                Changes::Keyed(keyed) => {
                    keyed.entries.reserve(batch.len());
                    for (row, n) in batch.batch().iter().zip(rows) {
                        keyed.apply(&self.batches, table, row, RowRef { batch: number, row: n });
                    }
                }
            }
        }
    }

    fn segment_of(&mut self, table: &Rc<Table>) -> usize {
        let next = self.segments.len();
        let at = *self.by_table.entry(table.id.table).or_insert(next);
        if self.segments.get(at).is_some_and(|s| s.table.id == table.id) {
            return at;
        }
        let changes = match table.mode {
            KeyMode::Keyless => Changes::Keyless(Vec::new()),
            KeyMode::Upsert | KeyMode::Replace => Changes::Keyed(Keyed::default()),
        };
        self.segments.push(Segment { table: Rc::clone(table), changes });
        self.by_table.insert(table.id.table, next);
        next
    }
}

impl Keyed {
    #[inline]
    fn apply(&mut self, batches: &[BatchBuf], table: &Table, row: Row<'_>, at: RowRef) {
        let repeated = row.flags() & row_flags::MAYBE_REPEATED != 0;
        match (row.op(), row.before(), row.after()) {
            (Op::Insert, _, Some(after)) => self.set(batches, table, &after, at, true, !repeated),
            (Op::Update, Some(before), Some(after)) if !key_eq(&before, &after, &table.key) => {
                self.set(batches, table, &before, at, false, false);
                self.set(batches, table, &after, at, true, false);
            }
            (Op::Update, _, Some(after)) => self.set(batches, table, &after, at, true, false),
            (Op::Delete, Some(before), _) => self.set(batches, table, &before, at, false, false),
            // An image that the format demands is missing: `MysqlSink::write` refuses such batches.
            _ => {}
        }
    }

    #[inline]
    fn set(&mut self, batches: &[BatchBuf], table: &Table, image: &Image<'_>, row: RowRef, put: bool, fresh: bool) {
        let hash = key_hash(image, &table.key);
        let entries = &mut self.entries;
        let same = |i: &u32| {
            entries.get(*i as usize).is_some_and(|e| {
                e.hash == hash && e.image(batches).is_some_and(|other| key_eq(image, &other, &table.key))
            })
        };
        if let Some(i) = self.index.find(hash, same) {
            if let Some(entry) = entries.get_mut(*i as usize) {
                entry.row = row;
                entry.put = put;
            }
            return;
        }
        let next = entries.len() as u32;
        entries.push(Entry { hash, row, put, fresh });
        self.index.insert_unique(hash, next, |i| entries.get(*i as usize).map_or(0, |e| e.hash));
    }
}
