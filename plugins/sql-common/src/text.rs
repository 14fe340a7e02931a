//! Parts of literals that are alike everywhere.

/// Appends what `write` appends, between single quotes.
#[inline]
pub fn in_quotes(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'\'');
    write(out);
    out.push(b'\'');
}

/// Whether a DECIMAL may stand without quotes: digits, a sign and a point are all it has.
#[must_use]
pub fn is_plain_number(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'))
}
