//! Rows and schema changes to hand over: generated, recorded, or written by a person.

mod cell;
mod event;
mod file;
mod generate;
mod table;
mod types;
mod values;

pub use cell::Cell;
pub(crate) use cell::{from_text, hex, to_text, unhex};
pub(crate) use event::{BatchError, batch};
pub use event::{Change, Corpus, Event};
pub use file::FORMAT;
pub use generate::generated;
pub(crate) use generate::{PLAIN_TXNS, bench_rows, large, many, plain, types};
pub(crate) use table::TableDef;
