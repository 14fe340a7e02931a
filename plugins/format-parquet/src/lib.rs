//! Parquet files for the storage sink. TiCDC has none: names and options are those of its csv.
//!
//! Does: encode rows into files that say what they hold: change columns, then the table's, typed, with NULLs kept, in Snappy;
//! read such files back.
//! Does not: name files, write schema files, metadata or DDL. Read files of others.
//!
//! The format itself is the `parquet` crate's, without Arrow. That costs eleven crates, about a minute of one slow core for the guests
//! and a quarter of one for the host, and a storage guest of 1.5 MB in place of 0.6. A writer of our own would cost none of that, but
//! pages, levels, dictionaries, statistics and the footer would be ours to keep right before every reader there is, and a reader
//! for `tidegate consume` besides: nothing of it is what Tidegate is for.
//!
//! Invariants:
//! - A row is in a file whole or not at all. A value that its column cannot hold refuses the row, unless an option says otherwise.
//! - Of one file at most [`GROUP_BYTES_MAX`] bytes of rows and one change wait; what is written before them is in its last form.
//! - Files of every past version are read; any bytes are answered with rows or an error.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod decimal;
mod decode;
mod describe;
mod encode;
mod error;
mod file;
mod item;
mod kind;
mod meta;
mod options;
mod values;

pub use decode::decode;
pub use encode::Parquet;
pub use error::FileError;
pub use file::{File, GROUP_BYTES_MAX, GROUP_ROWS_MAX};
pub use options::{Options, ZeroDates};
