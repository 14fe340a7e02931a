//! Keys as text.

use crate::signature::{Signature, message};
use crate::{DigestBytes, SignatureError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::fmt;
use std::str::FromStr;

const PUBLIC_PREFIX: &str = "ed25519:";
const PRIVATE_PREFIX: &str = "ed25519-private:";

/// A key that signatures are checked with: `ed25519:` and base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PublicKey(pub(crate) [u8; 32]);

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_PREFIX}{}", STANDARD.encode(self.0))
    }
}

impl FromStr for PublicKey {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let bad = |reason| SignatureError::BadKey { what: "public key", reason };
        let encoded =
            text.trim().strip_prefix(PUBLIC_PREFIX).ok_or_else(|| bad("it does not begin with `ed25519:`"))?;
        bytes(encoded).map(Self).ok_or_else(|| bad("after `ed25519:` come 32 bytes in base64"))
    }
}

/// A key that makes signatures. It has no `Debug` and no `Display`: see [`SigningKey::expose`].
pub struct SigningKey {
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SignatureError::NoRandom`].
    pub fn generate() -> Result<Self, SignatureError> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| SignatureError::NoRandom)?;
        Self::of(seed)
    }

    /// Reads the text that [`Self::expose`] gave.
    ///
    /// # Errors
    /// [`SignatureError::BadKey`].
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let bad = |reason| SignatureError::BadKey { what: "private key", reason };
        let encoded = text.trim().strip_prefix(PRIVATE_PREFIX);
        let encoded = encoded.ok_or_else(|| bad("it does not begin with `ed25519-private:`"))?;
        Self::of(bytes(encoded).ok_or_else(|| bad("after `ed25519-private:` come 32 bytes in base64"))?)
    }

    fn of(seed: [u8; 32]) -> Result<Self, SignatureError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed);
        let pair =
            pair.map_err(|_| SignatureError::BadKey { what: "private key", reason: "these 32 bytes make no key" })?;
        Ok(Self { seed, pair })
    }

    /// The private key as text, for the file it is kept in.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{PRIVATE_PREFIX}{}", STANDARD.encode(self.seed))
    }

    /// The key that its signatures are checked with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(key)
    }

    /// Signs a component by its digest.
    #[must_use]
    pub fn sign(&self, digest: &DigestBytes) -> Signature {
        let mut made = [0; 64];
        made.copy_from_slice(self.pair.sign(&message(digest)).as_ref());
        Signature { key: self.public(), bytes: made }
    }
}

fn bytes<const N: usize>(encoded: &str) -> Option<[u8; N]> {
    STANDARD.decode(encoded).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::{PublicKey, SigningKey};

    #[test]
    fn keys_come_back_from_their_text() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::parse(&format!(" {}\n", key.expose())).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(key.public().to_string().parse::<PublicKey>().unwrap(), key.public());
        assert_ne!(SigningKey::generate().unwrap().public(), key.public());
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        for text in ["", "ed25519:", "ed25519:AAAA", "ed25519-private:hunter2", "rsa:AAAA"] {
            assert!(text.parse::<PublicKey>().is_err(), "{text}");
            let error = SigningKey::parse(text).err().unwrap().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
