//! TiCDC's hash: checksums of byte strings, joined by exclusive or.

/// The state of the hash. Equal writes cancel each other, and the order of writes does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PositionHash(u32);

impl PositionHash {
    /// Nothing written.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Writes the parts as one string.
    pub fn write(&mut self, parts: &[&[u8]]) {
        let mut sum = crc32fast::Hasher::new();
        parts.iter().for_each(|part| sum.update(part));
        self.0 ^= sum.finalize();
    }

    /// The sum.
    #[must_use]
    pub const fn sum(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::PositionHash;

    #[test]
    fn writes_are_joined_by_exclusive_or() {
        let mut hash = PositionHash::new();
        hash.write(&[b"1234", b"56789"]);
        assert_eq!(hash.sum(), 0xcbf4_3926);
        hash.write(&[b"123456789"]);
        assert_eq!(hash.sum(), 0);
    }
}
