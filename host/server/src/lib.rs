//! One node: its changefeeds from their records to their runs, behind the HTTP API's [`tg_api::Control`].
//!
//! Does: keep the records of changefeeds, start and restart their runs, hold garbage collection for them, start the plugins a
//! changefeed names with what it is granted, answer the API.
//! Does not: move a row (that is `tg-pipeline`), elect or schedule, listen on a socket.
//!
//! Invariants:
//! - At most one run of a changefeed at a time; the next begins when all parts of the last have ended.
//! - A changefeed's slots and lanes never change while it lives: what a lane holds durably stays true over restarts.
//! - Garbage collection upstream is held at a changefeed's checkpoint from before its record exists until it is removed or done.
//! - A run's epoch is above that of every run before it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod codes;
mod control;
mod endpoints;
mod error;
mod feed;
mod handle;
mod installed;
#[cfg(test)]
mod installed_tests;
mod node;
mod plugins;
mod progress;
mod record;

pub use codes::CODES;
pub use error::ServerError;
pub use node::{Node, NodeOptions};
