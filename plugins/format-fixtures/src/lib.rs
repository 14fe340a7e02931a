//! Tables and rows for the tests and measurements of the change formats.
//!
//! Does: make a table with every type, rows of it from a seed, what a decoder should answer for them, and the batch of
//! 200-byte rows that is measured.
//! Does not: belong to any plugin.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod batch;
mod check;
mod expect;
mod schema;
mod speed;

pub use batch::{rows, wide_rows};
pub use check::{encoded, expected, sorted};
pub use expect::{datum, fields};
pub use schema::{all_types, columns, plain_table, table};
pub use speed::measure;
