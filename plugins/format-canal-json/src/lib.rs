//! Canal-JSON, as TiCDC writes it: one JSON object for each changed row, DDL and watermark.
//!
//! Does: encode rows, DDL and watermarks with every option of TiCDC's (`enable-tidb-extension`, `content-compatible`,
//! `only-output-updated-columns`, `delete-only-output-handle-key-columns`, large messages), and decode what was encoded.
//! Does not: choose topics or partitions, store claim-check files, put terminators between messages of a file.
//!
//! Invariants:
//! - Members come in TiCDC's order. Columns within `mysqlType`, where TiCDC has no order, come in the table's.
//! - What is the same for every row of a table is written once, in [`Encoder::table`](tg_format_common::Encoder::table).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod decode;
mod encode;
mod java;
mod shape;

pub use decode::decode;
pub use encode::{CanalJson, Options};
