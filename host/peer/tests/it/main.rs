//! Nodes talk to each other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod streams;
mod wire;
