//! Signatures as text, and whether they hold.

use crate::{DigestBytes, PublicKey, SignatureError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use std::fmt;
use std::str::FromStr;

/// Begins every text form; its number rises when what is signed changes.
const PREFIX: &str = "tidegate-sig-1:";
/// Begins what is signed.
const DOMAIN: &[u8] = b"tidegate component 1\0";

/// What is signed for a component.
pub(crate) fn message(digest: &DigestBytes) -> Vec<u8> {
    [DOMAIN, digest].concat()
}

/// A signature of a component, with the key it was made with: `tidegate-sig-1:KEY:SIGNATURE`, both in base64.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signature {
    pub(crate) key: PublicKey,
    pub(crate) bytes: [u8; 64],
}

impl Signature {
    /// The key it says it was made with.
    #[must_use]
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    /// Whether a trusted key made it for the component with this digest.
    ///
    /// # Errors
    /// [`SignatureError::Untrusted`], [`SignatureError::Mismatch`].
    pub fn verify(&self, digest: &DigestBytes, trusted: &[PublicKey]) -> Result<(), SignatureError> {
        let key = self.key.to_string();
        if !trusted.contains(&self.key) {
            return Err(SignatureError::Untrusted { key, trusted: trusted.len() });
        }
        let checked = UnparsedPublicKey::new(&ED25519, self.key.0).verify(&message(digest), &self.bytes);
        checked.map_err(|_| SignatureError::Mismatch { key })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}", STANDARD.encode(self.key.0), STANDARD.encode(self.bytes))
    }
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let bad = |reason| SignatureError::BadSignature { reason };
        let rest = text.trim().strip_prefix(PREFIX).ok_or_else(|| bad("it does not begin with `tidegate-sig-1:`"))?;
        let (key, made) = rest.split_once(':').ok_or_else(|| bad("it has no second `:`"))?;
        let key = STANDARD.decode(key).ok().and_then(|b| b.try_into().ok());
        let made = STANDARD.decode(made).ok().and_then(|b| b.try_into().ok());
        Ok(Self {
            key: PublicKey(key.ok_or_else(|| bad("its key is not 32 bytes in base64"))?),
            bytes: made.ok_or_else(|| bad("its signature is not 64 bytes in base64"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Signature;
    use crate::{SignatureError, SigningKey};

    /// Signatures of version 1 keep their meaning; this one was made by another implementation of ed25519.
    #[test]
    fn a_signature_of_version_1_holds() {
        let key = SigningKey::parse("ed25519-private:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
        assert_eq!(key.public().to_string(), "ed25519:6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=");
        let text = "tidegate-sig-1:6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=:\
                    WGWRdMAcmz19otMNTPJXJfSzo7/Ws4m6US/yEWVHrJMZcf7ebU2Dfzc9zySb7WMLsv/ORtbgH19to10eRTwtDw==";
        assert_eq!(key.sign(&[9; 32]).to_string(), text);
        text.parse::<Signature>().unwrap().verify(&[9; 32], &[key.public()]).unwrap();
    }

    #[test]
    fn only_a_trusted_key_and_the_same_bytes_will_do() {
        let (mine, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let signed: Signature = mine.sign(&[1; 32]).to_string().parse().unwrap();
        assert_eq!(signed.verify(&[1; 32], &[other.public(), mine.public()]), Ok(()));
        assert!(matches!(
            signed.verify(&[1; 32], &[other.public()]),
            Err(SignatureError::Untrusted { trusted: 1, .. })
        ));
        assert!(matches!(signed.verify(&[2; 32], &[mine.public()]), Err(SignatureError::Mismatch { .. })));
        let forged = Signature { key: mine.public(), ..other.sign(&[1; 32]) };
        assert!(matches!(forged.verify(&[1; 32], &[mine.public()]), Err(SignatureError::Mismatch { .. })));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for text in ["", "tidegate-sig-1:", "tidegate-sig-1:AA:AA", "tidegate-sig-2:AA:AA", "x"] {
            assert!(matches!(text.parse::<Signature>(), Err(SignatureError::BadSignature { .. })), "{text}");
        }
    }
}
