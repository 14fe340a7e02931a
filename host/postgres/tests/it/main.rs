//! Connections of plugins, against a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../sql/tests/common/mod.rs"]
mod common;
mod cut;
#[path = "../../../sql/tests/common/cutter.rs"]
mod cutter;
mod postgres;
mod tls;
