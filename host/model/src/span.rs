//! Key ranges.

use bytes::Bytes;
use std::fmt;

/// A half-open, non-empty range `[start, end)` of raw keys (not memcomparable-encoded, no timestamp).
///
/// An empty `end` means "to the end of the key space".
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    start: Bytes,
    end: Bytes,
}

/// A range that holds no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key range has no keys: its end is not above its start")]
pub struct SpanError;

impl Span {
    /// Makes a span.
    ///
    /// # Errors
    /// When `end` is neither empty nor above `start`.
    pub fn new(start: Bytes, end: Bytes) -> Result<Self, SpanError> {
        if end.is_empty() || start < end { Ok(Self { start, end }) } else { Err(SpanError) }
    }

    /// The record keys of one physical table: `t{id}_r` to `t{id}_s`, the id in memory-comparable form.
    #[must_use]
    pub fn of_table(table: crate::TableId) -> Self {
        let edge = |last: u8| {
            let mut key = Vec::with_capacity(11);
            key.push(b't');
            key.extend_from_slice(&(table.0.cast_unsigned() ^ (1 << 63)).to_be_bytes());
            key.extend_from_slice(&[b'_', last]);
            Bytes::from(key)
        };
        Self { start: edge(b'r'), end: edge(b's') }
    }

    /// First key of the range.
    #[must_use]
    pub const fn start(&self) -> &Bytes {
        &self.start
    }

    /// First key behind the range; empty: unbounded.
    #[must_use]
    pub const fn end(&self) -> &Bytes {
        &self.end
    }

    /// Whether `key` lies in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        self.start.as_ref() <= key && (self.end.is_empty() || key < self.end.as_ref())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |f: &mut fmt::Formatter<'_>, b: &[u8]| b.iter().try_for_each(|x| write!(f, "{x:02x}"));
        f.write_str("[")?;
        hex(f, &self.start)?;
        f.write_str(", ")?;
        hex(f, &self.end)?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::Span;
    use crate::TableId;
    use bytes::Bytes;

    #[test]
    fn table_spans_hold_record_keys_only() {
        let span = Span::of_table(TableId(45));
        assert_eq!(format!("{span:?}"), "[74800000000000002d5f72, 74800000000000002d5f73)");
        assert!(span.contains(b"t\x80\0\0\0\0\0\0\x2d_r\x80\0\0\0\0\0\0\x01"));
        assert!(!span.contains(b"t\x80\0\0\0\0\0\0\x2d_i\x80"));
        assert!(!span.contains(b"t\x80\0\0\0\0\0\0\x2e_r\x80"));
    }

    #[test]
    fn an_empty_range_is_refused_and_an_open_end_is_not() {
        let b = Bytes::from_static;
        assert!(Span::new(b(b"b"), b(b"b")).is_err());
        assert!(Span::new(b(b"b"), b(b"a")).is_err());
        assert!(Span::new(b(b"b"), b(b"")).is_ok_and(|s| s.contains(b"\xff") && !s.contains(b"a")));
    }
}
