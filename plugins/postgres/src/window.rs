//! What was written since the last flush.

use crate::bad::{Bad, check};
use crate::config::ZeroDates;
use crate::table::{ImageColumn, KeyMode, Table};
use hashbrown::HashMap;
use std::rc::Rc;
use tgr1::{Batch, BatchBuf, FormatError, Image, ImageKind, Op, Row, row_flags};
use tidegate_sdk::BadEvent;

/// Bytes an entry takes besides its key.
const ENTRY_BYTES: usize = size_of::<Entry>() + 2 * size_of::<usize>();
/// A key with a NULL in it: never with a row key, but one that was declared wrongly must not match wrong rows.
const NULL_KEY: FormatError = FormatError::Bounds("row key");

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    row: RowRef,
    /// The row is there at the end; otherwise its key is in the image before.
    pub(crate) put: bool,
    /// The first change in the window made the row, so the downstream does not have it yet.
    pub(crate) fresh: bool,
}

impl Entry {
    /// The image that tells the state.
    pub(crate) fn image<'a>(&self, batches: &'a [BatchBuf]) -> Option<Image<'a>> {
        self.row.get(batches)?.image(if self.put { ImageKind::After } else { ImageKind::Before })
    }
}

/// Changes of one table version.
#[derive(Default)]
pub(crate) struct Segment {
    /// Last states, in the order in which their keys came.
    pub(crate) entries: Vec<Entry>,
    by_key: HashMap<Vec<u8>, usize>,
    /// Of tables without a key: every change, in commit order.
    pub(crate) rows: Vec<RowRef>,
}

/// Rows of one lane between two flushes.
///
/// Tables stand in the order of their first row; a table whose version changes within the window stands twice.
#[derive(Default)]
pub struct Window {
    pub(crate) batches: Vec<BatchBuf>,
    pub(crate) segments: Vec<(Rc<Table>, Segment)>,
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

    /// Bytes held.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether nothing was taken.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes the rows of a batch and tells those it cannot take.
    ///
    /// # Errors
    /// When a row lacks an image or a key, or a string lies outside it; the window is unusable then.
    pub fn push(
        &mut self,
        table: &Rc<Table>,
        batch: &Batch<'_>,
        zero_dates: ZeroDates,
    ) -> Result<Vec<BadEvent>, FormatError> {
        let kept = BatchBuf::new(batch.as_bytes().to_vec())?;
        let number = self.batches.len() as u32;
        let at = self.segment_of(table);
        let Some((_, segment)) = self.segments.get_mut(at) else { return Ok(Vec::new()) };
        let mut bad = Vec::new();
        let (mut taken, mut held) = (0, kept.len_bytes());
        for (i, row) in batch.iter().enumerate() {
            if let Some((column, why)) = faulty(table, &row, zero_dates)? {
                let name = table.names.get(column).map_or("", String::as_str);
                let message = format!("the column {name} of {} {}", table.name, why.reason());
                bad.push(BadEvent { row: i as u32, code: why.code().to_owned(), message });
                continue;
            }
            taken += 1;
            held += segment.take(table, row, RowRef { batch: number, row: i as u32 })?;
        }
        if taken > 0 {
            self.batches.push(kept);
            self.rows += taken;
            self.bytes += held as u64;
        }
        Ok(bad)
    }

    fn segment_of(&mut self, table: &Rc<Table>) -> usize {
        let next = self.segments.len();
        let at = *self.by_table.entry(table.id.table).or_insert(next);
        if self.segments.get(at).is_some_and(|(t, _)| t.id == table.id) {
            return at;
        }
        self.segments.push((Rc::clone(table), Segment::default()));
        self.by_table.insert(table.id.table, next);
        next
    }
}

/// The images that statements are made of, with the columns used of each.
fn used<'a, 'b>(table: &'b Table, row: &Row<'a>) -> Result<Vec<(Image<'a>, &'b [ImageColumn])>, FormatError> {
    let whole = table.columns.as_slice();
    let of_before = if table.mode == KeyMode::Keyless { whole } else { &table.key.columns };
    let missing = FormatError::Bounds("image");
    match (row.op(), row.before(), row.after()) {
        (Op::Insert, _, Some(after)) => Ok(vec![(after, whole)]),
        (Op::Update, Some(before), Some(after)) => Ok(vec![(before, of_before), (after, whole)]),
        (Op::Delete, Some(before), _) => Ok(vec![(before, of_before)]),
        _ => Err(missing),
    }
}

fn faulty(table: &Table, row: &Row<'_>, zero_dates: ZeroDates) -> Result<Option<(usize, Bad)>, FormatError> {
    let images = used(table, row)?;
    let mut values = images.iter().flat_map(|(image, columns)| columns.iter().map(move |c| (image, c)));
    Ok(values.find_map(|(image, c)| check(image, c, zero_dates).map(|why| (c.at, why))))
}

impl Segment {
    /// Notes a row; tells the bytes that takes.
    fn take(&mut self, table: &Table, row: Row<'_>, at: RowRef) -> Result<usize, FormatError> {
        if table.mode == KeyMode::Keyless {
            self.rows.push(at);
            return Ok(size_of::<RowRef>());
        }
        let key_of = |image: Option<Image<'_>>| key(&image.ok_or(NULL_KEY)?, &table.key.columns);
        match row.op() {
            Op::Insert => {
                let fresh = row.flags() & row_flags::MAYBE_REPEATED == 0;
                Ok(self.set(key_of(row.after())?, Entry { row: at, put: true, fresh }))
            }
            Op::Update => {
                let (before, after) = (key_of(row.before())?, key_of(row.after())?);
                let gone =
                    if before == after { 0 } else { self.set(before, Entry { row: at, put: false, fresh: false }) };
                Ok(gone + self.set(after, Entry { row: at, put: true, fresh: false }))
            }
            Op::Delete => Ok(self.set(key_of(row.before())?, Entry { row: at, put: false, fresh: false })),
        }
    }

    fn set(&mut self, key: Vec<u8>, mut entry: Entry) -> usize {
        let bytes = key.len() + ENTRY_BYTES;
        let next = self.entries.len();
        let at = *self.by_key.entry(key).or_insert(next);
        match self.entries.get_mut(at) {
            Some(known) => {
                entry.fresh = known.fresh;
                *known = entry;
                0
            }
            None => {
                self.entries.push(entry);
                bytes
            }
        }
    }
}

/// A key's bytes: 8 for a number, and for a string those of its length before its own. No key is the beginning of another one
/// of the same table.
fn key(image: &Image<'_>, columns: &[ImageColumn]) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::with_capacity(columns.len() * 8);
    for column in columns {
        if column.literal.is_string() {
            let bytes = image.bytes(column.at).ok_or(NULL_KEY)?;
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            out.extend_from_slice(bytes);
        } else {
            out.extend_from_slice(&image.u64(column.at).ok_or(NULL_KEY)?.to_le_bytes());
        }
    }
    Ok(out)
}
