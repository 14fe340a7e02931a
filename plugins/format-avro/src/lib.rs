//! Avro with a schema registry, as TiCDC writes it: a record for the key, a record for the row.
//!
//! Does: make the schemas of a table, ask for their ids through a [`Registry`] that is handed in, encode keys and rows with
//! Confluent's or Glue's header, and decode them with the schemas' texts.
//! Does not: talk to a registry, choose topics or partitions, carry row checksums (batches do not hold them).
//!
//! Invariants:
//! - A table version asks the registry once for its key and once for its value.
//! - A deleted row is a key without a value, unless old values are asked for.
//! - DDL and watermarks have no message unless `avro-enable-watermark` is set, which TiCDC has for its own tests.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod bytes;
pub mod decimal;
mod decode;
mod encode;
mod schema;
mod value;

pub use decode::{Decoder, SchemaText};
pub use encode::{Avro, Options, TopicOf};
pub use schema::{BigintUnsigned, DecimalMode, sanitized};

use tg_format_common::{Bytes, DecodeError};

/// What a registry answers for a schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SchemaId {
    /// Confluent's number.
    Confluent(u32),
    /// Glue's id of the schema version.
    Glue([u8; 16]),
}

impl SchemaId {
    /// Appends the header of a message.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Confluent(id) => {
                out.push(0);
                out.extend_from_slice(&id.to_be_bytes());
            }
            Self::Glue(id) => {
                // Version of the header, and no compression.
                out.extend_from_slice(&[3, 0]);
                out.extend_from_slice(id);
            }
        }
    }
}

/// Takes a message's header off.
///
/// # Errors
/// When it has none.
pub fn read_header(from: &mut Bytes<'_>) -> Result<SchemaId, DecodeError> {
    match from.byte("header")? {
        0 => Ok(SchemaId::Confluent(u32::from_be_bytes(from.array("header")?))),
        3 => {
            from.byte("header")?;
            Ok(SchemaId::Glue(from.array("header")?))
        }
        other => Err(DecodeError::unknown("header", &other.to_string())),
    }
}

/// Gives ids to schemas.
pub trait Registry {
    /// The id of this schema under this subject; registers it if it is new.
    ///
    /// # Errors
    /// Why it refuses.
    fn schema_id(&mut self, subject: &str, schema: &str) -> Result<SchemaId, String>;
}

/// The subjects of a topic's keys and values.
#[must_use]
pub fn subjects(topic: &str) -> [String; 2] {
    let topic = topic.replace('.', "_");
    [format!("{topic}-key"), format!("{topic}-value")]
}
