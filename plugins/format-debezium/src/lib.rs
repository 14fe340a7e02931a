//! Debezium JSON, as TiCDC writes it: Kafka Connect envelopes with or without their schemas.
//!
//! Does: encode rows, DDL with table changes and (with the TiDB extension) watermarks; decode what was encoded.
//! Does not: choose topics or partitions, send tombstones, handle large messages (TiCDC has none of that in this format).
//!
//! Invariants:
//! - Keys, and what a schema says, are computed once for a table version.
//! - The format loses some values, as TiCDC's does: decimals become doubles, unsigned integers above the signed range -1,
//!   impossible dates NULL or 0, and NULL in a column with a default becomes the default.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod changes;
mod decode;
mod encode;
mod envelope;
mod field;
mod value;

pub use decode::{decode, decode_key};
pub use encode::{Debezium, Options};
