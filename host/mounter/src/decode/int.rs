//! Integers and floats.

use super::Fault;

/// Cuts `n` bytes off the front.
#[inline]
pub(crate) fn take<'a>(input: &mut &'a [u8], n: usize) -> Result<&'a [u8], Fault> {
    let (head, tail) = input.split_at_checked(n).ok_or(Fault::SHORT)?;
    *input = tail;
    Ok(head)
}

/// Cuts a big-endian u64 off the front.
#[inline]
pub(crate) fn be_u64(input: &mut &[u8]) -> Result<u64, Fault> {
    let (head, tail) = input.split_first_chunk::<8>().ok_or(Fault::SHORT)?;
    *input = tail;
    Ok(u64::from_be_bytes(*head))
}

/// Cuts a memory-comparable i64 off the front.
#[inline]
pub(crate) fn cmp_i64(input: &mut &[u8]) -> Result<i64, Fault> {
    Ok((be_u64(input)? ^ (1 << 63)).cast_signed())
}

/// Cuts a memory-comparable f64 off the front: the sign bit set for values from zero up, all bits inverted below.
#[inline]
pub(crate) fn cmp_f64(input: &mut &[u8]) -> Result<f64, Fault> {
    let bits = be_u64(input)?;
    Ok(f64::from_bits(if bits >> 63 == 1 { bits ^ (1 << 63) } else { !bits }))
}

/// Cuts a LEB128 number off the front.
#[inline]
pub(crate) fn uvarint(input: &mut &[u8]) -> Result<u64, Fault> {
    let mut value = 0;
    for (i, byte) in input.iter().enumerate() {
        let bits = u64::from(byte & 0x7f);
        if i > 9 || (i == 9 && bits > 1) {
            return Err(Fault("a variable-length integer exceeds 64 bits"));
        }
        value |= bits << (7 * i);
        if byte & 0x80 == 0 {
            *input = input.get(i + 1..).unwrap_or_default();
            return Ok(value);
        }
    }
    Err(Fault::SHORT)
}

/// Cuts a zigzag LEB128 number off the front.
#[inline]
pub(crate) fn varint(input: &mut &[u8]) -> Result<i64, Fault> {
    let n = uvarint(input)?;
    Ok((n >> 1).cast_signed() ^ -((n & 1).cast_signed()))
}

/// A little-endian unsigned integer that takes the whole of 1, 2, 4 or 8 bytes.
#[inline]
pub(crate) fn le_u64(payload: &[u8]) -> Result<u64, Fault> {
    Ok(match *payload {
        [a] => a.into(),
        [a, b] => u16::from_le_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => return Err(Fault("an integer is not 1, 2, 4 or 8 bytes long")),
    })
}

/// A little-endian signed integer that takes the whole of 1, 2, 4 or 8 bytes.
#[inline]
pub(crate) fn le_i64(payload: &[u8]) -> Result<i64, Fault> {
    Ok(match *payload {
        [a] => a.cast_signed().into(),
        [a, b] => i16::from_le_bytes([a, b]).into(),
        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => return Err(Fault("an integer is not 1, 2, 4 or 8 bytes long")),
    })
}
