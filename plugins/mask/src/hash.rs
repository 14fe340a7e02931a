//! HMAC-SHA-256 (RFC 2104).

use sha2::{Digest, Sha256};

const BLOCK: usize = 64;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// A key, ready to be used.
pub(crate) struct Key {
    inner: Sha256,
    outer: Sha256,
}

impl Key {
    pub(crate) fn new(secret: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        let hashed;
        let key = if secret.len() > BLOCK {
            hashed = Sha256::digest(secret);
            hashed.as_slice()
        } else {
            secret
        };
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        let padded = |pad: u8| Sha256::new_with_prefix(block.map(|b| b ^ pad));
        Self { inner: padded(0x36), outer: padded(0x5c) }
    }

    /// Appends the first `digits` hexadecimal digits of the value's hash.
    pub(crate) fn put(&self, value: &[u8], digits: usize, out: &mut Vec<u8>) {
        let inner = self.inner.clone().chain_update(value).finalize();
        let hash = self.outer.clone().chain_update(inner).finalize();
        let all = hash.iter().flat_map(|b| [HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
        out.extend(all.take(digits));
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    fn hex(key: &[u8], value: &[u8]) -> String {
        let mut out = Vec::new();
        Key::new(key).put(value, 64, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// Test cases 1, 2 and 6 of RFC 4231.
    #[test]
    fn the_published_cases() {
        assert_eq!(hex(&[0x0b; 20], b"Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        assert_eq!(
            hex(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
