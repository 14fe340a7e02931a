//! Components in the host.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod guests;
mod native;
mod past;
mod print;
mod transforms;
