//! The endpoint against a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod access;
mod outage;
mod sending;
mod support;
mod transactions;
