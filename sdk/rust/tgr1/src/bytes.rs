//! Little-endian reads that answer zero outside the buffer, so that no input can make them panic.

#[inline]
fn array<const N: usize>(data: &[u8], at: usize) -> [u8; N] {
    data.get(at..).and_then(|tail| tail.first_chunk::<N>()).copied().unwrap_or([0; N])
}

#[inline]
pub(crate) fn u16_at(data: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(data, at))
}

#[inline]
pub(crate) fn u32_at(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(data, at))
}

#[inline]
pub(crate) fn u64_at(data: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(data, at))
}

/// Overwrites bytes that exist; the caller vouches for the place.
#[inline]
pub(crate) fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
    data[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Appends zero bytes up to a multiple of 8.
#[inline]
pub(crate) fn pad8(buf: &mut Vec<u8>) {
    let len = buf.len().next_multiple_of(8);
    buf.resize(len, 0);
}
