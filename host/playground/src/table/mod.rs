//! Tables: what is asked for, what the meta data says, how rows become bytes.

mod alter;
mod def;
pub(crate) mod meta;
mod rows;
mod spec;

pub use def::{ColumnDef, Handle, IndexDef, TableDef};
pub use rows::TextRow;
pub use spec::{ColumnSpec, IndexSpec, TableSpec};
