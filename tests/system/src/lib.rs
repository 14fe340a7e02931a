//! What the system tests stand on: real servers, the product's binary, and an oracle that compares databases.
//!
//! Does: start and stop [`UpstreamTidb`] (the SQL engine of TiDB with the wire of PD and TiKV), [`MariaDb`] and
//! [`Tidegate`]; call the HTTP API ([`Api`]); run SQL ([`Sql`]); [`compare()`] an upstream with its downstream row by row.
//! Does not: install anything, or know what a test replicates.
//!
//! Invariants:
//! - What was started is killed by its own process id when its value is dropped, and its folder is removed.
//! - Every wait is bounded, and says what it waited for when it is over.
//!
//! Environment: `TIDEGATE_BIN` and `TIDEGATE_UPSTREAM_TIDB` name ready binaries; `TIDEGATE_CACHE` is where the upstream is
//! kept once it is built; `TIDEGATE_KILLS` is how often the restart tests kill the product.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod api;
mod build;
pub mod compare;
mod rig;
mod sql;
mod tidegate;
mod upstream_tidb;

pub use api::Api;
pub use compare::compare;
pub use rig::{CATCH_UP, Feed, Rig};
pub use sql::Sql;
pub use tg_scratch_mariadb::{MariaDb, Process, free_port};
pub use tidegate::{Ended, Tidegate};
pub use upstream_tidb::UpstreamTidb;
