//! Debezium messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod both_ways;
mod defaults;
