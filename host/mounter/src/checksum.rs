//! Row checksums, versions 0 to 2.

use crate::decode::RowV2;
use crate::plan::Plan;
use tg_model::TableVersion;
use tgr1::text::time_text;
use tgr1::{Image, Logical, PackedTime};

/// Bits of the checksum header that hold the version.
const VERSION_BITS: u8 = 0b111;
/// A second checksum follows, computed with another schema version during a DDL.
const EXTRA: u8 = 0b1000;

/// Why a checksum does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChecksumFault {
    /// Another value than the row says.
    #[error("it is {found:08x}, the row says {stored:08x}")]
    Differs {
        /// Computed.
        found: u32,
        /// Stored in the row.
        stored: u32,
    },
    /// The bytes behind the row are too few.
    #[error("it is cut short")]
    Short,
    /// A version that this program does not know.
    #[error("its version {0} is not known")]
    Version(u8),
}

/// A row's stored checksum.
pub(crate) struct Stored<'a> {
    body: &'a [u8],
    header: u8,
    sum: u32,
    extra: Option<u32>,
}

impl<'a> Stored<'a> {
    /// The checksum of a row; `None` if it has none.
    pub(crate) fn of(row: &RowV2<'a>) -> Result<Option<Self>, ChecksumFault> {
        let Some((body, tail)) = row.checksum_parts() else {
            return Ok(None);
        };
        let (header, tail) = tail.split_first().ok_or(ChecksumFault::Short)?;
        let word = |at: usize| tail.get(at..).and_then(<[u8]>::first_chunk).map(|b| u32::from_le_bytes(*b));
        let extra = if header & EXTRA == 0 { None } else { Some(word(4).ok_or(ChecksumFault::Short)?) };
        Ok(Some(Self { body, header: *header, sum: word(0).ok_or(ChecksumFault::Short)?, extra }))
    }

    /// Whether it is the sum of the decoded columns, not of the row's bytes.
    pub(crate) const fn is_of_columns(&self) -> bool {
        self.header & VERSION_BITS == 0
    }

    /// Compares with the sum of the row's bytes (versions 1 and 2).
    pub(crate) fn check_bytes(&self, key: &[u8], handle: &[u8]) -> Result<(), ChecksumFault> {
        let version = self.header & VERSION_BITS;
        let name = match version {
            1 => key,
            2 => handle,
            _ => return Err(ChecksumFault::Version(version)),
        };
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.body);
        hasher.update(&[self.header]);
        hasher.update(name);
        self.compare(hasher.finalize())
    }

    /// Compares with the sum of the decoded columns (version 0). `buf` is scratch space.
    pub(crate) fn check_columns(
        &self,
        table: &TableVersion,
        plan: &Plan,
        image: &Image<'_>,
        buf: &mut Vec<u8>,
    ) -> Result<(), ChecksumFault> {
        buf.clear();
        for column in &plan.columns {
            let fsp = plan.positions.get(column.col).and_then(|at| table.columns.get(*at as usize));
            let fsp = fsp.and_then(|c| c.ty.decimals).map_or(0, |n| n.min(6) as u8);
            if let Some(spec) = plan.specs.get(column.col) {
                column_bytes(buf, image, column.col, spec.logical, fsp);
            }
        }
        self.compare(crc32fast::hash(buf))
    }

    fn compare(&self, found: u32) -> Result<(), ChecksumFault> {
        if found == self.sum || self.extra == Some(found) {
            return Ok(());
        }
        Err(ChecksumFault::Differs { found, stored: self.sum })
    }
}

/// Appends what a column contributes to a version 0 checksum; NULL contributes nothing.
fn column_bytes(buf: &mut Vec<u8>, image: &Image<'_>, col: usize, logical: Logical, fsp: u8) {
    let Some(slot) = image.u64(col) else { return };
    let bytes = image.bytes(col).unwrap_or_default();
    let time = PackedTime(slot);
    match logical {
        Logical::Float32 | Logical::Float64 => {
            let value = f64::from_bits(slot);
            buf.extend_from_slice(&(if value.is_finite() { slot } else { 0 }).to_le_bytes());
        }
        Logical::Decimal | Logical::Text | Logical::Bytes | Logical::Json => {
            sized(buf, |buf| buf.extend_from_slice(bytes));
        }
        Logical::Date => sized(buf, |buf| time.date_text(buf)),
        Logical::DateTime | Logical::Timestamp => sized(buf, |buf| time.datetime_text(buf, fsp)),
        Logical::Time => sized(buf, |buf| time_text(buf, slot.cast_signed(), fsp)),
        Logical::Vector => {
            buf.extend_from_slice(&((bytes.len() / 4) as u32).to_le_bytes());
            buf.extend_from_slice(bytes);
        }
        Logical::Int | Logical::UInt | Logical::Year | Logical::Enum | Logical::Set | Logical::Bit => {
            buf.extend_from_slice(&slot.to_le_bytes());
        }
    }
}

/// Appends what `write` appends, with its length in front.
fn sized(buf: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = buf.len();
    buf.extend_from_slice(&[0; 4]);
    write(buf);
    let len = (buf.len() - at - 4) as u32;
    if let Some(head) = buf.get_mut(at..at + 4) {
        head.copy_from_slice(&len.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::column_bytes;
    use tgr1::{Batch, BatchWriter, ColumnSpec, ImageKind, Logical, Op, PackedTime};

    fn check(logical: Logical, fsp: u8, put: impl FnOnce(&mut BatchWriter), expected: &[u8]) {
        let mut writer = BatchWriter::new(1, 1, &[ColumnSpec::new(0, logical)], 0);
        writer.begin_row(2, 1, Op::Insert, 0);
        writer.begin_image(ImageKind::After);
        put(&mut writer);
        writer.end_row().unwrap();
        let bytes = writer.finish();
        let image = Batch::parse(&bytes).unwrap().row(0).unwrap().after().unwrap();
        let mut buf = Vec::new();
        column_bytes(&mut buf, &image, 0, logical, fsp);
        assert_eq!(buf, expected, "{logical:?}");
    }

    #[test]
    fn columns_are_encoded_by_type() {
        let time = PackedTime::from_parts(2020, 2, 20, 2, 20, 20, 0).unwrap().0;
        check(Logical::Int, 0, |w| w.put_i64(0, -1), &[0xff; 8]);
        check(Logical::Year, 0, |w| w.put_i64(0, 2020), &[0xe4, 7, 0, 0, 0, 0, 0, 0]);
        check(Logical::Float64, 0, |w| w.put_f64(0, 1.5), &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f]);
        check(Logical::Float64, 0, |w| w.put_f64(0, f64::NAN), &[0; 8]);
        check(Logical::Text, 0, |w| w.put_bytes(0, b"abc"), b"\x03\0\0\0abc");
        check(Logical::DateTime, 0, |w| w.put_u64(0, time), b"\x13\0\0\x002020-02-20 02:20:20");
        check(Logical::Date, 0, |w| w.put_u64(0, time), b"\x0a\0\0\x002020-02-20");
        check(Logical::Time, 3, |w| w.put_i64(0, 8_420_000_000), b"\x0c\0\0\x0002:20:20.000");
        check(Logical::Decimal, 0, |w| w.put_bytes(0, b"12.340"), b"\x06\0\0\x0012.340");
        check(Logical::Set, 0, |w| w.put_u64(0, 6), &[6, 0, 0, 0, 0, 0, 0, 0]);
        let elements = [1.0_f32.to_le_bytes(), (-2.5_f32).to_le_bytes()].concat();
        check(Logical::Vector, 0, |w| w.put_bytes(0, &elements), b"\x02\0\0\0\0\0\x80\x3f\0\0\x20\xc0");
        check(Logical::Text, 0, |_| {}, b"");
    }
}
