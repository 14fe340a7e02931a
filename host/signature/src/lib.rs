//! Keys and signatures of plugin components: ed25519 over a component's SHA-256.
//!
//! Does: make keys, sign a digest, check a signature against the keys an operator trusts; read and write all three as text.
//! Does not: compute digests, read files, decide who is trusted.
//!
//! Invariants:
//! - What is signed begins with a text of its own: a signature made for a component means nothing elsewhere.
//! - A signing key shows itself to [`SigningKey::expose`] only: never to `Debug` or an error.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod codes;
mod error;
mod key;
mod signature;

pub use codes::CODES;
pub use error::SignatureError;
pub use key::{PublicKey, SigningKey};
pub use signature::Signature;

/// SHA-256 of a component.
pub type DigestBytes = [u8; 32];
