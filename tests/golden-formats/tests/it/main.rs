//! Formats, message by message against recordings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod canal_json;
mod common;
mod csv;
mod debezium;
mod open_protocol;
mod partitions;
mod simple;
mod storage_files;
