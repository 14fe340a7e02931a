//! Rows that are put aside: what a plugin will not take, what stops a plugin again and again, what cannot be mounted.

mod error;
mod file;
mod format;
mod row;

pub use error::QuarantineError;
pub use file::{FileQuarantine, QuarantineLimits};
pub use row::{BadRow, Kept, RawOp, RowData};
