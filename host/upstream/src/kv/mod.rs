//! Reads at a timestamp, and resolution of locks that dead transactions left.

mod client;
mod lock;
mod request;
mod secondaries;
mod snapshot;

pub(crate) use client::KvClient;
pub(crate) use lock::LockResolver;
pub use snapshot::{Pair, Scanner, Snapshot};
