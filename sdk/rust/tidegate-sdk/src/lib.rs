//! What a Tidegate plugin written in Rust is made of.
//!
//! A plugin crate implements [`Sink`], [`Dispatcher`] or [`Transform`] and names the type in [`export_sink!`],
//! [`export_dispatcher!`] or [`export_transform!`]. Compiled for `wasm32-wasip2` that makes the component's exports; compiled for
//! anything else nothing is exported and the same type runs in-process (see [`native`]), for unit tests,
//! profilers and comparisons.
//!
//! Does: plain types for everything that crosses the border, the three traits, wrappers of the
//! capabilities ([`sql`], [`producer`], [`object_store`], [`http`], [`state`], [`secret`], [`clock`], [`log`], [`metrics`],
//! [`session`]).
//! Does not: read or write batches (that is the crate [`tgr1`]), any IO of its own.
//!
//! Invariants:
//! - The host never makes two calls at once, so a plugin needs no locks and keeps its state in `self`.
//! - A plugin that panics is gone: the host starts a new instance at the last acknowledged barrier.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod blocks;
mod dispatcher;
mod failure;
mod manifest;
mod pattern;
mod schema;
mod sink;
mod transform;

pub mod clock;
pub mod http;
pub mod log;
pub mod metrics;
pub mod object_store;
pub mod producer;
pub mod secret;
pub mod session;
pub mod sql;
pub mod state;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;

pub use blocks::Blocks;
pub use dispatcher::{Decisions, DispatchPlan, Dispatcher, LEAVE_OUT};
pub use failure::Failure;
pub use manifest::{Capability, Manifest};
pub use pattern::TablePattern;
pub use schema::{Column, ColumnProps, DdlEvent, DdlKind, Index, LogicalType, Position, TableRef, TableSchema};
pub use session::Context;
pub use sink::{Ack, BadEvent, Barrier, BarrierKind, RowBatch, Sink, TablePlan, WriteOutcome};
pub use tgr1;
pub use transform::{Transform, TransformPlan, Transformed};

/// Free-form pairs, for what the contract grows by.
pub type Attrs = Vec<(String, String)>;

/// Makes the type, a [`Sink`], the component's sink. Does nothing unless compiled for WebAssembly.
#[macro_export]
macro_rules! export_sink {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::guest::SinkComponent<$plugin>;
    $crate::guest::sink::export!(Component with_types_in $crate::guest::sink);
        };
    };
}

/// Makes the type, a [`Dispatcher`], the component's dispatcher. Does nothing unless compiled for WebAssembly.
#[macro_export]
macro_rules! export_dispatcher {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::guest::DispatcherComponent<$plugin>;
    $crate::guest::dispatcher::export!(Component with_types_in $crate::guest::dispatcher);
        };
    };
}

/// Makes the type, a [`Transform`], the component's transform. Does nothing unless compiled for WebAssembly.
#[macro_export]
macro_rules! export_transform {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::guest::TransformComponent<$plugin>;
    $crate::guest::transform::export!(Component with_types_in $crate::guest::transform);
        };
    };
}
