//! HTTP origins that plugins are granted.
//!
//! Does: check an origin ([`HttpTarget`]) and send requests of guests to it ([`HttpOrigin`]), with the headers of the grant, within its
//! limits of time and size.
//! Does not: try again, keep cookies, know what is sent.
//!
//! Invariants:
//! - A request never leaves the origin that was granted, follows no redirect, and carries the grant's headers unseen by the guest.
//! - Secrets appear in no error and no debug output.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod endpoint;
mod request;
mod target;

pub use endpoint::HttpOrigin;
pub use target::{HttpTarget, HttpTargetError};
