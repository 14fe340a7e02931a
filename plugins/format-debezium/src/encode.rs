//! Rows and watermarks.

use crate::envelope::{self, Source};
use crate::{changes, field, value};
use std::sync::Arc;
use tg_format_common::json::{self, Escape};
use tg_format_common::{EncodeError, Encoder, Images, Messages, Now, Table, Tables, images, physical_ms};
use tgr1::text::u64_text;
use tgr1::{Image, Row};
use tidegate_sdk::{DdlEvent, TableRef, TableSchema};

/// Choices of a changefeed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent options, named as users write them")]
pub struct Options {
    /// The name that messages give the source.
    pub cluster_id: String,
    /// `debezium-disable-schema`.
    pub disable_schema: bool,
    /// `[sink.debezium] output-old-value`.
    pub output_old_value: bool,
    /// `enable-tidb-extension`: watermarks, and types in schemas.
    pub enable_tidb_extension: bool,
    /// `debezium-include-start-ts`.
    pub include_start_ts: bool,
    /// Messages are given ids: the schema of the source has them.
    pub event_ids: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cluster_id: "default".to_owned(),
            disable_schema: false,
            output_old_value: true,
            enable_tidb_extension: false,
            include_start_ts: false,
            event_ids: false,
        }
    }
}

#[derive(Debug)]
struct Prepared {
    table: Table,
    source: Source,
    /// Members' names.
    names: Vec<Vec<u8>>,
    /// What is written for NULL.
    defaults: Vec<Option<Vec<u8>>>,
    /// From the end of the payload on.
    key_end: Vec<u8>,
    value_end: Vec<u8>,
}

/// The encoder.
#[derive(Debug)]
pub struct Debezium {
    options: Options,
    tables: Tables<Prepared>,
    scratch: Vec<u8>,
}

impl Debezium {
    /// An encoder with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, tables: Tables::default(), scratch: Vec::new() }
    }
}

impl Encoder for Debezium {
    fn table(&mut self, schema: Arc<TableSchema>, selected: Option<&[u32]>) -> Result<(), EncodeError> {
        let id = schema.id;
        let table = Table::new(schema, selected)?;
        let source = Source::new(&self.options.cluster_id, &table.schema.database, &table.schema.name);
        let name = |c: &tg_format_common::Column| {
            let mut out = Vec::new();
            json::name(&mut out, &c.name, Escape::Least);
            out
        };
        let names = table.columns.iter().map(name).collect();
        let defaults = table.columns.iter().map(|c| value::default(&table, c)).collect();
        let (key_end, value_end) = ends(&self.options, &table);
        self.tables.insert(id, Prepared { table, source, names, defaults, key_end, value_end });
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
        let start_ts = options.include_start_ts.then(|| row.start_ts());
        let event_id = std::mem::take(&mut out.event_id);
        let stamps = Stamps { commit_ts, start_ts, event_id: &event_id };
        let mut change = Change { prepared, images, stamps, now, old_values: options.output_old_value, scratch };
        let start = out.begin();
        let mut written = change.key(out.buf());
        if written.is_ok() {
            out.end_key();
            written = change.value(out.buf());
        }
        match written {
            Ok(()) => out.finish(start, 1),
            Err(_) => out.abort(start),
        }
        out.event_id = event_id;
        written
    }

    fn ddl(&mut self, ddl: &DdlEvent, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        changes::ddl(&self.options, ddl, now, out);
        Ok(())
    }

    fn watermark(&mut self, ts: u64, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let options = &self.options;
        if !options.enable_tidb_extension {
            return Ok(());
        }
        let start = out.begin();
        let buf = out.buf();
        buf.extend_from_slice(b"{\"payload\":{}");
        if !options.disable_schema {
            buf.extend_from_slice(b",\"schema\":{\"fields\":[],\"optional\":false,\"name\":");
            envelope::text(buf, &format!("{}.watermark.Key", options.cluster_id));
            buf.extend_from_slice(b",\"type\":\"struct\"}");
        }
        buf.push(b'}');
        out.end_key();
        let buf = out.buf();
        buf.extend_from_slice(b"{\"payload\":{");
        let stamps = Stamps { commit_ts: ts, start_ts: None, event_id: "" };
        write_source(buf, &Source::new(&options.cluster_id, "", ""), stamps);
        buf.extend_from_slice(b",\"ts_ms\":");
        u64_text(buf, now);
        buf.extend_from_slice(b",\"transaction\":null,\"op\":\"m\"}");
        if !options.disable_schema {
            buf.extend_from_slice(b",\"schema\":{\"type\":\"struct\",\"optional\":false,\"name\":");
            envelope::text(buf, &format!("{}.watermark.Envelope", options.cluster_id));
            buf.extend_from_slice(b",\"version\":1,\"fields\":[");
            envelope::common_schema(buf, true, options.event_ids);
            buf.extend_from_slice(b"]}");
        }
        buf.push(b'}');
        out.finish(start, 0);
        Ok(())
    }
}

/// What the source says about one change.
#[derive(Clone, Copy)]
pub(crate) struct Stamps<'a> {
    pub(crate) commit_ts: u64,
    /// If it is to be told.
    pub(crate) start_ts: Option<u64>,
    /// Empty: there is none.
    pub(crate) event_id: &'a str,
}

/// Appends the source of a change.
pub(crate) fn write_source(out: &mut Vec<u8>, source: &Source, stamps: Stamps<'_>) {
    out.extend_from_slice(&source.head);
    u64_text(out, physical_ms(stamps.commit_ts));
    out.extend_from_slice(&source.middle);
    u64_text(out, stamps.commit_ts);
    if let Some(start_ts) = stamps.start_ts {
        out.extend_from_slice(b",\"start_ts\":");
        u64_text(out, start_ts);
    }
    if !stamps.event_id.is_empty() {
        out.extend_from_slice(b",\"event_id\":");
        envelope::text(out, stamps.event_id);
    }
    out.extend_from_slice(&source.tail);
}

/// The ends of a table's keys and values: their schemas.
fn ends(options: &Options, table: &Table) -> (Vec<u8>, Vec<u8>) {
    if options.disable_schema {
        return (b"}".to_vec(), b"}".to_vec());
    }
    let name = format!("{}.{}.{}", options.cluster_id, table.schema.database, table.schema.name);
    let mut key = b",\"schema\":{\"type\":\"struct\",\"name\":".to_vec();
    envelope::text(&mut key, &format!("{name}.Key"));
    key.extend_from_slice(b",\"optional\":false,\"fields\":[");
    fields(&mut key, options, table, true);
    key.extend_from_slice(b"]}}");
    let mut value = b",\"schema\":{\"type\":\"struct\",\"optional\":false,\"name\":".to_vec();
    envelope::text(&mut value, &format!("{name}.Envelope"));
    value.extend_from_slice(b",\"version\":1,\"fields\":[");
    for part in ["before", "after"] {
        value.extend_from_slice(b"{\"type\":\"struct\",\"optional\":true,\"name\":");
        envelope::text(&mut value, &format!("{name}.Value"));
        value.extend_from_slice(format!(",\"field\":\"{part}\",\"fields\":[").as_bytes());
        fields(&mut value, options, table, false);
        value.extend_from_slice(b"]},");
    }
    envelope::common_schema(&mut value, options.enable_tidb_extension, options.event_ids);
    value.extend_from_slice(b"]}}");
    (key, value)
}

fn fields(out: &mut Vec<u8>, options: &Options, table: &Table, key_only: bool) {
    let columns = table.columns.iter().filter(|c| !key_only || c.handle);
    for (n, column) in columns.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        field::describe(out, table, column, options.enable_tidb_extension);
    }
}

/// A row on its way into a message.
struct Change<'a> {
    prepared: &'a Prepared,
    images: Images<'a>,
    stamps: Stamps<'a>,
    now: Now,
    old_values: bool,
    scratch: &'a mut Vec<u8>,
}

impl Change<'_> {
    fn key(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(b"{\"payload\":");
        let current = *self.images.current();
        self.image(out, &current, true)?;
        out.extend_from_slice(&self.prepared.key_end);
        Ok(())
    }

    fn value(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(b"{\"payload\":{");
        write_source(out, &self.prepared.source, self.stamps);
        out.extend_from_slice(b",\"ts_ms\":");
        u64_text(out, self.now);
        match self.images {
            Images::Insert(new) => {
                out.extend_from_slice(b",\"transaction\":null,\"op\":\"c\",\"before\":null,\"after\":");
                self.image(out, &new, false)?;
            }
            Images::Update(new, old) => {
                out.extend_from_slice(b",\"transaction\":null,\"op\":\"u\"");
                if self.old_values {
                    out.extend_from_slice(b",\"before\":");
                    self.image(out, &old, false)?;
                }
                out.extend_from_slice(b",\"after\":");
                self.image(out, &new, false)?;
            }
            Images::Delete(old) => {
                out.extend_from_slice(b",\"transaction\":null,\"op\":\"d\",\"after\":null,\"before\":");
                self.image(out, &old, false)?;
            }
        }
        out.push(b'}');
        out.extend_from_slice(&self.prepared.value_end);
        Ok(())
    }

    fn image(&mut self, out: &mut Vec<u8>, image: &Image<'_>, key_only: bool) -> Result<(), EncodeError> {
        let Prepared { table, names, defaults, .. } = self.prepared;
        out.push(b'{');
        let at = out.len();
        for ((column, name), default) in table.columns.iter().zip(names).zip(defaults) {
            if key_only && !column.handle {
                continue;
            }
            if out.len() > at {
                out.push(b',');
            }
            out.extend_from_slice(name);
            let value = tg_format_common::value::get(table, column, image, self.stamps.commit_ts)?;
            value::write(out, table, column, value, default.as_deref(), self.scratch);
        }
        out.push(b'}');
        Ok(())
    }
}
