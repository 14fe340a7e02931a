//! MySQL connections that plugins are granted.
//!
//! Does: connect to MySQL, MariaDB and TiDB ([`MysqlEndpoint`]), set the session up, say what the server is, run
//! transactions in few round trips, classify errors, fence writers and keep their progress in the downstream.
//! Does not: build statements (that is the plugin's work), decide when to try again, know tables. What a fault, a claim and a result
//! are is the same for all SQL servers: `tg_sql` says it.
//!
//! Invariants:
//! - A transaction of a fenced lane holds its progress row's lock and commits only while the row's epoch is its own. The
//!   position moves in the same transaction as the rows.
//! - `COMMIT` is sent alone, after everything before it succeeded. A connection lost earlier has changed nothing; one lost
//!   from then on gives [`FaultKind::Unknown`], and [`MysqlConnection::durable`] tells.
//! - Taking a slot raises the epoch of all its lanes in one transaction, which waits a moment for those of the writer before and then
//!   ends its connections: a writer that stands still within a transaction keeps nobody waiting. (TiDB: it ends such transactions itself.)
//! - Secrets appear in no error and no debug output.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod classify;
mod connect;
mod connection;
mod dialect;
mod endpoint;
mod errno;
mod grant;
mod hold;
mod progress;
mod result;
mod session;
mod target;

pub use connection::MysqlConnection;
pub use dialect::{Flavor, ServerFacts};
pub use endpoint::MysqlEndpoint;
pub use target::{MysqlTarget, MysqlTls};
pub use tg_sql::{Cell, Executed, Fault, FaultKind, LaneClaim, ResultRows, Secret};
