//! Puts the raw changes of many spans into one order and releases them up to a resolved-ts.
//!
//! Does: hold changes in memory while they are few and in RocksDB when they are many; release them by
//! (commit-ts, table, start-ts, delete before update before insert, key) over all spans of a [`Sorter`];
//! remove what a resubscription delivers twice; count and bound memory and disk for the whole process
//! ([`SorterStore`]); give disk space back behind the checkpoint.
//!
//! Does not: decide what the resolved-ts is, keep anything over a restart, decode rows, wait or spawn.
//! Every call is synchronous; `push` and `next_chunk` may do a bounded amount of disk IO.
//!
//! Invariants:
//! - A change that was pushed leaves through `next_chunk` exactly once, unless its span was removed.
//! - Within one sweep to a resolved-ts the order is total, also across the borders of chunks.
//! - A change at or below what a span has released is a duplicate and is dropped.
//! - A failed spill loses nothing: the changes stay in memory and the next call tries again.
//! - No disk space is given back above the lowest change that has not been released.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod batch;
mod codec;
mod codes;
mod config;
mod disk;
mod entry;
mod error;
mod frontier;
mod index;
mod reclaim;
mod rocks;
mod sorter;
mod store;

pub use codes::CODES;
pub use config::SorterConfig;
pub use error::SorterError;
pub use sorter::{ChunkEnd, SortedChange, Sorter};
pub use store::{SorterStore, Usage};
