//! Writing a batch in one pass.

use crate::bytes::{pad8, put};
use crate::layout::{COLUMN_LEN, HEADER_LEN, ROW_HEADER_LEN, SLOT_LEN, bitmap_len, head, row};
use crate::reader::ImageLayout;
use crate::{
    BATCH_LIMIT_BYTES, BatchFull, COLUMNS_MAX, ColumnSpec, Image, ImageKind, MAGIC, MINOR, Op, Row, SlotKind,
    batch_flags,
};

/// Writes rows of one table version, the index last.
///
/// For each row: [`begin_row`](Self::begin_row), for each image [`begin_image`](Self::begin_image) and the
/// `put_…` calls, then [`end_row`](Self::end_row). Columns that are not put are NULL. Calls out of this order, and columns
/// that do not exist, are errors of the program and panic.
#[derive(Debug)]
pub struct BatchWriter {
    buf: Vec<u8>,
    index: Vec<u32>,
    columns: Vec<ColumnSpec>,
    /// An image with every column NULL: bitmaps and zero slots.
    blank: Vec<u8>,
    /// Header and column map of an empty batch.
    head: Vec<u8>,
    slots_off: usize,
    row_at: Option<usize>,
    image_at: usize,
    commit_ts: u64,
    min_ts: u64,
    max_ts: u64,
    /// Both as they were before the last row.
    range_before: (u64, u64),
    flags: u16,
    capacity: usize,
}

impl BatchWriter {
    /// A writer for rows of `table` at schema `version`; `capacity` bytes are set aside for each batch.
    ///
    /// # Panics
    /// With more than [`COLUMNS_MAX`] columns.
    #[must_use]
    pub fn new(table: u64, version: u64, columns: &[ColumnSpec], capacity: usize) -> Self {
        Self::with_flags(table, version, columns, capacity, 0)
    }

    /// A writer whose batches carry these [`batch_flags`]; with [`batch_flags::ABSENT`] the images have an absent bitmap.
    ///
    /// # Panics
    /// With more than [`COLUMNS_MAX`] columns.
    #[must_use]
    pub fn with_flags(table: u64, version: u64, columns: &[ColumnSpec], capacity: usize, flags: u16) -> Self {
        assert!(columns.len() <= COLUMNS_MAX, "a batch has at most {COLUMNS_MAX} columns");
        let bitmap = bitmap_len(columns.len());
        let bitmaps = if flags & batch_flags::ABSENT == 0 { 1 } else { 2 };
        let slots_off = bitmap * bitmaps;
        let mut blank = vec![0; slots_off + columns.len() * SLOT_LEN];
        for col in 0..columns.len() {
            blank[col / 8] |= 1 << (col % 8);
        }
        let mut writer = Self {
            buf: Vec::with_capacity(capacity),
            index: Vec::new(),
            columns: columns.to_vec(),
            blank,
            head: head_bytes(table, version, columns, flags),
            slots_off,
            row_at: None,
            image_at: 0,
            commit_ts: 0,
            min_ts: u64::MAX,
            max_ts: 0,
            range_before: (u64::MAX, 0),
            flags,
            capacity,
        };
        writer.reset();
        writer
    }

    /// The columns of each image.
    #[must_use]
    pub fn columns(&self) -> &[ColumnSpec] {
        &self.columns
    }

    /// Complete rows so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.index.len()
    }

    /// Size of the batch if it were finished now, in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.buf.len() + (self.index.len() * 4).next_multiple_of(8)
    }

    /// Marks the batch as one that may hold rows handed over before, until it is finished or reset.
    pub fn mark_maybe_repeated(&mut self) {
        put(&mut self.buf, head::FLAGS, &(self.flags | batch_flags::MAYBE_REPEATED).to_le_bytes());
    }

    /// Starts a row; one left open before is undone. `flags`: [`crate::row_flags`].
    #[inline]
    pub fn begin_row(&mut self, commit_ts: u64, start_ts: u64, op: Op, flags: u16) {
        self.abort_row();
        let at = self.buf.len();
        let mut header = [0; ROW_HEADER_LEN];
        put(&mut header, row::COMMIT_TS, &commit_ts.to_le_bytes());
        put(&mut header, row::START_TS, &start_ts.to_le_bytes());
        header[row::OP] = op as u8;
        put(&mut header, row::FLAGS, &flags.to_le_bytes());
        self.buf.extend_from_slice(&header);
        self.row_at = Some(at);
        self.image_at = 0;
        self.commit_ts = commit_ts;
    }

    /// Starts an image of the open row; the one before it ends. All its columns are NULL until put.
    ///
    /// # Panics
    /// Without an open row.
    #[inline]
    pub fn begin_image(&mut self, kind: ImageKind) {
        let row_at = self.open_row();
        pad8(&mut self.buf);
        self.image_at = self.buf.len();
        let offset = (self.image_at - row_at) as u32;
        put(&mut self.buf, row_at + kind.field(), &offset.to_le_bytes());
        self.buf[row_at + row::IMAGES] |= kind.bit();
        self.buf.extend_from_slice(&self.blank);
    }

    /// Puts a signed integer ([`SlotKind::I64`]).
    #[inline]
    pub fn put_i64(&mut self, col: usize, value: i64) {
        self.put_slot(col, SlotKind::I64, value.to_le_bytes());
    }

    /// Puts an unsigned integer ([`SlotKind::U64`]).
    #[inline]
    pub fn put_u64(&mut self, col: usize, value: u64) {
        self.put_slot(col, SlotKind::U64, value.to_le_bytes());
    }

    /// Puts a double ([`SlotKind::F64`]).
    #[inline]
    pub fn put_f64(&mut self, col: usize, value: f64) {
        self.put_slot(col, SlotKind::F64, value.to_le_bytes());
    }

    /// Puts a string or bytes ([`SlotKind::Bytes`]).
    #[inline]
    pub fn put_bytes(&mut self, col: usize, value: &[u8]) {
        let at = self.buf.len();
        self.buf.extend_from_slice(value);
        self.put_tail(col, at);
    }

    /// Puts what `write` appends to the buffer it is given. `write` must not touch what is there already. When it
    /// fails, its answer is passed on and the row should be undone.
    ///
    /// # Panics
    /// When the buffer is shorter afterwards.
    #[inline]
    pub fn put_bytes_with<R>(&mut self, col: usize, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let at = self.buf.len();
        let answer = write(&mut self.buf);
        assert!(self.buf.len() >= at, "a value writer cut the batch");
        self.put_tail(col, at);
        answer
    }

    /// Makes a column NULL (again).
    pub fn put_null(&mut self, col: usize) {
        let slot = self.slot_at(col);
        put(&mut self.buf, slot, &[0; SLOT_LEN]);
        self.buf[self.image_at + col / 8] |= 1 << (col % 8);
    }

    /// Makes a column NULL and absent: its value is not known.
    ///
    /// # Panics
    /// When the batch has no absent bitmap.
    pub fn put_absent(&mut self, col: usize) {
        assert!(self.flags & batch_flags::ABSENT != 0, "the batch has no absent bitmap");
        self.put_null(col);
        self.buf[self.image_at + bitmap_len(self.columns.len()) + col / 8] |= 1 << (col % 8);
    }

    /// Sets the flags of the open row.
    ///
    /// # Panics
    /// Without an open row.
    pub fn set_row_flags(&mut self, flags: u16) {
        let at = self.open_row();
        put(&mut self.buf, at + row::FLAGS, &flags.to_le_bytes());
    }

    /// Sets where the open row goes.
    ///
    /// # Panics
    /// Without an open row.
    pub fn set_route(&mut self, partition: u32, target: u16, lane: u16) {
        let at = self.open_row();
        put(&mut self.buf, at + row::PARTITION, &partition.to_le_bytes());
        put(&mut self.buf, at + row::TARGET, &target.to_le_bytes());
        put(&mut self.buf, at + row::LANE, &lane.to_le_bytes());
    }

    /// Completes the row.
    ///
    /// # Errors
    /// When the batch would become too large; the row is undone then. Finish the batch and write the row to the next one;
    /// a row that does not fit into an empty batch fits nowhere.
    ///
    /// # Panics
    /// Without an open row.
    #[inline]
    pub fn end_row(&mut self) -> Result<(), BatchFull> {
        let at = self.open_row();
        pad8(&mut self.buf);
        if self.len_bytes() + 8 > BATCH_LIMIT_BYTES {
            let row_bytes = self.buf.len() - at;
            self.abort_row();
            return Err(BatchFull { row_bytes, batch_bytes: self.len_bytes() });
        }
        let row_len = (self.buf.len() - at) as u32;
        put(&mut self.buf, at + row::ROW_LEN, &row_len.to_le_bytes());
        self.index.push(at as u32);
        self.range_before = (self.min_ts, self.max_ts);
        self.min_ts = self.min_ts.min(self.commit_ts);
        self.max_ts = self.max_ts.max(self.commit_ts);
        self.row_at = None;
        Ok(())
    }

    /// Undoes the open row, if there is one.
    #[inline]
    pub fn abort_row(&mut self) {
        if let Some(at) = self.row_at.take() {
            self.buf.truncate(at);
        }
    }

    /// Sets the flags of the last complete row; nothing happens when there is none.
    pub fn set_last_row_flags(&mut self, flags: u16) {
        if let Some(at) = self.index.last() {
            put(&mut self.buf, *at as usize + row::FLAGS, &flags.to_le_bytes());
        }
    }

    /// Undoes the last complete row (and an open one). Undoing more than one after the other leaves
    /// the batch's range of commit-ts wider than its rows.
    pub fn pop_row(&mut self) {
        self.abort_row();
        if let Some(at) = self.index.pop() {
            self.buf.truncate(at as usize);
            (self.min_ts, self.max_ts) = self.range_before;
        }
    }

    /// An image of the open row as written so far.
    #[must_use]
    pub fn open_image(&self, kind: ImageKind) -> Option<Image<'_>> {
        let columns = self.columns.len();
        let absent_off = if self.flags & batch_flags::ABSENT == 0 { 0 } else { bitmap_len(columns) };
        let layout = ImageLayout { columns, absent_off, slots_off: self.slots_off };
        Row::new(self.buf.get(self.row_at?..)?, layout).image(kind)
    }

    /// Completes the batch and starts an empty one. A row left open is undone.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        self.finish_with(Vec::with_capacity(self.capacity))
    }

    /// As [`finish`](Self::finish); the next batch is written into `spare`, whose content is dropped.
    #[must_use]
    pub fn finish_with(&mut self, spare: Vec<u8>) -> Vec<u8> {
        self.abort_row();
        let index_off = self.buf.len() as u32;
        for offset in &self.index {
            self.buf.extend_from_slice(&offset.to_le_bytes());
        }
        pad8(&mut self.buf);
        let total = self.buf.len() as u32;
        let min_ts = if self.index.is_empty() { 0 } else { self.min_ts };
        put(&mut self.buf, head::ROWS, &(self.index.len() as u32).to_le_bytes());
        put(&mut self.buf, head::INDEX_OFF, &index_off.to_le_bytes());
        put(&mut self.buf, head::TOTAL_LEN, &total.to_le_bytes());
        put(&mut self.buf, head::MIN_COMMIT_TS, &min_ts.to_le_bytes());
        put(&mut self.buf, head::MAX_COMMIT_TS, &self.max_ts.to_le_bytes());
        let done = std::mem::replace(&mut self.buf, spare);
        self.reset();
        done
    }

    /// Drops all rows and keeps the buffer.
    pub fn reset(&mut self) {
        self.buf.clear();
        self.buf.extend_from_slice(&self.head);
        self.index.clear();
        self.row_at = None;
        self.min_ts = u64::MAX;
        self.max_ts = 0;
    }

    #[inline]
    fn open_row(&self) -> usize {
        assert!(self.row_at.is_some(), "no row is open");
        self.row_at.unwrap_or_default()
    }

    #[inline]
    fn slot_at(&self, col: usize) -> usize {
        assert!(self.image_at != 0 && col < self.columns.len(), "no image is open or it has no column {col}");
        self.image_at + self.slots_off + col * SLOT_LEN
    }

    #[inline]
    fn put_slot(&mut self, col: usize, kind: SlotKind, bits: [u8; SLOT_LEN]) {
        let at = self.slot_at(col);
        assert!(self.columns[col].slot == kind, "column {col} has another slot kind than {kind:?}");
        put(&mut self.buf, at, &bits);
        self.buf[self.image_at + col / 8] &= !(1 << (col % 8));
    }

    /// Makes everything from `at` on the value of a column.
    #[inline]
    fn put_tail(&mut self, col: usize, at: usize) {
        let offset = (at - self.open_row()) as u32;
        let len = (self.buf.len() - at) as u32;
        let bits = u64::from(offset) | u64::from(len) << 32;
        self.put_slot(col, SlotKind::Bytes, bits.to_le_bytes());
    }
}

/// Header and column map of an empty batch.
fn head_bytes(table: u64, version: u64, columns: &[ColumnSpec], flags: u16) -> Vec<u8> {
    let mut out = vec![0; HEADER_LEN];
    put(&mut out, 0, &MAGIC);
    put(&mut out, head::MINOR, &MINOR.to_le_bytes());
    put(&mut out, head::FLAGS, &flags.to_le_bytes());
    put(&mut out, head::HEADER_LEN, &(HEADER_LEN as u32).to_le_bytes());
    put(&mut out, head::COLUMNS, &(columns.len() as u32).to_le_bytes());
    put(&mut out, head::TABLE, &table.to_le_bytes());
    put(&mut out, head::VERSION, &version.to_le_bytes());
    put(&mut out, head::ROW_HEADER_LEN, &(ROW_HEADER_LEN as u32).to_le_bytes());
    for column in columns {
        let mut entry = [0; COLUMN_LEN];
        put(&mut entry, 0, &column.position.to_le_bytes());
        entry[2] = column.slot as u8;
        entry[3] = column.logical as u8;
        out.extend_from_slice(&entry);
    }
    out
}
