//! The kit, on guests that ship and on guests with faults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod builtin;
mod faults;
