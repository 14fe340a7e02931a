//! The binary as its users start it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod author;
mod binary;
mod demo;
