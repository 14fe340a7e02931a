//! The PostgreSQL sink: rows of one lane become few large statements, tables are made and changed as the source's are.
//!
//! Does: keep the net effect per row key between two flushes ([`Window`]), write it as `DELETE … IN` and multi-row
//! `INSERT … ON CONFLICT` ([`write_statements`]), build DDL from the schemas before and after ([`ddl_statements`]).
//! Does not: connect, authenticate, begin, commit, fence or keep progress; all of that is the host's `sql` capability. It reads no
//! text of MySQL's: what a statement did is read from the schemas.
//!
//! Invariants:
//! - Rows of one key come to one lane in commit order; within a window only the last state of a key is written.
//! - Within a table deletes go before puts, so that a key or unique value is free before it is taken again.
//! - A table without a usable key is written row by row in the order of its changes.
//! - One flush is one transaction. Rows beyond the memory bound leave earlier, in `write`, where the host moves no position;
//!   the host marks them as maybe repeated when it hands them over again.
//! - A row with a value that PostgreSQL cannot hold is put aside before anything of it is written; no value is bent to fit.
//! - Every statement of a DDL may be run again.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bad;
mod config;
mod ddl;
mod ident;
mod lists;
mod literal;
mod pgtype;
mod sink;
mod statements;
mod table;
mod window;

pub use bad::Bad;
pub use config::{BitType, Config, ConfigError, ZeroDates};
pub use ddl::{Actual, Ddl, ddl_statements};
pub use sink::PostgresSink;
pub use statements::{Limits, Written, write_statements};
pub use table::{KeyMode, Table};
pub use window::Window;

tidegate_sdk::export_sink!(PostgresSink);
