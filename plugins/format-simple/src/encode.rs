//! Rows, DDL, watermarks and bootstrap messages.

use crate::describe::Reason;
use crate::{avro, json};
use std::sync::Arc;
use tg_format_common::{
    EncodeError, Encoder, Images, Large, Messages, Now, Outcome, Subject, Table, Tables, ddl_table, ddl_word,
    finish_row, images,
};
use tgr1::Row;
use tidegate_sdk::{DdlEvent, DdlKind, TableRef, TableSchema};

/// `encoding-format`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// JSON text.
    #[default]
    Json,
    /// Avro, without a registry.
    Avro,
}

/// Choices of a changefeed.
#[derive(Debug)]
pub struct Options {
    /// `encoding-format`.
    pub encoding: Encoding,
    /// Name of the zone that TIMESTAMP values are in.
    pub time_zone: String,
    /// What is done with large messages.
    pub large: Large,
}

impl Default for Options {
    fn default() -> Self {
        Self { encoding: Encoding::Json, time_zone: "UTC".to_owned(), large: Large::unlimited() }
    }
}

#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) table: Table,
    /// Indexes of the columns in the order they are written.
    pub(crate) order: Vec<usize>,
    /// The columns' names as the encoding has them, in the table's order.
    pub(crate) names: Vec<Vec<u8>>,
}

/// A row on its way into a message.
pub(crate) struct Change<'a> {
    pub(crate) prepared: &'a Prepared,
    pub(crate) images: Images<'a>,
    pub(crate) commit_ts: u64,
    pub(crate) event_id: &'a str,
    pub(crate) now: Now,
    pub(crate) time_zone: &'a str,
    pub(crate) outcome: Outcome<'a>,
}

/// The encoder.
#[derive(Debug)]
pub struct Simple {
    options: Options,
    tables: Tables<Prepared>,
    scratch: Vec<u8>,
}

impl Simple {
    /// An encoder with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, tables: Tables::default(), scratch: Vec::new() }
    }
}

impl Encoder for Simple {
    fn table(&mut self, schema: Arc<TableSchema>, selected: Option<&[u32]>) -> Result<(), EncodeError> {
        let id = schema.id;
        let table = Table::new(schema, selected)?;
        let mut order: Vec<usize> = (0..table.columns.len()).collect();
        if self.options.encoding == Encoding::Json {
            order.sort_by_key(|i| table.columns.get(*i).map(|c| c.name.as_bytes()));
        }
        let name = |c: &tg_format_common::Column| match self.options.encoding {
            Encoding::Json => json::member(&c.name),
            Encoding::Avro => avro::text(&c.name),
        };
        let names = table.columns.iter().map(name).collect();
        self.tables.insert(id, Prepared { table, order, names });
        Ok(())
    }

    fn drop_table(&mut self, id: TableRef) {
        self.tables.remove(id);
    }

    fn row(&mut self, table: TableRef, row: &Row<'_>, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let Self { options, tables, scratch } = self;
        let prepared = tables.get(table)?;
        let commit_ts = row.commit_ts();
        let images = images(row, &prepared.table.full_name)?;
        let has_key = !prepared.table.handle.is_empty();
        let subject = Subject { table: &prepared.table.full_name, commit_ts, has_key };
        let (encoding, time_zone) = (options.encoding, options.time_zone.as_str());
        let event_id = std::mem::take(&mut out.event_id);
        let finished = finish_row(out, &mut options.large, subject, |out, outcome| {
            // Rows have an empty key, which is not the same as none.
            out.end_key();
            let change = Change { prepared, images, commit_ts, event_id: &event_id, now, time_zone, outcome };
            match encoding {
                Encoding::Json => json::row(out.buf(), &change),
                Encoding::Avro => avro::row(out.buf(), &change, scratch),
            }
        });
        out.event_id = event_id;
        finished
    }

    fn ddl(&mut self, ddl: &DdlEvent, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let table = if ddl.table.is_empty() { None } else { ddl_table(ddl) };
        let word = if ddl.kind == DdlKind::ExchangePartition { "ALTER" } else { ddl_word(ddl) };
        let start = out.begin();
        let event_id = std::mem::take(&mut out.event_id);
        match self.options.encoding {
            Encoding::Json => json::ddl(out.buf(), word, &event_id, ddl, table, now),
            Encoding::Avro => avro::ddl(out.buf(), word, ddl, table, now),
        }
        out.event_id = event_id;
        self.options.large.finish_other(out, start)
    }

    fn watermark(&mut self, ts: u64, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let start = out.begin();
        match self.options.encoding {
            Encoding::Json => json::watermark(out.buf(), ts, now),
            Encoding::Avro => avro::watermark(out.buf(), ts, now),
        }
        self.options.large.finish_other(out, start)
    }

    fn bootstrap(&mut self, table: TableRef, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let schema = &self.tables.get(table)?.table.schema;
        let start = out.begin();
        out.end_key();
        match self.options.encoding {
            Encoding::Json => json::bootstrap(out.buf(), schema, now),
            Encoding::Avro => avro::bootstrap(out.buf(), schema, now),
        }
        self.options.large.finish_other(out, start)
    }
}

/// Upstream's number of a table version.
pub(crate) fn version(schema: &TableSchema) -> u64 {
    let attr = schema.attrs.iter().find(|(name, _)| name == "update-ts");
    attr.and_then(|(_, value)| value.parse().ok()).unwrap_or(schema.id.version)
}

/// How open lengths are given.
pub(crate) const DDL: Reason = Reason::Ddl;
