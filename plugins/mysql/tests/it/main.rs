//! The MySQL sink.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../sql-common/tests/common/bench.rs"]
mod bench;
#[path = "../../../sql-common/tests/common/mod.rs"]
mod common;
mod ddl;
mod host;
mod mariadb;
mod statements;
