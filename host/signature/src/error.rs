//! What can be wrong with keys and signatures.

use tg_model::{Code, Coded};

/// A key or a signature that cannot be used. No variant holds a private key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignatureError {
    /// A text that is no key.
    #[error("this is no {what}: {reason}")]
    BadKey {
        /// `public key` or `private key`.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A text that is no signature.
    #[error("this is no signature of a component: {reason}")]
    BadSignature {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A signature by a key that is not trusted.
    #[error("the signature was made with {key}, which is none of the {trusted} trusted keys")]
    Untrusted {
        /// The key.
        key: String,
        /// How many are trusted.
        trusted: usize,
    },
    /// A signature for other bytes.
    #[error("the signature made with {key} does not belong to these bytes")]
    Mismatch {
        /// The key.
        key: String,
    },
    /// The system gives no random numbers.
    #[error("no key can be made: the system gives no random numbers")]
    NoRandom,
}

impl Coded for SignatureError {
    fn code(&self) -> Code {
        Code(match self {
            Self::BadKey { .. } => 4251,
            Self::BadSignature { .. } => 4252,
            Self::Untrusted { .. } => 4253,
            Self::Mismatch { .. } => 4254,
            Self::NoRandom => 4255,
        })
    }
}
