//! Raw key-values become rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broken;
mod captured;
mod common;
mod defaults;
mod mounting;
mod vectors;
