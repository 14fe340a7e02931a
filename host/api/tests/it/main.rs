//! The API: calls and answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod calls;
mod fake;
mod golden;
mod plugins;
