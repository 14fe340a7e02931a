//! Keys between the layers: raw, with keyspace prefix, and memory-comparable as PD and region ranges have them.

use bytes::{BufMut, Bytes, BytesMut};
use tg_model::Span;

const GROUP: usize = 8;
const MARKER_FULL: u8 = 0xff;
/// Keyspace ids have 24 bits.
const KEYSPACE_MAX: u32 = 0x00ff_ffff;

/// Appends the memory-comparable form: groups of 8 bytes, zero-padded, each followed by 255 minus the padding.
fn put_comparable(raw: &[u8], out: &mut BytesMut) {
    let mut groups = raw.chunks_exact(GROUP);
    for group in &mut groups {
        out.put_slice(group);
        out.put_u8(MARKER_FULL);
    }
    let rest = groups.remainder();
    let pad = GROUP - rest.len();
    out.put_slice(rest);
    out.put_bytes(0, pad);
    #[expect(clippy::cast_possible_truncation, reason = "pad is at most 8")]
    out.put_u8(MARKER_FULL - pad as u8);
}

/// The memory-comparable form of `raw`.
pub(crate) fn comparable(raw: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity((raw.len() / GROUP + 1) * (GROUP + 1));
    put_comparable(raw, &mut out);
    out.freeze()
}

/// Reads a memory-comparable key; `None` when it is not one. What follows the last group is ignored.
pub(crate) fn from_comparable(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(encoded.len());
    for group in encoded.chunks(GROUP + 1) {
        let (marker, data) = group.split_last()?;
        let pad = usize::from(MARKER_FULL - marker);
        if data.len() != GROUP || pad > GROUP {
            return None;
        }
        let (kept, padding) = data.split_at(GROUP - pad);
        if padding.iter().any(|b| *b != 0) {
            return None;
        }
        out.extend_from_slice(kept);
        if pad > 0 {
            return Some(out);
        }
    }
    None
}

/// A range in region-key form; an empty end is unbounded.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct KeyRange {
    pub(crate) start: Bytes,
    pub(crate) end: Bytes,
}

impl KeyRange {
    /// The keys in both; `None` when there are none.
    pub(crate) fn intersect(&self, other: &Self) -> Option<Self> {
        let start = std::cmp::max(&self.start, &other.start).clone();
        let end = min_end(&self.end, &other.end).clone();
        (end.is_empty() || start < end).then_some(Self { start, end })
    }
}

/// The smaller of two ends, where empty is the greatest.
pub(crate) fn min_end<'a>(a: &'a Bytes, b: &'a Bytes) -> &'a Bytes {
    if a.is_empty() || (!b.is_empty() && b < a) { b } else { a }
}

/// Whether `key` lies below the exclusive end `end`.
pub(crate) fn below_end(key: &[u8], end: &[u8]) -> bool {
    end.is_empty() || key < end
}

/// Adds and takes away the keyspace prefix (API V2); without a keyspace, keys stay as they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyCodec {
    prefix: Bytes,
    prefix_end: Bytes,
}

impl KeyCodec {
    /// For a transactional keyspace.
    pub(crate) fn keyspace(id: u32) -> Self {
        let tagged = (u32::from(b'x') << 24) | (id & KEYSPACE_MAX);
        let bytes = |n: u32| Bytes::copy_from_slice(&n.to_be_bytes());
        Self { prefix: bytes(tagged), prefix_end: bytes(tagged + 1) }
    }

    pub(crate) fn has_keyspace(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// How many bytes of a delivered key belong to the prefix.
    pub(crate) fn prefix_len(&self) -> usize {
        self.prefix.len()
    }

    /// The key as the kv service takes it.
    pub(crate) fn kv_key(&self, raw: &Bytes) -> Bytes {
        if self.prefix.is_empty() { raw.clone() } else { [self.prefix.as_ref(), raw].concat().into() }
    }

    /// An exclusive end as the kv service takes it; an empty one becomes the keyspace's end.
    pub(crate) fn kv_end(&self, raw: &Bytes) -> Bytes {
        if raw.is_empty() { self.prefix_end.clone() } else { self.kv_key(raw) }
    }

    /// The key without prefix.
    pub(crate) fn strip(&self, key: Bytes) -> Bytes {
        if !self.prefix.is_empty() && key.starts_with(&self.prefix) { key.slice(self.prefix.len()..) } else { key }
    }

    /// The span in region-key form.
    pub(crate) fn range(&self, span: &Span) -> KeyRange {
        let end = self.kv_end(span.end());
        KeyRange {
            start: if span.start().is_empty() && self.prefix.is_empty() {
                Bytes::new()
            } else {
                comparable(&self.kv_key(span.start()))
            },
            end: if end.is_empty() { end } else { comparable(&end) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyCodec, KeyRange, comparable, from_comparable};
    use bytes::Bytes;
    use tg_model::{Span, TableId};

    #[test]
    fn comparable_keys() {
        let rows: [(&[u8], &str); 4] = [
            (b"", "0000000000000000f7"),
            (b"t", "7400000000000000f8"),
            (&[1, 2, 3, 4, 5, 6, 7, 8], "0102030405060708ff0000000000000000f7"),
            (b"123456789", "3132333435363738ff3900000000000000f8"),
        ];
        for (raw, hex) in rows {
            let encoded = comparable(raw);
            assert_eq!(super::super::error::show_key(&encoded), hex);
            assert_eq!(from_comparable(&encoded).unwrap(), raw);
        }
        for bad in [&b""[..], b"abc", &[0, 0, 0, 0, 0, 0, 0, 1, 0xf7], &[0; 9]] {
            assert_eq!(from_comparable(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn table_spans_become_the_ranges_clients_send() {
        let range = KeyCodec::default().range(&Span::of_table(TableId(104)));
        assert_eq!(super::super::error::show_key(&range.start), "7480000000000000ff685f720000000000fa");
        assert_eq!(super::super::error::show_key(&range.end), "7480000000000000ff685f730000000000fa");
    }

    #[test]
    fn keyspaces_prefix_and_end() {
        let codec = KeyCodec::keyspace(1);
        assert_eq!(codec.kv_key(&Bytes::from_static(b"t")), &b"x\0\0\x01t"[..]);
        assert_eq!(codec.kv_end(&Bytes::new()), &b"x\0\0\x02"[..]);
        assert_eq!(codec.strip(Bytes::from_static(b"x\0\0\x01t")), &b"t"[..]);
        assert_eq!(KeyCodec::keyspace(0x00ff_ffff).kv_end(&Bytes::new()), &b"y\0\0\0"[..]);
    }

    #[test]
    fn ranges_intersect() {
        let r = |s: &'static str, e: &'static str| KeyRange { start: s.into(), end: e.into() };
        assert_eq!(r("a", "m").intersect(&r("c", "")), Some(r("c", "m")));
        assert_eq!(r("", "").intersect(&r("c", "")), Some(r("c", "")));
        assert_eq!(r("a", "c").intersect(&r("c", "d")), None);
    }
}
