//! The PostgreSQL sink: rows of one lane become few large statements, tables are made and changed as the source's are.
//!
//! Does: write the net effect of a [`Window`] as `DELETE … IN` and multi-row `INSERT … ON CONFLICT`, build DDL from the schemas before
//! and after ([`ddl_statements`]).
//! Does not: say when a window is written and what an open outcome means: `tg_sql_common` does, for all SQL servers. Connect,
//! authenticate, begin, commit, fence or keep progress: all of that is the host's `sql` capability. It reads no text of MySQL's: what
//! a statement did is read from the schemas.
//!
//! Invariants, besides those of `tg_sql_common`:
//! - Within a table deletes go before puts, so that a key or unique value is free before it is taken again.
//! - A table without a usable key is written row by row in the order of its changes.
//! - A row with a value that PostgreSQL cannot hold is put aside before anything of it is written; no value is bent to fit.
//! - Every statement of a DDL may be run again.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bad;
mod config;
mod ddl;
mod ident;
mod literal;
mod pgtype;
mod segment;
mod sink;
mod statements;
mod table;

pub use bad::Bad;
pub use config::{BitType, Config, ZeroDates};
pub use ddl::{Actual, Ddl, ddl_statements};
pub use segment::Changes;
pub use sink::PostgresSink;
pub use table::Table;
pub use tg_sql_common::{ConfigError, KeyMode, Limits, Written, write_statements};

/// Rows of one lane between two flushes.
pub type Window = tg_sql_common::Window<Changes>;

tidegate_sdk::export_sink!(PostgresSink);
