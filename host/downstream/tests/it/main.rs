//! Connections of plugins, against real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../sql/tests/common/mod.rs"]
mod common;
mod http;
mod mariadb;
mod tls;
mod webhook;
