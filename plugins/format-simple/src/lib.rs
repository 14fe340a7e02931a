//! The simple protocol, as TiCDC writes it, in JSON and in Avro.
//!
//! Does: encode rows, DDL with the table's schema, watermarks and bootstrap messages, deal with large messages, and decode what
//! was encoded.
//! Does not: choose topics or partitions, decide when bootstrap messages are due, store claim-check files, carry row checksums
//! (batches do not hold them).
//!
//! Invariants:
//! - In JSON the columns of `data` and `old` are sorted by name; in Avro, where TiCDC has no order, they come in the table's.
//! - A consumer that has read the schema a row names can read the row.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod avro;
mod avro_read;
mod describe;
mod encode;
mod json;
mod json_read;
mod value;

pub use encode::{Encoding, Options, Simple};

use std::collections::BTreeMap;
use tg_format_common::{ChangeEvent, DecodeError, SchemaChange};

/// Version in every message.
pub(crate) const VERSION: u64 = 1;
/// Schemas a decoder remembers; the oldest is forgotten first.
const SCHEMAS_MAX: usize = 10_000;

/// Reads messages of both encodings. Rows are read with the schemas that came before.
#[derive(Debug, Default)]
pub struct Decoder {
    schemas: BTreeMap<(u64, String, String), SchemaChange>,
}

impl Decoder {
    /// Knows no schemas yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one message.
    ///
    /// # Errors
    /// When the bytes are not a message of this format, or a row's schema has not come yet.
    pub fn decode(&mut self, message: &[u8]) -> Result<ChangeEvent, DecodeError> {
        let event = if message.first() == Some(&b'{') {
            json_read::read(message, self)
        } else {
            avro_read::read(message, self)
        }?;
        match &event {
            ChangeEvent::Schema(schema) => self.remember(schema),
            ChangeEvent::Ddl(ddl) => ddl.after.iter().for_each(|schema| self.remember(schema)),
            ChangeEvent::Row(_) | ChangeEvent::Watermark(_) => {}
        }
        Ok(event)
    }

    fn remember(&mut self, schema: &SchemaChange) {
        let id = (schema.version, schema.database.clone(), schema.table.clone());
        self.schemas.insert(id, schema.clone());
        if self.schemas.len() > SCHEMAS_MAX {
            self.schemas.pop_first();
        }
    }

    pub(crate) fn schema(&self, version: u64, database: &str, table: &str) -> Result<&SchemaChange, DecodeError> {
        self.schemas
            .get(&(version, database.to_owned(), table.to_owned()))
            .ok_or_else(|| DecodeError::NoSchema { table: format!("{database}.{table}"), version })
    }
}
