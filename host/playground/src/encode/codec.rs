//! Primitive encodings of TiDB keys and values: memcomparable bytes and numbers, varints.

/// Bytes per group of the memcomparable form.
const GROUP: usize = 8;
/// Marker of a full group; a group with `n` padding bytes has `0xff - n`.
const MARKER_FULL: u8 = 0xff;

/// Appends the memcomparable form of `raw`: groups of eight bytes, each followed by a marker.
pub fn put_memcomparable(out: &mut Vec<u8>, raw: &[u8]) {
    let mut rest = raw;
    loop {
        let take = rest.len().min(GROUP);
        let (group, tail) = rest.split_at(take);
        out.extend_from_slice(group);
        out.resize(out.len() + GROUP - take, 0);
        out.push(MARKER_FULL - (GROUP - take) as u8);
        if take < GROUP {
            return;
        }
        rest = tail;
    }
}

/// The memcomparable form of `raw`.
#[must_use]
pub fn memcomparable(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity((raw.len() / GROUP + 1) * (GROUP + 1));
    put_memcomparable(&mut out, raw);
    out
}

/// Decodes one memcomparable byte string; `None` when it is malformed or ends early.
/// The second part is what follows it.
#[must_use]
pub fn decode_memcomparable(mut data: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::with_capacity(data.len());
    loop {
        let (group, tail) = data.split_at_checked(GROUP + 1)?;
        let pad = usize::from(MARKER_FULL - group[GROUP]);
        if pad > GROUP || group[GROUP - pad..GROUP].iter().any(|b| *b != 0) {
            return None;
        }
        out.extend_from_slice(&group[..GROUP - pad]);
        data = tail;
        if pad > 0 {
            return Some((out, data));
        }
    }
}

/// An integer whose big-endian bytes order as the number does.
#[must_use]
pub const fn cmp_i64(v: i64) -> [u8; 8] {
    (v as u64 ^ (1 << 63)).to_be_bytes()
}

/// The integer of [`cmp_i64`].
#[must_use]
pub const fn from_cmp_i64(b: [u8; 8]) -> i64 {
    (u64::from_be_bytes(b) ^ (1 << 63)) as i64
}

/// A float whose bytes order as the number does; -0.0 becomes 0.0.
#[must_use]
pub fn cmp_f64(v: f64) -> [u8; 8] {
    let v = if v == 0.0 { 0.0 } else { v };
    let bits = v.to_bits();
    let ordered = if v >= 0.0 { bits | (1 << 63) } else { !bits };
    ordered.to_be_bytes()
}

/// The float of [`cmp_f64`].
#[must_use]
pub const fn from_cmp_f64(b: [u8; 8]) -> f64 {
    let bits = u64::from_be_bytes(b);
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

/// Appends an unsigned LEB128 varint.
pub fn put_uvarint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Appends a zigzag varint.
pub fn put_varint(out: &mut Vec<u8>, v: i64) {
    put_uvarint(out, ((v << 1) ^ (v >> 63)) as u64);
}

/// Appends the shortest of 1, 2, 4 or 8 little-endian bytes that hold `v` with its sign.
pub fn put_int_le(out: &mut Vec<u8>, v: i64) {
    let bytes = v.to_le_bytes();
    let n = match v {
        -0x80..=0x7f => 1,
        -0x8000..=0x7fff => 2,
        -0x8000_0000..=0x7fff_ffff => 4,
        _ => 8,
    };
    out.extend_from_slice(&bytes[..n]);
}

/// Appends the shortest of 1, 2, 4 or 8 little-endian bytes that hold `v`.
pub fn put_uint_le(out: &mut Vec<u8>, v: u64) {
    let n = match v {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    out.extend_from_slice(&v.to_le_bytes()[..n]);
}

/// Reads the bytes of [`put_int_le`] with sign extension; `None` for another length.
#[must_use]
pub fn int_le(data: &[u8]) -> Option<i64> {
    Some(match data.len() {
        1 => i64::from(data[0] as i8),
        2 => i64::from(i16::from_le_bytes(data.try_into().ok()?)),
        4 => i64::from(i32::from_le_bytes(data.try_into().ok()?)),
        8 => i64::from_le_bytes(data.try_into().ok()?),
        _ => return None,
    })
}

/// Reads the bytes of [`put_uint_le`]; `None` for more than eight bytes.
#[must_use]
pub fn uint_le(data: &[u8]) -> Option<u64> {
    (data.len() <= 8).then(|| data.iter().rev().fold(0, |v, b| v << 8 | u64::from(*b)))
}
