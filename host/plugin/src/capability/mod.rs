//! What a guest may call.

#![allow(unreachable_pub, reason = "generated bindings re-export the resource types")]

pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod rows;
mod session;
pub(crate) mod sql;
