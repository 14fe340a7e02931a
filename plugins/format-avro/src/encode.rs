//! Rows to keys and values.

use crate::schema::{self, BigintUnsigned, DecimalMode, Extras, Modes};
use crate::{Registry, SchemaId, bytes, value};
use std::sync::Arc;
use tg_format_common::{
    Column, EncodeError, Encoder, Images, Messages, Now, Table, Tables, ddl_names, images, json, physical_ms,
};
use tgr1::{Image, Row};
use tidegate_sdk::{DdlEvent, TableRef, TableSchema};

/// Finds the topic of a table.
pub type TopicOf = Box<dyn Fn(&str, &str) -> String + Send>;

/// First byte of the messages that tests of TiCDC ask for.
pub(crate) const TEST_DDL: u8 = 1;
pub(crate) const TEST_CHECKPOINT: u8 = 2;
pub(crate) const TEST_DELETE: u8 = 3;

/// Choices of a changefeed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Begins the records' namespace.
    pub keyspace: String,
    /// `avro-decimal-handling-mode`.
    pub decimal: DecimalMode,
    /// `avro-bigint-unsigned-handling-mode`.
    pub bigint_unsigned: BigintUnsigned,
    /// `enable-tidb-extension`: operation and commit timestamp in values.
    pub enable_tidb_extension: bool,
    /// `avro-include-before-value`: old rows in values, and deletes with a value.
    pub include_before: bool,
    /// `avro-enable-watermark`: messages for DDL, checkpoints and deletes, as TiCDC's tests read them.
    pub enable_watermark: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keyspace: "default".to_owned(),
            decimal: DecimalMode::Precise,
            bigint_unsigned: BigintUnsigned::Long,
            enable_tidb_extension: false,
            include_before: false,
            enable_watermark: false,
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
pub struct Avro<R> {
    options: Options,
    topic_of: TopicOf,
    registry: R,
    tables: Tables<Prepared>,
    scratch: Vec<u8>,
}

impl<R> std::fmt::Debug for Avro<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Avro").field("options", &self.options).finish_non_exhaustive()
    }
}

impl<R: Registry> Avro<R> {
    /// An encoder with these options; `topic_of` says into which topic a table goes, as subjects are named by topics.
    #[must_use]
    pub fn new(options: Options, topic_of: TopicOf, registry: R) -> Self {
        Self { options, topic_of, registry, tables: Tables::default(), scratch: Vec::new() }
    }

    const fn modes(&self) -> Modes {
        Modes { decimal: self.options.decimal, bigint: self.options.bigint_unsigned }
    }
}

impl<R: Registry> Encoder for Avro<R> {
    fn table(&mut self, schema: Arc<TableSchema>, selected: Option<&[u32]>) -> Result<(), EncodeError> {
        let id = schema.id;
        let table = Table::new(schema, selected)?;
        let modes = self.modes();
        let part = schema::sanitized;
        let namespace = format!("{}.{}", part(&self.options.keyspace), part(&table.schema.database));
        let [key_subject, value_subject] =
            crate::subjects(&(self.topic_of)(&table.schema.database, &table.schema.name));
        let all: Vec<&Column> = table.columns.iter().collect();
        let keys: Vec<&Column> = table.columns.iter().filter(|c| c.handle).collect();
        let extras = Extras { extension: self.options.enable_tidb_extension, before: self.options.include_before };
        let mut register = |subject: String, text: String| {
            let id = self.registry.schema_id(&subject, &text);
            id.map_err(|reason| EncodeError::Registry { subject, reason })
        };
        let mut key = None;
        if !keys.is_empty() {
            let text = schema::text(&table, &keys, &namespace, modes, Extras::default());
            key = Some(register(key_subject, text)?);
        }
        let value = register(value_subject, schema::text(&table, &all, &namespace, modes, extras))?;
        self.tables.insert(id, Prepared { table, key, value });
        Ok(())
    }

    fn drop_table(&mut self, id: TableRef) {
        self.tables.remove(id);
    }

    fn row(&mut self, table: TableRef, row: &Row<'_>, _: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let modes = self.modes();
        let prepared = self.tables.get(table)?;
        let commit_ts = row.commit_ts();
        let images = images(row, &prepared.table.full_name)?;
        let mut change = Change { prepared, images, commit_ts, modes, scratch: &mut self.scratch };
        let start = out.begin();
        let is_tombstone = matches!(images, Images::Delete(_)) && !self.options.include_before;
        let mut written = change.key(out.buf());
        if written.is_ok() {
            if prepared.key.is_some() {
                out.end_key();
            }
            if !is_tombstone {
                written = change.value(out.buf(), &self.options);
            }
        }
        match written {
            Err(error) => {
                out.abort(start);
                return Err(error);
            }
            Ok(()) if is_tombstone && self.options.enable_watermark => {
                out.buf().push(TEST_DELETE);
                out.buf().extend_from_slice(&commit_ts.to_be_bytes());
                out.finish(start, 1);
            }
            Ok(()) if is_tombstone => out.finish_tombstone(start, 1),
            Ok(()) => out.finish(start, 1),
        }
        Ok(())
    }

    fn ddl(&mut self, ddl: &DdlEvent, _: Now, out: &mut Messages) -> Result<(), EncodeError> {
        if !self.options.enable_watermark {
            return Ok(());
        }
        let (database, table) = ddl_names(ddl);
        let start = out.begin();
        let buf = out.buf();
        buf.push(TEST_DDL);
        buf.extend_from_slice(b"{\"query\":");
        json::string(buf, ddl.query.as_bytes(), json::Escape::Go);
        buf.extend_from_slice(format!(",\"type\":{},\"schema\":", tg_format_common::action_code(ddl)).as_bytes());
        json::string(buf, database.as_bytes(), json::Escape::Go);
        buf.extend_from_slice(b",\"table\":");
        json::string(buf, table.as_bytes(), json::Escape::Go);
        buf.extend_from_slice(format!(",\"commitTs\":{}}}", ddl.at.ts).as_bytes());
        out.finish(start, 0);
        Ok(())
    }

    fn watermark(&mut self, ts: u64, _: Now, out: &mut Messages) -> Result<(), EncodeError> {
        if self.options.enable_watermark {
            let start = out.begin();
            out.buf().push(TEST_CHECKPOINT);
            out.buf().extend_from_slice(&ts.to_be_bytes());
            out.finish(start, 0);
        }
        Ok(())
    }
}

/// A row on its way into a message.
struct Change<'a> {
    prepared: &'a Prepared,
    images: Images<'a>,
    commit_ts: u64,
    modes: Modes,
    scratch: &'a mut Vec<u8>,
}

impl Change<'_> {
    fn key(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let Some(id) = &self.prepared.key else { return Ok(()) };
        id.write(out);
        let current = *self.images.current();
        self.columns(out, &current, true)
    }

    fn value(&mut self, out: &mut Vec<u8>, options: &Options) -> Result<(), EncodeError> {
        self.prepared.value.write(out);
        let (word, before) = match self.images {
            Images::Insert(_) => ("c", None),
            Images::Update(_, old) => ("u", Some(old)),
            Images::Delete(old) => ("d", Some(old)),
        };
        let current = *self.images.current();
        self.columns(out, &current, false)?;
        if options.enable_tidb_extension || options.include_before {
            bytes::bytes(out, word.as_bytes());
        }
        if options.enable_tidb_extension {
            bytes::long(out, self.commit_ts.cast_signed());
            bytes::long(out, physical_ms(self.commit_ts).cast_signed());
        }
        if options.include_before {
            bytes::long(out, i64::from(before.is_some()));
            if let Some(before) = before {
                self.columns(out, &before, false)?;
            }
        }
        Ok(())
    }

    fn columns(&mut self, out: &mut Vec<u8>, image: &Image<'_>, key_only: bool) -> Result<(), EncodeError> {
        let table = &self.prepared.table;
        for column in table.columns.iter().filter(|c| !key_only || c.handle) {
            value::write(out, table, column, image, self.commit_ts, self.modes, self.scratch)?;
        }
        Ok(())
    }
}
