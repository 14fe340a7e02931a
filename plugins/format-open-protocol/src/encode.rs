//! Rows, DDL and resolved-ts to single changes.

use crate::row::{self, Choice, Shape, Source};
use crate::{FRAME_BYTES, pack};
use std::sync::Arc;
use tg_format_common::json::{self, Escape};
use tg_format_common::{
    EncodeError, Encoder, Images, Large, Messages, Now, Outcome, Subject, Table, Tables, action_code, ddl_names,
    finish_row, images,
};
use tgr1::Row;
use tgr1::text::u64_text;
use tidegate_sdk::{DdlEvent, TableRef, TableSchema};

/// `max-batch-size` unless told otherwise.
const BATCH_ROWS: u32 = 16;

/// Choices of a changefeed.
#[derive(Debug)]
pub struct Options {
    /// `max-batch-size`: most changes in a message.
    pub batch_rows: u32,
    /// `[sink.open] output-old-value`.
    pub output_old_value: bool,
    /// `only-output-updated-columns`: of an old row only what changed.
    pub only_output_updated_columns: bool,
    /// `delete-only-output-handle-key-columns`.
    pub delete_only_handle_key: bool,
    /// Bytes that each change has beside key and value: what a message's header says about it.
    pub beside_bytes: usize,
    /// What is done with large messages.
    pub large: Large,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_rows: BATCH_ROWS,
            output_old_value: true,
            only_output_updated_columns: false,
            delete_only_handle_key: false,
            beside_bytes: 0,
            large: Large::unlimited(),
        }
    }
}

#[derive(Debug)]
struct Prepared {
    table: Table,
    shape: Shape,
    /// `,"scm":…,"tbl":…,"t":1`.
    names: Vec<u8>,
}

/// The encoder. A message made by [`Encoder::row`] holds one change without frames: [`Encoder::pack`] joins and frames them. Those of
/// DDL and resolved-ts are whole.
#[derive(Debug)]
pub struct OpenProtocol {
    options: Options,
    tables: Tables<Prepared>,
    scratch: String,
}

impl OpenProtocol {
    /// An encoder with these options.
    #[must_use]
    pub fn new(mut options: Options) -> Self {
        options.large.extra = FRAME_BYTES;
        Self { options, tables: Tables::default(), scratch: String::new() }
    }
}

impl Encoder for OpenProtocol {
    fn table(&mut self, schema: Arc<TableSchema>, selected: Option<&[u32]>) -> Result<(), EncodeError> {
        let id = schema.id;
        let table = Table::new(schema, selected)?;
        let mut names = Vec::new();
        write_names(&mut names, &table.schema.database, &table.schema.name, b'1');
        self.tables.insert(id, Prepared { shape: Shape::new(&table), table, names });
        Ok(())
    }

    fn drop_table(&mut self, id: TableRef) {
        self.tables.remove(id);
    }

    fn row(&mut self, table: TableRef, row: &Row<'_>, _: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let Self { options, tables, scratch } = self;
        let Prepared { table, shape, names } = tables.get(table)?;
        let commit_ts = row.commit_ts();
        let images = images(row, &table.full_name)?;
        let subject = Subject { table: &table.full_name, commit_ts, has_key: !table.handle.is_empty() };
        let (old_values, only_updated) = (options.output_old_value, options.only_output_updated_columns);
        let delete_key_only = options.delete_only_handle_key && subject.has_key;
        let source = Source { table, shape, commit_ts };
        let event_id = std::mem::take(&mut out.event_id);
        let finished = finish_row(out, &mut options.large, subject, |out, outcome| {
            write_key(out.buf(), commit_ts, names, &event_id, outcome);
            out.end_key();
            let buf = out.buf();
            let key_only = outcome != Outcome::Full;
            let all = Choice { key_only, differs_from: None };
            buf.push(b'{');
            match &images {
                Images::Insert(new) => row::write(buf, source, new, b'u', all, scratch)?,
                Images::Update(new, old) => {
                    row::write(buf, source, new, b'u', all, scratch)?;
                    if old_values {
                        buf.push(b',');
                        let differs_from = (only_updated && !key_only).then_some(new);
                        row::write(buf, source, old, b'p', Choice { key_only, differs_from }, scratch)?;
                    }
                }
                Images::Delete(old) => {
                    let choice = Choice { key_only: key_only || delete_key_only, differs_from: None };
                    row::write(buf, source, old, b'd', choice, scratch)?;
                }
            }
            buf.push(b'}');
            Ok(())
        });
        out.event_id = event_id;
        finished
    }

    fn ddl(&mut self, ddl: &DdlEvent, _: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let (database, table) = ddl_names(ddl);
        let mut key = Vec::new();
        let mut names = Vec::new();
        write_names(&mut names, database, table, b'2');
        write_key(&mut key, ddl.at.ts, &names, &out.event_id, Outcome::Full);
        let mut value = b"{\"q\":".to_vec();
        json::string(&mut value, ddl.query.as_bytes(), Escape::Least);
        value.extend_from_slice(b",\"t\":");
        u64_text(&mut value, action_code(ddl).into());
        value.push(b'}');
        if let Some(compress) = self.options.large.compress {
            let whole = std::mem::take(&mut value);
            compress(&whole, &mut value)?;
        }
        pack::single(out, &key, &value);
        Ok(())
    }

    fn watermark(&mut self, ts: u64, _: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let mut key = b"{\"ts\":".to_vec();
        u64_text(&mut key, ts);
        key.extend_from_slice(b",\"t\":3}");
        pack::single(out, &key, &[]);
        Ok(())
    }

    fn packs(&self) -> bool {
        true
    }

    fn pack(&self, events: &Messages, numbers: &[u32], out: &mut Messages) -> Result<(), EncodeError> {
        let Options { batch_rows, beside_bytes, large, .. } = &self.options;
        pack::pack(events, numbers, pack::Limits { rows: *batch_rows, bytes: large.limit, beside: *beside_bytes }, out);
        Ok(())
    }
}

fn write_names(out: &mut Vec<u8>, database: &str, table: &str, kind: u8) {
    out.extend_from_slice(b",\"scm\":");
    json::string(out, database.as_bytes(), Escape::Least);
    out.extend_from_slice(b",\"tbl\":");
    json::string(out, table.as_bytes(), Escape::Least);
    out.extend_from_slice(b",\"t\":");
    out.push(kind);
}

fn write_key(out: &mut Vec<u8>, ts: u64, names: &[u8], event_id: &str, outcome: Outcome<'_>) {
    out.extend_from_slice(b"{\"ts\":");
    u64_text(out, ts);
    out.extend_from_slice(names);
    match outcome {
        Outcome::Full => {}
        Outcome::KeyOnly => out.extend_from_slice(b",\"ohk\":true"),
        Outcome::Claim(place) => {
            out.extend_from_slice(b",\"ohk\":true,\"ccl\":");
            json::string(out, place.as_bytes(), Escape::Least);
        }
    }
    if !event_id.is_empty() {
        out.extend_from_slice(b",\"eid\":");
        json::string(out, event_id.as_bytes(), Escape::Least);
    }
    out.push(b'}');
}
