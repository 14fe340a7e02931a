//! The MySQL sink: rows of one lane become few large statements, DDL is put into the downstream's dialect.
//!
//! Does: write the net effect of a [`Window`] as `DELETE .. IN`, multi-row `INSERT`, upsert or `REPLACE`, rewrite and run DDL
//! ([`rewrite`]), mark sync points in TiDB.
//! Does not: say when a window is written and what an open outcome means: `tg_sql_common` does, for all SQL servers. Connect,
//! authenticate, begin, commit, fence or keep progress: all of that is the host's `sql` capability.
//!
//! Invariants, besides those of `tg_sql_common`:
//! - Within a table deletes go before puts, so that a key or unique value is free before it is taken again.
//! - A table without a usable key is written row by row in the order of its changes.
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
mod runs;
mod segment;
mod sink;
mod statements;
mod sync_point;
mod table;

pub use config::Config;
pub use ddl::{Rewritten, Server, rewrite};
pub use segment::Changes;
pub use sink::MysqlSink;
pub use table::Table;
pub use tg_sql_common::{ConfigError, KeyMode, Limits, Written, write_statements};

/// Rows of one lane between two flushes.
pub type Window = tg_sql_common::Window<Changes>;

tidegate_sdk::export_sink!(MysqlSink);
