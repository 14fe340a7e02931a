//! Row keys in place: hashing and comparing key columns of images.

use crate::table::ImageColumn;
use tgr1::Image;

const SEED: u64 = 0x243f_6a88_85a3_08d3;
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hash of the key of an image. Good enough for a table in memory; never stored.
#[inline]
pub(crate) fn key_hash(image: &Image<'_>, key: &[ImageColumn]) -> u64 {
    let mut hash = SEED;
    for column in key {
        if column.literal.is_string() {
            let bytes = image.bytes(column.at).unwrap_or_default();
            hash = fold(hash, bytes.len() as u64);
            let (words, tail) = bytes.as_chunks::<8>();
            for word in words {
                hash = fold(hash, u64::from_le_bytes(*word));
            }
            let mut last = [0; 8];
            for (to, from) in last.iter_mut().zip(tail) {
                *to = *from;
            }
            hash = fold(hash, u64::from_le_bytes(last));
        } else {
            hash = fold(hash, image.u64(column.at).unwrap_or_default());
        }
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(MIX);
    hash ^ (hash >> 29)
}

#[inline]
const fn fold(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(MIX)
}

/// Whether two images have the same key, byte for byte.
#[inline]
pub(crate) fn key_eq(a: &Image<'_>, b: &Image<'_>, key: &[ImageColumn]) -> bool {
    key.iter().all(|column| {
        if column.literal.is_string() {
            a.bytes(column.at) == b.bytes(column.at)
        } else {
            a.u64(column.at) == b.u64(column.at)
        }
    })
}

/// Whether a key column is NULL: never with a row key, but one that was declared wrongly must not match wrong rows.
#[inline]
pub(crate) fn key_has_null(image: &Image<'_>, key: &[ImageColumn]) -> bool {
    key.iter().any(|column| image.is_null(column.at))
}
