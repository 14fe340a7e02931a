//! Origins as plugins use them, against real servers of this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod origin;
mod webhook;
