//! Hashes of row keys.

use crate::table::ImageColumn;
use tg_sql_common::{KeyColumn, NULL_KEY};
use tgr1::{FormatError, Image};

const SEED: u64 = 0x243f_6a88_85a3_08d3;
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whether the hash alone tells keys apart: one column of 8 bytes, and every step of the hash can be undone.
#[inline]
pub(crate) fn hash_is_key(key: &[ImageColumn]) -> bool {
    matches!(key, [one] if !one.is_string())
}

/// Hash of a key for which [`hash_is_key`] holds.
#[inline]
pub(crate) fn hash_one(image: &Image<'_>, key: &[ImageColumn]) -> Result<u64, FormatError> {
    let slot = key.first().and_then(|one| image.u64(one.at)).ok_or(NULL_KEY)?;
    Ok(finish(fold(SEED, slot)))
}

/// Hash of a key's bytes. Good enough for a table in memory; never stored.
#[inline]
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let (words, tail) = bytes.as_chunks::<8>();
    let mut hash = words.iter().fold(SEED, |hash, word| fold(hash, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(tail) {
        *to = *from;
    }
    hash = fold(hash, u64::from_le_bytes(last));
    finish(hash)
}

#[inline]
const fn fold(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(MIX)
}

#[inline]
const fn finish(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(MIX);
    hash ^ (hash >> 29)
}
