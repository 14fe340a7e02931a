//! The PostgreSQL sink's statements.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../../../sql-common/tests/common/mod.rs"]
mod common;
mod ddl;
mod statements;
