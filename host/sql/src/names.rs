//! Names by which a server knows a slot's writers.

use sha2::{Digest, Sha256};

/// A hash of parts that tells them apart, wherever one ends and the next begins. A writer finds those of before by it, also ones of
/// other versions, so it stays as it is.
#[must_use]
pub fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn where_parts_end_matters_and_the_hash_stays_what_it_was() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_eq!(digest(&[b"tidegate", b"1"])[..4], [0x74, 0xfb, 0xaa, 0x6a]);
    }
}
