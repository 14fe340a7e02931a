//! The JSON encoding.

use crate::VERSION;
use crate::describe::{self, Reason};
use crate::encode::{Change, DDL, version};
use tg_format_common::json::{self, Escape};
use tg_format_common::{EncodeError, Images, Now, Outcome, value};
use tgr1::text::{i64_text, u64_text};
use tgr1::{Image, Logical, Value};
use tidegate_sdk::{DdlEvent, TableSchema};

/// A column's name as a member.
pub(crate) fn member(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    json::name(&mut out, name, Escape::Go);
    out
}

fn string(out: &mut Vec<u8>, text: &str) {
    json::string(out, text.as_bytes(), Escape::Go);
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    out.extend_from_slice(name.as_bytes());
    u64_text(out, value);
}

pub(crate) fn row(out: &mut Vec<u8>, change: &Change<'_>) -> Result<(), EncodeError> {
    let schema = &change.prepared.table.schema;
    number(out, "{\"version\":", VERSION);
    out.extend_from_slice(b",\"database\":");
    string(out, &schema.database);
    out.extend_from_slice(b",\"table\":");
    string(out, &schema.name);
    number(out, ",\"tableID\":", schema.id.table);
    out.extend_from_slice(match change.images {
        Images::Insert(_) => b",\"type\":\"INSERT\"",
        Images::Update(..) => b",\"type\":\"UPDATE\"",
        Images::Delete(_) => b",\"type\":\"DELETE\"",
    });
    number(out, ",\"commitTs\":", change.commit_ts);
    number(out, ",\"buildTs\":", change.now);
    number(out, ",\"schemaVersion\":", change.prepared.table.version());
    match change.outcome {
        Outcome::Full => {}
        Outcome::KeyOnly => out.extend_from_slice(b",\"handleKeyOnly\":true"),
        Outcome::Claim(place) => {
            out.extend_from_slice(b",\"claimCheckLocation\":");
            string(out, place);
        }
    }
    write_id(out, change.event_id);
    match &change.images {
        Images::Insert(new) => image(out, b",\"data\":{", change, new)?,
        Images::Update(new, old) => {
            image(out, b",\"data\":{", change, new)?;
            image(out, b",\"old\":{", change, old)?;
        }
        Images::Delete(old) => image(out, b",\"old\":{", change, old)?,
    }
    out.push(b'}');
    Ok(())
}

fn image(out: &mut Vec<u8>, head: &[u8], change: &Change<'_>, image: &Image<'_>) -> Result<(), EncodeError> {
    out.extend_from_slice(head);
    let at = out.len();
    let prepared = change.prepared;
    let key_only = change.outcome != Outcome::Full;
    for i in &prepared.order {
        let (Some(column), Some(name)) = (prepared.table.columns.get(*i), prepared.names.get(*i)) else { continue };
        if key_only && !column.handle {
            continue;
        }
        if out.len() > at {
            out.push(b',');
        }
        out.extend_from_slice(name);
        match value::get(&prepared.table, column, image, change.commit_ts)? {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bytes(bytes) if column.ty.is_binary() => json::base64(out, bytes),
            Value::Bytes(bytes) if column.spec.logical != Logical::Vector => json::string(out, bytes, Escape::Go),
            value if column.spec.logical == Logical::Timestamp => {
                out.extend_from_slice(b"{\"location\":");
                string(out, change.time_zone);
                out.extend_from_slice(b",\"value\":\"");
                value::plain(out, column, value);
                out.extend_from_slice(b"\"}");
            }
            value => {
                out.push(b'"');
                value::plain(out, column, value);
                out.push(b'"');
            }
        }
    }
    out.push(b'}');
    Ok(())
}

/// Appends the member with the id, if there is one.
fn write_id(out: &mut Vec<u8>, id: &str) {
    if !id.is_empty() {
        out.extend_from_slice(b",\"eventId\":");
        string(out, id);
    }
}

pub(crate) fn ddl(
    out: &mut Vec<u8>,
    word: &str,
    event_id: &str,
    ddl: &DdlEvent,
    table: Option<&TableSchema>,
    now: Now,
) {
    number(out, "{\"version\":", VERSION);
    out.extend_from_slice(b",\"type\":");
    string(out, word);
    out.extend_from_slice(b",\"sql\":");
    string(out, &ddl.query);
    number(out, ",\"commitTs\":", ddl.at.ts);
    number(out, ",\"buildTs\":", now);
    write_id(out, event_id);
    if let Some(table) = table {
        out.extend_from_slice(b",\"tableSchema\":");
        schema(out, table, DDL);
    }
    out.push(b'}');
}

pub(crate) fn watermark(out: &mut Vec<u8>, ts: u64, now: Now) {
    number(out, "{\"version\":", VERSION);
    number(out, ",\"type\":\"WATERMARK\",\"commitTs\":", ts);
    number(out, ",\"buildTs\":", now);
    out.push(b'}');
}

pub(crate) fn bootstrap(out: &mut Vec<u8>, table: &TableSchema, now: Now) {
    number(out, "{\"version\":", VERSION);
    number(out, ",\"type\":\"BOOTSTRAP\",\"commitTs\":0,\"buildTs\":", now);
    out.extend_from_slice(b",\"tableSchema\":");
    schema(out, table, Reason::Bootstrap);
    out.push(b'}');
}

fn schema(out: &mut Vec<u8>, table: &TableSchema, reason: Reason) {
    out.extend_from_slice(b"{\"schema\":");
    string(out, &table.database);
    out.extend_from_slice(b",\"table\":");
    string(out, &table.name);
    number(out, ",\"tableID\":", table.id.table);
    number(out, ",\"version\":", version(table));
    out.extend_from_slice(b",\"columns\":[");
    for (n, column) in table.columns.iter().enumerate() {
        out.extend_from_slice(if n > 0 { b",{\"name\":" } else { b"{\"name\":" });
        string(out, &column.name);
        data_type(out, &describe::data_type(column, reason));
        out.extend_from_slice(b",\"nullable\":");
        truth(out, column.props.nullable);
        out.extend_from_slice(b",\"default\":");
        match describe::default_text(column) {
            Some(text) => string(out, &text),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"indexes\":[");
    for (n, index) in describe::indexes(table).iter().enumerate() {
        out.extend_from_slice(if n > 0 { b",{\"name\":" } else { b"{\"name\":" });
        string(out, index.name);
        for (name, on) in [("unique", index.unique), ("primary", index.primary), ("nullable", index.nullable)] {
            out.extend_from_slice(format!(",\"{name}\":").as_bytes());
            truth(out, on);
        }
        out.extend_from_slice(b",\"columns\":");
        list(out, &index.columns);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

fn data_type(out: &mut Vec<u8>, ty: &describe::DataType<'_>) {
    out.extend_from_slice(b",\"dataType\":{\"mysqlType\":");
    string(out, ty.name);
    out.extend_from_slice(b",\"charset\":");
    string(out, ty.charset);
    out.extend_from_slice(b",\"collate\":");
    string(out, ty.collate);
    for (name, number) in [(",\"length\":", ty.length), (",\"decimal\":", ty.decimal.unwrap_or(0))] {
        if number != 0 {
            out.extend_from_slice(name.as_bytes());
            i64_text(out, number);
        }
    }
    if !ty.elements.is_empty() {
        out.extend_from_slice(b",\"elements\":");
        list(out, ty.elements);
    }
    if ty.unsigned == Some(true) {
        out.extend_from_slice(b",\"unsigned\":true");
    }
    if ty.zerofill == Some(true) {
        out.extend_from_slice(b",\"zerofill\":true");
    }
    out.push(b'}');
}

fn truth(out: &mut Vec<u8>, on: bool) {
    out.extend_from_slice(if on { b"true" } else { b"false" });
}

fn list(out: &mut Vec<u8>, texts: &[impl AsRef<str>]) {
    out.push(b'[');
    for (n, text) in texts.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        string(out, text.as_ref());
    }
    out.push(b']');
}
