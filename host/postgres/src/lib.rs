//! PostgreSQL connections that plugins are granted, fenced.
//!
//! Does: connect to PostgreSQL ([`PostgresEndpoint`]), set the session up, run transactions in few round trips, classify errors,
//! fence writers and keep their progress in the downstream, end the sessions of a writer whose slot is taken.
//! Does not: build statements (that is the plugin's work), decide when to try again, know tables. What a fault, a claim and a result
//! are is the same for all SQL servers: `tg_sql` says it.
//!
//! Invariants:
//! - A transaction of a fenced lane holds its progress row's lock and commits only while the row's epoch is its own. The
//!   position moves in the same transaction as the rows. DDL runs under the same check.
//! - `COMMIT` is sent alone, after everything before it succeeded. A connection lost earlier has changed nothing; one lost
//!   from then on gives `FaultKind::Unknown`, and [`PostgresConnection::durable`] tells.
//! - Taking a slot raises the epoch of all its lanes in one transaction. It waits for no writer that has stopped: the sessions of
//!   older epochs are known by an advisory lock that each holds, and are ended.
//! - Secrets appear in no error and no debug output.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod classify;
mod connect;
mod connection;
mod endpoint;
mod facts;
mod grant;
mod marker;
mod progress;
mod result;
mod rows;
mod session;
mod sqlstate;
mod target;
mod tls;

pub use connection::PostgresConnection;
pub use endpoint::PostgresEndpoint;
pub use facts::ServerFacts;
pub use target::{PostgresTarget, PostgresTls, Verify};
