//! The stores, each against the same expectations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changefeeds;
mod failover;
mod members;
mod stores;
mod support;
