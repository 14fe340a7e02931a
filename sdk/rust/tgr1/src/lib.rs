//! TGR1, the flat row batch of Tidegate: written by the mounter, read in place by guests.
//!
//! Does: write, read, check, select, project and route batches (layout: `docs/formats/tgr1.md`), and
//! turn their values into the text TiDB prints.
//! Does not: know schemas beyond a column's slot and logical type; allocate when reading.
//!
//! Invariants:
//! - After [`Batch::parse`] no accessor panics or reads outside the batch, whatever the bytes are.
//! - Offsets inside a row count from the row's first byte, so [`select`] copies rows as they are.
//! - A finished batch has at most [`BATCH_LIMIT_BYTES`] bytes.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod buf;
mod bytes;
mod error;
mod layout;
mod reader;
mod row;
mod select;
pub mod text;
mod writer;

pub use buf::{BatchBuf, Route};
pub use error::{BatchFull, FormatError};
pub use layout::{
    BATCH_LIMIT_BYTES, COLUMNS_MAX, ColumnSpec, ImageKind, LANE_DROP, Logical, MAGIC, MINOR, Op, SlotKind, batch_flags,
    row_flags,
};
pub use reader::{Batch, Rows};
pub use row::{Image, Row, Value};
pub use select::{copy_value, project, select};
pub use text::PackedTime;
pub use writer::BatchWriter;
