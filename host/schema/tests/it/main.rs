//! Schemas over time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod golden;
mod vectors;
