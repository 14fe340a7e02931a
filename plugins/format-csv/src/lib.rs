//! CSV files, as TiCDC's storage sink writes them.
//!
//! Does: encode rows as lines with every option of TiCDC's `[sink.csv]`, and read the lines of a file with the table's schema.
//! Does not: name files, write schema files, metadata or DDL (files have none). `output-handle-key` does nothing, as with TiCDC.
//!
//! Invariants:
//! - A line has the operation, table, schema, what the options add, then every column in order.
//! - With a quote, what was written reads back exactly; without one, text equal to the null mark reads back as NULL.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod decode;
mod encode;
mod options;
mod split;

pub use decode::Decoder;
pub use encode::Csv;
pub use options::{Binary, Options};
