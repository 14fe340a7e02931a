//! The commands, against an API in this process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod commands;
#[path = "../../../api/tests/it/fake/mod.rs"]
mod fake;
mod plugins;
