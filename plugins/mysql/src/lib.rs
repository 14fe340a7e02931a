//! The MySQL sink: rows of one lane become few large statements, DDL is put into the downstream's dialect.
//!
//! Does: keep the net effect per row key between two flushes ([`Window`]), write it as `DELETE .. IN`, multi-row
//! `INSERT`, upsert or `REPLACE` ([`write_statements`]), rewrite and run DDL ([`rewrite`]), mark sync points in TiDB.
//! Does not: connect, authenticate, begin, commit, fence or keep progress; all of that is the host's `sql` capability.
//!
//! Invariants:
//! - Rows of one key come to one lane in commit order; within a window only the last state of a key is written.
//! - Within a table deletes go before puts, so that a key or unique value is free before it is taken again.
//! - A table without a usable key is written row by row in the order of its changes.
//! - One flush is one transaction. Rows beyond the memory bound leave earlier, in `write`, where the host moves no position;
//!   the host marks them as maybe repeated when it hands them over again.
//! - After a flush of unknown outcome the same barrier again means "not done": the window is written again in a way that may
//!   be repeated. Any other call means "done": the window is dropped.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod append;
mod config;
mod ddl;
mod escape;
mod ident;
mod key;
mod keyed;
mod keyless;
mod literal;
mod packer;
mod sink;
mod statements;
mod sync_point;
mod table;
mod window;

pub use config::{Config, ConfigError};
pub use ddl::{Rewritten, Server, rewrite};
pub use sink::MysqlSink;
pub use statements::{Limits, Written, write_statements};
pub use table::{KeyMode, Table};
pub use window::Window;

tidegate_sdk::export_sink!(MysqlSink);
