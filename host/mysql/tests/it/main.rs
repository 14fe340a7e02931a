//! Connections of plugins, against real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../sql/tests/common/mod.rs"]
mod common;
mod mariadb;
mod tls;
