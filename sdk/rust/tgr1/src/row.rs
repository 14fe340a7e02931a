//! A row and its images.

use crate::bytes::{u16_at, u32_at, u64_at};
use crate::layout::{SLOT_LEN, row};
use crate::reader::ImageLayout;
use crate::{ColumnSpec, FormatError, ImageKind, Op, SlotKind};

/// One row of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    data: &'a [u8],
    layout: ImageLayout,
}

impl<'a> Row<'a> {
    #[inline]
    pub(crate) const fn new(data: &'a [u8], layout: ImageLayout) -> Self {
        Self { data, layout }
    }

    /// The bytes of the row, header included.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.data
    }

    /// Commit timestamp.
    #[must_use]
    pub fn commit_ts(&self) -> u64 {
        u64_at(self.data, row::COMMIT_TS)
    }

    /// Start timestamp of the transaction.
    #[must_use]
    pub fn start_ts(&self) -> u64 {
        u64_at(self.data, row::START_TS)
    }

    /// What happened.
    #[must_use]
    pub fn op(&self) -> Op {
        // `Batch::parse` let only known numbers through.
        self.data.get(row::OP).and_then(|op| Op::from_u8(*op)).unwrap_or(Op::Delete)
    }

    /// [`crate::row_flags`].
    #[must_use]
    pub fn flags(&self) -> u16 {
        u16_at(self.data, row::FLAGS)
    }

    /// Partition, as the dispatcher answered.
    #[must_use]
    pub fn partition(&self) -> u32 {
        u32_at(self.data, row::PARTITION)
    }

    /// Target, as the dispatcher answered.
    #[must_use]
    pub fn target(&self) -> u16 {
        u16_at(self.data, row::TARGET)
    }

    /// Lane, as the dispatcher answered; [`crate::LANE_DROP`]: leave the row out.
    #[must_use]
    pub fn lane(&self) -> u16 {
        u16_at(self.data, row::LANE)
    }

    /// The row as it is now; none for a delete.
    #[must_use]
    pub fn after(&self) -> Option<Image<'a>> {
        self.image(ImageKind::After)
    }

    /// The row as it was; none for an insert.
    #[must_use]
    pub fn before(&self) -> Option<Image<'a>> {
        self.image(ImageKind::Before)
    }

    /// One of the images.
    #[must_use]
    #[inline]
    pub fn image(&self, kind: ImageKind) -> Option<Image<'a>> {
        let has = self.data.get(row::IMAGES)? & kind.bit() != 0;
        has.then(|| Image { row: self.data, at: u32_at(self.data, kind.field()) as usize, layout: self.layout })
    }

    /// The image that identifies the row as it is: after, or before for a delete.
    #[must_use]
    pub fn current(&self) -> Option<Image<'a>> {
        self.after().or_else(|| self.before())
    }
}

/// A value by its slot.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// [`SlotKind::I64`].
    Int(i64),
    /// [`SlotKind::U64`].
    UInt(u64),
    /// [`SlotKind::F64`].
    Float(f64),
    /// [`SlotKind::Bytes`].
    Bytes(&'a [u8]),
}

/// The values of a row before or after the change.
///
/// The typed accessors answer `None` for NULL and for columns that do not exist, and do not check the slot kind: use the one
/// that the column map names, or [`value`](Self::value).
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    row: &'a [u8],
    at: usize,
    layout: ImageLayout,
}

impl<'a> Image<'a> {
    /// Columns in the image.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.layout.columns
    }

    /// Whether it has no columns.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.layout.columns == 0
    }

    /// Whether the value is NULL (or there is no such column).
    #[must_use]
    #[inline]
    pub fn is_null(&self, col: usize) -> bool {
        col >= self.layout.columns || self.bit(self.at, col)
    }

    /// Whether the value is not known; it reads as NULL then.
    #[must_use]
    pub fn is_absent(&self, col: usize) -> bool {
        col < self.layout.columns && self.layout.absent_off != 0 && self.bit(self.at + self.layout.absent_off, col)
    }

    /// A signed integer.
    #[must_use]
    #[inline]
    pub fn i64(&self, col: usize) -> Option<i64> {
        self.u64(col).map(u64::cast_signed)
    }

    /// An unsigned integer.
    #[must_use]
    #[inline]
    pub fn u64(&self, col: usize) -> Option<u64> {
        (!self.is_null(col)).then(|| self.raw(col))
    }

    /// A double.
    #[must_use]
    #[inline]
    pub fn f64(&self, col: usize) -> Option<f64> {
        self.u64(col).map(f64::from_bits)
    }

    /// Bytes of a string; `None` also when they would lie outside the row.
    #[must_use]
    #[inline]
    pub fn bytes(&self, col: usize) -> Option<&'a [u8]> {
        self.u64(col).and_then(|slot| self.string(slot))
    }

    /// A string; `None` also when it lies outside the row or is not UTF-8.
    #[must_use]
    pub fn str(&self, col: usize) -> Option<&'a str> {
        self.bytes(col).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The value of a column as its slot kind says; NULL for a column that does not exist.
    ///
    /// # Errors
    /// When the bytes of a string would lie outside the row.
    #[inline]
    pub fn value(&self, col: usize, spec: ColumnSpec) -> Result<Value<'a>, FormatError> {
        let Some(raw) = self.u64(col) else {
            return Ok(Value::Null);
        };
        Ok(match spec.slot {
            SlotKind::I64 => Value::Int(raw.cast_signed()),
            SlotKind::U64 => Value::UInt(raw),
            SlotKind::F64 => Value::Float(f64::from_bits(raw)),
            SlotKind::Bytes => Value::Bytes(self.string(raw).ok_or(FormatError::Bounds("string"))?),
        })
    }

    /// Whether a column holds the same value in both images, which must be of one table version.
    #[must_use]
    pub fn same_value(&self, other: &Image<'_>, col: usize, slot: SlotKind) -> bool {
        match slot {
            SlotKind::Bytes => self.is_null(col) == other.is_null(col) && self.bytes(col) == other.bytes(col),
            _ => self.u64(col) == other.u64(col),
        }
    }

    #[inline]
    fn raw(&self, col: usize) -> u64 {
        u64_at(self.row, self.at + self.layout.slots_off + col * SLOT_LEN)
    }

    #[inline]
    fn string(&self, slot: u64) -> Option<&'a [u8]> {
        let at = (slot & 0xffff_ffff) as usize;
        self.row.get(at..)?.get(..(slot >> 32) as usize)
    }

    #[inline]
    fn bit(&self, bitmap_at: usize, col: usize) -> bool {
        self.row.get(bitmap_at + col / 8).is_some_and(|byte| byte >> (col % 8) & 1 != 0)
    }
}
