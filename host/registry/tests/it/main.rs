//! The registry of plugins.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod folder;
mod peers;
mod registry;
mod support;
