//! Rows, DDL and watermarks to messages.

use crate::shape::{Shape, Source};
use std::sync::Arc;
use tg_format_common::json::{self, Escape};
use tg_format_common::{
    EncodeError, Encoder, Images, Large, LargeMode, Messages, Now, Outcome, Subject, Table, Tables, ddl_names,
    ddl_word, finish_row, images, physical_ms,
};
use tgr1::Row;
use tgr1::text::u64_text;
use tidegate_sdk::{DdlEvent, TableRef, TableSchema};

/// Choices of a changefeed.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent options, named as users write them")]
pub struct Options {
    /// `enable-tidb-extension`: the member `_tidb`, and watermarks.
    pub enable_tidb_extension: bool,
    /// `content-compatible`: full types, and of an old row only what changed.
    pub content_compatible: bool,
    /// `only-output-updated-columns`: of an old row only what changed.
    pub only_output_updated_columns: bool,
    /// `delete-only-output-handle-key-columns`.
    pub delete_only_handle_key: bool,
    /// What is done with large messages.
    pub large: Large,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            enable_tidb_extension: false,
            content_compatible: false,
            only_output_updated_columns: false,
            delete_only_handle_key: false,
            large: Large::unlimited(),
        }
    }
}

#[derive(Debug)]
struct Prepared {
    table: Table,
    /// Everything up to the word for the operation.
    head: Vec<u8>,
    all: Shape,
    key: Shape,
}

/// The encoder.
#[derive(Debug)]
pub struct CanalJson {
    options: Options,
    tables: Tables<Prepared>,
}

impl CanalJson {
    /// An encoder with these options.
    ///
    /// # Errors
    /// When large messages are to be handled without the extension that marks them.
    pub fn new(options: Options) -> Result<Self, EncodeError> {
        if !options.enable_tidb_extension && !matches!(options.large.mode, LargeMode::Refuse) {
            return Err(EncodeError::Config(
                "large-message-handle-option needs enable-tidb-extension = true with canal-json: its marks are in `_tidb`".to_owned(),
            ));
        }
        Ok(Self { options, tables: Tables::default() })
    }
}

impl Encoder for CanalJson {
    fn table(&mut self, schema: Arc<TableSchema>, selected: Option<&[u32]>) -> Result<(), EncodeError> {
        let id = schema.id;
        let table = Table::new(schema, selected)?;
        let every: Vec<usize> = (0..table.columns.len()).collect();
        let full = self.options.content_compatible;
        let (all, key) = (Shape::new(&table, &every, full), Shape::new(&table, &table.handle, full));
        self.tables.insert(id, Prepared { head: head(&table), table, all, key });
        Ok(())
    }

    fn drop_table(&mut self, id: TableRef) {
        self.tables.remove(id);
    }

    fn row(&mut self, table: TableRef, row: &Row<'_>, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let Self { options, tables } = self;
        let prepared = tables.get(table)?;
        let commit_ts = row.commit_ts();
        let images = images(row, &prepared.table.full_name)?;
        let has_key = !prepared.table.handle.is_empty();
        let subject = Subject { table: &prepared.table.full_name, commit_ts, has_key };
        let event_id = std::mem::take(&mut out.event_id);
        let change = Change {
            prepared,
            images,
            commit_ts,
            event_id: &event_id,
            now,
            extension: options.enable_tidb_extension,
            only_updated: options.content_compatible || options.only_output_updated_columns,
            delete_key_only: options.delete_only_handle_key,
        };
        let finished = finish_row(out, &mut options.large, subject, |out, outcome| {
            // Rows have an empty key, which is not the same as none.
            out.end_key();
            change.write(out.buf(), outcome)
        });
        out.event_id = event_id;
        finished
    }

    fn ddl(&mut self, ddl: &DdlEvent, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let (database, table) = ddl_names(ddl);
        let start = out.begin();
        let event_id = std::mem::take(&mut out.event_id);
        let buf = out.buf();
        fixed_head(buf, database, table);
        buf.extend_from_slice(b",\"pkNames\":null,\"isDdl\":true,\"type\":\"");
        buf.extend_from_slice(ddl_word(ddl).as_bytes());
        times(buf, ddl.at.ts, now);
        buf.extend_from_slice(b",\"sql\":");
        json::string(buf, ddl.query.as_bytes(), Escape::Html);
        buf.extend_from_slice(b",\"sqlType\":null,\"mysqlType\":null,\"data\":null,\"old\":null");
        if self.options.enable_tidb_extension {
            buf.extend_from_slice(b",\"_tidb\":{\"commitTs\":");
            u64_text(buf, ddl.at.ts);
            write_id(buf, &event_id);
            buf.push(b'}');
        }
        buf.push(b'}');
        out.event_id = event_id;
        self.options.large.finish_other(out, start)
    }

    fn watermark(&mut self, ts: u64, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        if !self.options.enable_tidb_extension {
            return Ok(());
        }
        let start = out.begin();
        let buf = out.buf();
        fixed_head(buf, "", "");
        buf.extend_from_slice(b",\"pkNames\":null,\"isDdl\":false,\"type\":\"TIDB_WATERMARK");
        times(buf, ts, now);
        buf.extend_from_slice(b",\"sql\":\"\",\"sqlType\":null,\"mysqlType\":null,\"data\":null,\"old\":null");
        buf.extend_from_slice(b",\"_tidb\":{\"watermarkTs\":");
        u64_text(buf, ts);
        buf.extend_from_slice(b"}}");
        self.options.large.finish_other(out, start)
    }
}

/// A row on its way into a message.
struct Change<'a> {
    prepared: &'a Prepared,
    images: Images<'a>,
    commit_ts: u64,
    event_id: &'a str,
    now: Now,
    extension: bool,
    only_updated: bool,
    delete_key_only: bool,
}

impl Change<'_> {
    fn write(&self, buf: &mut Vec<u8>, outcome: Outcome<'_>) -> Result<(), EncodeError> {
        let Prepared { table, head, all, key } = self.prepared;
        let key_only = outcome != Outcome::Full
            || self.delete_key_only && matches!(self.images, Images::Delete(_)) && !table.handle.is_empty();
        let shape = if key_only { key } else { all };
        let source = |image| Source { table, image, commit_ts: self.commit_ts };
        buf.extend_from_slice(head);
        buf.extend_from_slice(match self.images {
            Images::Insert(_) => b"INSERT",
            Images::Update(..) => b"UPDATE",
            Images::Delete(_) => b"DELETE",
        });
        times(buf, self.commit_ts, self.now);
        buf.extend_from_slice(b",\"sql\":\"\"");
        shape.types(buf, source(self.images.current()))?;
        if let Images::Update(new, old) = &self.images {
            buf.extend_from_slice(b",\"old\":[");
            shape.values(buf, source(old), self.only_updated.then_some(new))?;
            buf.extend_from_slice(b"],\"data\":[");
        } else {
            buf.extend_from_slice(b",\"old\":null,\"data\":[");
        }
        shape.values(buf, source(self.images.current()), None)?;
        buf.push(b']');
        if self.extension {
            self.tidb(buf, outcome);
        }
        buf.push(b'}');
        Ok(())
    }

    fn tidb(&self, buf: &mut Vec<u8>, outcome: Outcome<'_>) {
        buf.extend_from_slice(b",\"_tidb\":{\"commitTs\":");
        u64_text(buf, self.commit_ts);
        match outcome {
            Outcome::Full => {}
            Outcome::KeyOnly => buf.extend_from_slice(b",\"onlyHandleKey\":true"),
            Outcome::Claim(place) => {
                buf.extend_from_slice(b",\"claimCheckLocation\":");
                json::string(buf, place.as_bytes(), Escape::Html);
            }
        }
        write_id(buf, self.event_id);
        buf.push(b'}');
    }
}

/// Appends the member with the id, if there is one.
fn write_id(out: &mut Vec<u8>, id: &str) {
    if !id.is_empty() {
        out.extend_from_slice(b",\"eventId\":");
        json::string(out, id.as_bytes(), Escape::Html);
    }
}

fn head(table: &Table) -> Vec<u8> {
    let mut out = Vec::new();
    fixed_head(&mut out, &table.schema.database, &table.schema.name);
    out.extend_from_slice(b",\"pkNames\":[");
    for (n, name) in table.primary_names().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        json::string(&mut out, name.as_bytes(), Escape::Html);
    }
    out.extend_from_slice(b"],\"isDdl\":false,\"type\":\"");
    out
}

fn fixed_head(out: &mut Vec<u8>, database: &str, table: &str) {
    out.extend_from_slice(b"{\"id\":0,\"database\":");
    json::string(out, database.as_bytes(), Escape::Html);
    out.extend_from_slice(b",\"table\":");
    json::string(out, table.as_bytes(), Escape::Html);
}

/// The rest of the type, then when it was committed and when the message was made.
fn times(out: &mut Vec<u8>, ts: u64, now: Now) {
    out.extend_from_slice(b"\",\"es\":");
    u64_text(out, physical_ms(ts));
    out.extend_from_slice(b",\"ts\":");
    u64_text(out, now);
}
