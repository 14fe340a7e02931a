//! Avro's numbers and strings.

use tg_format_common::{Bytes, DecodeError};

/// Bits of a number's byte that carry value.
const GROUP: usize = 7;

/// Appends a number.
pub fn long(out: &mut Vec<u8>, value: i64) {
    let mut bits = (value << 1 ^ value >> 63).cast_unsigned();
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= GROUP;
    }
    out.push(bits as u8);
}

/// Appends a string or bytes.
pub fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    long(out, value.len() as i64);
    out.extend_from_slice(value);
}

/// Takes a number.
///
/// # Errors
/// When there is none.
pub fn read_long(from: &mut Bytes<'_>) -> Result<i64, DecodeError> {
    let mut bits = 0_u64;
    for shift in (0..64).step_by(GROUP) {
        let byte = from.byte("number")?;
        bits |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed());
        }
    }
    Err(DecodeError::Member("number"))
}

/// Takes a string or bytes.
///
/// # Errors
/// When there are fewer than their length says.
pub fn read_bytes<'a>(from: &mut Bytes<'a>) -> Result<&'a [u8], DecodeError> {
    let len = usize::try_from(read_long(from)?).map_err(|_| DecodeError::Short("string"))?;
    from.take(len, "string")
}
