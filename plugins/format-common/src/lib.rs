//! What the change formats share.
//!
//! Does: prepare tables for encoders ([`Table`]), collect messages in one buffer ([`Messages`]), write values as JSON and as
//! text the way Go programs print them, deal with messages that are too large ([`Large`]), compress values ([`Compression`]), give changes ids ([`row_id`]), and say what a decoder answers
//! ([`ChangeEvent`]).
//! Does not: any IO, any clock (build times are handed in), any one format.
//!
//! Invariants:
//! - Encoders append to buffers that are kept; a row costs no allocation once the buffers have grown.
//! - A row that cannot be encoded leaves the messages as they were.
//! - Decoders answer arbitrary bytes with an event or an error; they never panic, and what they allocate is bounded by the size
//!   of the message.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bin;
mod compress;
mod ddl;
mod encoder;
mod error;
mod event;
mod event_id;
mod large;
mod messages;
mod mysql_type;
mod table;

pub mod calendar;
pub mod json;
pub mod number;
pub mod read;
pub mod value;

pub use bin::Bytes;
pub use compress::{Compress, Compression, Expand};
pub use ddl::{action_code, ddl_names, ddl_table, ddl_word, physical_ms};
pub use encoder::{Encoder, Images, Now, images};
pub use error::{DecodeError, EncodeError};
pub use event::{ChangeEvent, Datum, DdlChange, Field, RowChange, SchemaChange, SchemaColumn, SchemaIndex};
pub use event_id::{EVENT_ID_BYTES_MAX, ddl_id, row_id};
pub use large::{Large, LargeMode, Locate, Outcome, Subject, finish_row};
pub use messages::{Claim, Message, Messages, Start};
pub use mysql_type::MysqlType;
pub use table::{Column, Table, Tables};
