//! From TiDB's bytes to rows of a batch.
//!
//! Does: decode record keys, rows in format 1 and 2, every column type, defaults of columns added later, and checksums; write
//! the values straight into a [`tgr1::BatchWriter`].
//! Does not: choose the table version of a row, order or filter rows, or cut batches.
//!
//! Invariants:
//! - Images hold every public column but virtual generated ones, in the table's order; a column's TGR1 position is its place
//!   among those.
//! - Bytes that cannot be decoded are an error that names table, column and commit-ts; they never panic and
//!   never leave a partial row in the batch.
//! - The value stored in a row wins over the key, the key over a default: right with and without new collations.
//! - Nothing is allocated per row.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod checksum;
mod codes;
mod decode;
mod defaults;
mod error;
mod image;
mod mount;
mod plan;
mod types;
mod value;
mod zone;

pub use checksum::ChecksumFault;
pub use codes::CODES;
pub use decode::{
    Datum, Fault, Handle, RecordKey, RowV1, RowV2, decimal_text, decode_bytes, json_text, read_datum, record_key,
};
pub use error::MountError;
pub use mount::{MountOptions, Mounted, TableMounter};
pub use types::{logical, source_type};
pub use zone::TimestampZone;
