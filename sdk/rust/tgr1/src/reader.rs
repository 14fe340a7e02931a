//! Reading a batch in place.

use crate::bytes::{u16_at, u32_at, u64_at};
use crate::layout::{COLUMN_LEN, HEADER_LEN, ROW_HEADER_LEN, SLOT_LEN, bitmap_len, head, row};
use crate::{COLUMNS_MAX, ColumnSpec, FormatError, ImageKind, Logical, MAGIC, Op, Row, SlotKind, batch_flags};

/// Where things are, computed once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Layout {
    pub(crate) map_at: usize,
    pub(crate) index_at: usize,
    pub(crate) rows: usize,
    pub(crate) row_header: usize,
    pub(crate) image: ImageLayout,
}

/// Where things are within an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ImageLayout {
    pub(crate) columns: usize,
    /// Offset of the absent bitmap; 0: there is none.
    pub(crate) absent_off: usize,
    pub(crate) slots_off: usize,
}

impl ImageLayout {
    pub(crate) const fn fixed_len(self) -> usize {
        self.slots_off + self.columns * SLOT_LEN
    }
}

/// A checked batch over borrowed bytes.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    data: &'a [u8],
    layout: Layout,
}

impl<'a> Batch<'a> {
    /// Checks the batch: header, column map, row index, lengths and image offsets. Takes O(rows + columns).
    /// Offsets of strings are checked when they are read.
    ///
    /// # Errors
    /// When the bytes are not a batch of this major version.
    pub fn parse(data: &'a [u8]) -> Result<Self, FormatError> {
        let (data, layout) = parse_head(data)?;
        for col in 0..layout.image.columns {
            column_at(data, layout.map_at + col * COLUMN_LEN)?;
        }
        for i in 0..layout.rows {
            check_row(data, &layout, i)?;
        }
        Ok(Self { data, layout })
    }

    pub(crate) const fn from_checked(data: &'a [u8], layout: Layout) -> Self {
        Self { data, layout }
    }

    pub(crate) const fn layout(&self) -> Layout {
        self.layout
    }

    /// The bytes of the batch.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.data
    }

    /// Table id (logical).
    #[must_use]
    pub fn table(&self) -> u64 {
        u64_at(self.data, head::TABLE)
    }

    /// Schema version.
    #[must_use]
    pub fn version(&self) -> u64 {
        u64_at(self.data, head::VERSION)
    }

    /// Minor version of the format it was written in.
    #[must_use]
    pub fn minor(&self) -> u16 {
        u16_at(self.data, head::MINOR)
    }

    /// [`batch_flags`].
    #[must_use]
    pub fn flags(&self) -> u16 {
        u16_at(self.data, head::FLAGS)
    }

    /// Smallest and greatest commit-ts; zeros for an empty batch.
    #[must_use]
    pub fn commit_ts_range(&self) -> (u64, u64) {
        (u64_at(self.data, head::MIN_COMMIT_TS), u64_at(self.data, head::MAX_COMMIT_TS))
    }

    /// Rows in the batch.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.layout.rows
    }

    /// Whether there are no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.layout.rows == 0
    }

    /// Columns of each image.
    #[must_use]
    pub const fn column_count(&self) -> usize {
        self.layout.image.columns
    }

    /// One column of the map.
    #[must_use]
    pub fn column(&self, col: usize) -> Option<ColumnSpec> {
        (col < self.column_count()).then(|| column_at(self.data, self.layout.map_at + col * COLUMN_LEN).ok()).flatten()
    }

    /// The columns of each image, in order.
    pub fn columns(&self) -> impl Iterator<Item = ColumnSpec> + use<'a> {
        let batch = *self;
        (0..self.column_count()).filter_map(move |col| batch.column(col))
    }

    /// One row.
    #[must_use]
    #[inline]
    pub fn row(&self, i: usize) -> Option<Row<'a>> {
        if i >= self.layout.rows {
            return None;
        }
        let at = u32_at(self.data, self.layout.index_at + i * 4) as usize;
        let tail = self.data.get(at..)?;
        let data = tail.get(..u32_at(tail, row::ROW_LEN) as usize)?;
        Some(Row::new(data, self.layout.image))
    }

    /// All rows, in order.
    #[must_use]
    pub const fn iter(&self) -> Rows<'a> {
        Rows { batch: *self, next: 0 }
    }
}

impl<'a> IntoIterator for &Batch<'a> {
    type Item = Row<'a>;
    type IntoIter = Rows<'a>;

    fn into_iter(self) -> Rows<'a> {
        self.iter()
    }
}

/// Rows of a batch in order.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    batch: Batch<'a>,
    next: usize,
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    #[inline]
    fn next(&mut self) -> Option<Row<'a>> {
        let row = self.batch.row(self.next)?;
        self.next += 1;
        Some(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Rows<'_> {}

fn parse_head(data: &[u8]) -> Result<(&[u8], Layout), FormatError> {
    if data.get(..4) != Some(&MAGIC[..]) {
        return Err(FormatError::Magic);
    }
    if data.len() < HEADER_LEN {
        return Err(FormatError::Bounds("header"));
    }
    let field = |at| u32_at(data, at) as usize;
    let (header_len, row_header) = (field(head::HEADER_LEN), field(head::ROW_HEADER_LEN));
    if header_len < HEADER_LEN || !header_len.is_multiple_of(8) {
        return Err(FormatError::Align("header length"));
    }
    if row_header < ROW_HEADER_LEN || !row_header.is_multiple_of(8) {
        return Err(FormatError::Align("row header length"));
    }
    let columns = field(head::COLUMNS);
    let (index_at, rows) = (field(head::INDEX_OFF), field(head::ROWS));
    let data = data.get(..field(head::TOTAL_LEN)).ok_or(FormatError::Bounds("total length"))?;
    if columns > COLUMNS_MAX {
        return Err(FormatError::Bounds("column count"));
    }
    // 64-bit sums: on a 32-bit guest these lengths could wrap.
    let map_end = header_len as u64 + (columns * COLUMN_LEN) as u64;
    let index_end = index_at as u64 + rows as u64 * 4;
    if map_end > index_at as u64 {
        return Err(FormatError::Bounds("column map"));
    }
    if !index_at.is_multiple_of(8) {
        return Err(FormatError::Align("row index"));
    }
    if index_end > data.len() as u64 {
        return Err(FormatError::Bounds("row index"));
    }
    let bitmap = bitmap_len(columns);
    let absent = u16_at(data, head::FLAGS) & batch_flags::ABSENT != 0;
    let (absent_off, slots_off) = if absent { (bitmap, bitmap * 2) } else { (0, bitmap) };
    let image = ImageLayout { columns, absent_off, slots_off };
    Ok((data, Layout { map_at: header_len, index_at, rows, row_header, image }))
}

fn column_at(data: &[u8], at: usize) -> Result<ColumnSpec, FormatError> {
    let [slot, logical] = u16_at(data, at + 2).to_le_bytes();
    let unknown = |what, number: u8| FormatError::Unknown { what, number: number.into() };
    Ok(ColumnSpec {
        position: u16_at(data, at),
        slot: SlotKind::from_u8(slot).ok_or(unknown("slot kind", slot))?,
        logical: Logical::from_u8(logical).ok_or(unknown("logical type", logical))?,
    })
}

fn check_row(data: &[u8], layout: &Layout, i: usize) -> Result<(), FormatError> {
    let at = u32_at(data, layout.index_at + i * 4) as usize;
    let first = layout.map_at + layout.image.columns * COLUMN_LEN;
    if !at.is_multiple_of(8) || at < first {
        return Err(FormatError::Align("row offset"));
    }
    let room = layout.index_at.saturating_sub(at);
    if room < layout.row_header {
        return Err(FormatError::Bounds("row offset"));
    }
    let row_len = u32_at(data, at + row::ROW_LEN) as usize;
    if !row_len.is_multiple_of(8) || row_len < layout.row_header {
        return Err(FormatError::Align("row length"));
    }
    if row_len > room {
        return Err(FormatError::Bounds("row length"));
    }
    let [op, images] = u16_at(data, at + row::OP).to_le_bytes();
    if Op::from_u8(op).is_none() {
        return Err(FormatError::Unknown { what: "op", number: op.into() });
    }
    for kind in [ImageKind::After, ImageKind::Before] {
        if images & kind.bit() != 0 {
            let image = u32_at(data, at + kind.field()) as usize;
            if !image.is_multiple_of(8) || image < layout.row_header {
                return Err(FormatError::Align("image offset"));
            }
            if image > row_len || row_len - image < layout.image.fixed_len() {
                return Err(FormatError::Bounds("image"));
            }
        }
    }
    Ok(())
}
