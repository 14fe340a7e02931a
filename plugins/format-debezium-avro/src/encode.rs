//! Rows to keys and envelopes.

use crate::schema::{self, Modes};
use crate::value;
use std::sync::Arc;
use tg_format_avro::bytes::{bytes, long};
use tg_format_avro::{BigintUnsigned, DecimalMode, Registry, SchemaId, TopicOf, subjects};
use tg_format_common::{EncodeError, Encoder, Images, Messages, Now, Table, Tables, images, physical_ms};
use tgr1::{Image, Row};
use tidegate_sdk::{DdlEvent, TableRef, TableSchema};

/// The version of Debezium whose envelopes these are.
const VERSION: &str = "2.4.0.Final";

/// Choices of a changefeed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The name that messages give the source.
    pub cluster_id: String,
    /// `avro-decimal-handling-mode`.
    pub decimal: DecimalMode,
    /// `avro-bigint-unsigned-handling-mode`.
    pub bigint_unsigned: BigintUnsigned,
    /// `[sink.debezium] output-old-value`.
    pub output_old_value: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cluster_id: "default".to_owned(),
            decimal: DecimalMode::Precise,
            bigint_unsigned: BigintUnsigned::Long,
            output_old_value: true,
        }
    }
}

#[derive(Debug)]
struct Prepared {
    table: Table,
    /// Header of keys; `None`: the table has no key.
    key: Option<SchemaId>,
    value: SchemaId,
}

/// The encoder.
pub struct DebeziumAvro<R> {
    options: Options,
    topic_of: TopicOf,
    registry: R,
    tables: Tables<Prepared>,
    scratch: Vec<u8>,
}

impl<R> std::fmt::Debug for DebeziumAvro<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DebeziumAvro").field("options", &self.options).finish_non_exhaustive()
    }
}

impl<R: Registry> DebeziumAvro<R> {
    /// An encoder with these options; `topic_of` says into which topic a table goes.
    #[must_use]
    pub fn new(options: Options, topic_of: TopicOf, registry: R) -> Self {
        Self { options, topic_of, registry, tables: Tables::default(), scratch: Vec::new() }
    }
}

impl<R: Registry> Encoder for DebeziumAvro<R> {
    fn table(&mut self, schema: Arc<TableSchema>, selected: Option<&[u32]>) -> Result<(), EncodeError> {
        let id = schema.id;
        let table = Table::new(schema, selected)?;
        let modes = Modes { decimal: self.options.decimal, bigint: self.options.bigint_unsigned };
        let topic = (self.topic_of)(&table.schema.database, &table.schema.name);
        let [key_subject, value_subject] = subjects(&topic);
        let mut register = |subject: String, text: String| {
            let id = self.registry.schema_id(&subject, &text);
            id.map_err(|reason| EncodeError::Registry { subject, reason })
        };
        let cluster = &self.options.cluster_id;
        let mut key = None;
        if !table.handle.is_empty() {
            key = Some(register(key_subject, schema::key(&table, cluster, modes))?);
        }
        let value = register(value_subject, schema::envelope(&table, cluster, modes))?;
        self.tables.insert(id, Prepared { table, key, value });
        Ok(())
    }

    fn drop_table(&mut self, id: TableRef) {
        self.tables.remove(id);
    }

    fn row(&mut self, table: TableRef, row: &Row<'_>, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let Self { options, tables, scratch, .. } = self;
        let prepared = tables.get(table)?;
        let commit_ts = row.commit_ts();
        let images = images(row, &prepared.table.full_name)?;
        let mut change = Change { prepared, images, commit_ts, now, options, scratch };
        let start = out.begin();
        let mut written = change.key(out.buf());
        if written.is_ok() {
            if prepared.key.is_some() {
                out.end_key();
            }
            written = change.value(out.buf());
        }
        match written {
            Ok(()) => out.finish(start, 1),
            Err(_) => out.abort(start),
        }
        written
    }

    fn ddl(&mut self, _: &DdlEvent, _: Now, _: &mut Messages) -> Result<(), EncodeError> {
        Ok(())
    }

    fn watermark(&mut self, _: u64, _: Now, _: &mut Messages) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// A row on its way into a message.
struct Change<'a> {
    prepared: &'a Prepared,
    images: Images<'a>,
    commit_ts: u64,
    now: Now,
    options: &'a Options,
    scratch: &'a mut Vec<u8>,
}

impl Change<'_> {
    fn key(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let Some(id) = &self.prepared.key else { return Ok(()) };
        id.write(out);
        let current = *self.images.current();
        self.columns(out, &current, true)
    }

    fn value(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.prepared.value.write(out);
        let (op, new, old) = match self.images {
            Images::Insert(new) => ("c", Some(new), None),
            Images::Update(new, old) => ("u", Some(new), self.options.output_old_value.then_some(old)),
            Images::Delete(old) => ("d", None, Some(old)),
        };
        for image in [old, new] {
            long(out, i64::from(image.is_some()));
            if let Some(image) = image {
                self.columns(out, &image, false)?;
            }
        }
        self.source(out);
        bytes(out, op.as_bytes());
        long(out, 1);
        long(out, self.now.cast_signed());
        Ok(())
    }

    fn columns(&mut self, out: &mut Vec<u8>, image: &Image<'_>, key_only: bool) -> Result<(), EncodeError> {
        let table = &self.prepared.table;
        let modes = Modes { decimal: self.options.decimal, bigint: self.options.bigint_unsigned };
        for column in table.columns.iter().filter(|c| !key_only || c.handle) {
            value::write(out, table, column, image, self.commit_ts, modes, self.scratch)?;
        }
        Ok(())
    }

    fn source(&self, out: &mut Vec<u8>) {
        let schema = &self.prepared.table.schema;
        let cluster = self.options.cluster_id.as_bytes();
        [VERSION.as_bytes(), b"TiCDC", cluster].into_iter().for_each(|text| bytes(out, text));
        long(out, physical_ms(self.commit_ts).cast_signed());
        // No snapshot.
        long(out, 0);
        bytes(out, schema.database.as_bytes());
        long(out, 1);
        bytes(out, schema.name.as_bytes());
        // Server 0, no gtid, no file, position 0, row 0, no thread, no query.
        out.extend_from_slice(&[0; 7]);
        long(out, self.commit_ts.cast_signed());
        bytes(out, cluster);
    }
}
