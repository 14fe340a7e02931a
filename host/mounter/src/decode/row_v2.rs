//! Rows in format 2.

use super::Fault;

/// First byte of a row in this format.
const VERSION: u8 = 128;
const FLAG_LARGE: u8 = 1;
const FLAG_CHECKSUM: u8 = 2;

/// A row: ids of non-null columns, ids of null columns, end offsets, data.
#[derive(Clone, Copy, Debug)]
pub struct RowV2<'a> {
    row: &'a [u8],
    ids: &'a [u8],
    null_ids: &'a [u8],
    ends: &'a [u8],
    data: &'a [u8],
    large: bool,
    checksum: bool,
}

impl<'a> RowV2<'a> {
    /// Whether these bytes are in format 2 at all.
    #[must_use]
    pub fn is(row: &[u8]) -> bool {
        row.first() == Some(&VERSION)
    }

    /// Finds the parts.
    ///
    /// # Errors
    /// When they do not fit the bytes.
    #[inline]
    pub fn parse(row: &'a [u8]) -> Result<Self, Fault> {
        let (&[version, flags, n0, n1, m0, m1], body) = row.split_first_chunk().ok_or(Fault::SHORT)?;
        if version != VERSION {
            return Err(Fault("the row is not in format 2"));
        }
        let large = flags & FLAG_LARGE != 0;
        let (id_len, end_len) = if large { (4, 4) } else { (1, 2) };
        let not_null = usize::from(u16::from_le_bytes([n0, n1]));
        let null = usize::from(u16::from_le_bytes([m0, m1]));
        let (ids, body) = body.split_at_checked(not_null * id_len).ok_or(Fault::SHORT)?;
        let (null_ids, body) = body.split_at_checked(null * id_len).ok_or(Fault::SHORT)?;
        let (ends, data) = body.split_at_checked(not_null * end_len).ok_or(Fault::SHORT)?;
        let mut parsed = Self { row, ids, null_ids, ends, data, large, checksum: flags & FLAG_CHECKSUM != 0 };
        let end = if not_null == 0 { 0 } else { parsed.end(not_null - 1) };
        parsed.data = data.get(..end).ok_or(Fault::SHORT)?;
        Ok(parsed)
    }

    /// Columns that are not NULL.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        if self.large { self.ids.len() / 4 } else { self.ids.len() }
    }

    /// Whether no column has a value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Columns that are NULL.
    #[must_use]
    #[inline]
    pub const fn null_len(&self) -> usize {
        if self.large { self.null_ids.len() / 4 } else { self.null_ids.len() }
    }

    /// Id of the `i`-th non-null column; ids ascend.
    #[must_use]
    #[inline]
    pub fn id(&self, i: usize) -> u32 {
        id_at(self.ids, i, self.large)
    }

    /// Id of the `i`-th null column; ids ascend.
    #[must_use]
    #[inline]
    pub fn null_id(&self, i: usize) -> u32 {
        id_at(self.null_ids, i, self.large)
    }

    /// Where the payload of the `i`-th non-null column ends in the data; it starts where the one before ends.
    #[must_use]
    #[inline]
    pub fn end(&self, i: usize) -> usize {
        if self.large {
            id_at(self.ends, i, true) as usize
        } else {
            self.ends.get(i * 2..).and_then(<[u8]>::first_chunk).map_or(0, |b| usize::from(u16::from_le_bytes(*b)))
        }
    }

    /// A payload between two ends.
    #[inline]
    pub(crate) fn payload(&self, start: usize, end: usize) -> Result<&'a [u8], Fault> {
        self.data.get(start..end).ok_or(Fault("the row's offsets do not ascend"))
    }

    /// The payload of a column by its id.
    #[must_use]
    pub fn find(&self, id: u32) -> Option<&'a [u8]> {
        let i = (0..self.len()).find(|i| self.id(*i) == id)?;
        let start = if i == 0 { 0 } else { self.end(i - 1) };
        self.payload(start, self.end(i)).ok()
    }

    /// The row up to the end of its data, and what follows if it carries a checksum.
    pub(crate) fn checksum_parts(&self) -> Option<(&'a [u8], &'a [u8])> {
        let body_len = 6 + self.ids.len() + self.null_ids.len() + self.ends.len() + self.data.len();
        self.checksum.then(|| self.row.split_at_checked(body_len)).flatten()
    }
}

#[inline]
fn id_at(ids: &[u8], i: usize, large: bool) -> u32 {
    if large {
        ids.get(i * 4..).and_then(<[u8]>::first_chunk).map_or(0, |b| u32::from_le_bytes(*b))
    } else {
        ids.get(i).copied().unwrap_or_default().into()
    }
}
