//! The batch format.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod damage;
mod golden;
mod properties;
