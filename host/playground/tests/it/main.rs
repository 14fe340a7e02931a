//! The embedded upstream, seen from the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod vectors;
mod wire;
