//! DDL with the tables it changes.

use crate::encode::{Options, Stamps, write_source};
use crate::envelope::{self, Source};
use crate::field;
use std::io::Write;
use std::sync::Arc;
use tg_format_common::{Column, Messages, MysqlType, Now, Table, action_code, ddl_names, ddl_table};
use tgr1::text::u64_text;
use tidegate_sdk::{DdlEvent, TableSchema};

const KEY_SCHEMA: &[u8] = b",\"schema\":{\"type\":\"struct\",\"name\":\"io.debezium.connector.mysql.SchemaChangeKey\",\"optional\":false,\"version\":1,\"fields\":[{\"field\":\"databaseName\",\"optional\":false,\"type\":\"string\"}]}";

/// Actions whose statements have no message: foreign keys, recovered tables, times to live.
const SKIPPED: [u8; 6] = [9, 10, 25, 65, 66, 75];

/// What a message says about the table.
enum Tell {
    Nothing,
    /// Word, and whether the table is described.
    Change(&'static str, bool),
}

fn tell(action: u8) -> Option<Tell> {
    Some(match action {
        _ if SKIPPED.contains(&action) => return None,
        // Schemas and TRUNCATE.
        1 | 2 | 11 | 26 => Tell::Nothing,
        3 | 21 => Tell::Change("CREATE", true),
        4 => Tell::Change("DROP", false),
        8 | 24 | 33 => Tell::Change("DROP", true),
        _ => Tell::Change("ALTER", true),
    })
}

pub(crate) fn ddl(options: &Options, ddl: &DdlEvent, now: Now, out: &mut Messages) {
    let Some(tell) = tell(action_code(ddl)) else { return };
    let (database, table) = ddl_names(ddl);
    let start = out.begin();
    let buf = out.buf();
    buf.extend_from_slice(b"{\"payload\":{\"databaseName\":");
    envelope::text(buf, database);
    buf.push(b'}');
    if !options.disable_schema {
        buf.extend_from_slice(KEY_SCHEMA);
    }
    buf.push(b'}');
    out.end_key();
    let event_id = std::mem::take(&mut out.event_id);
    let buf = out.buf();
    buf.extend_from_slice(b"{\"payload\":{");
    let stamps = Stamps { commit_ts: ddl.at.ts, start_ts: None, event_id: &event_id };
    write_source(buf, &Source::new(&options.cluster_id, database, table), stamps);
    buf.extend_from_slice(b",\"ts_ms\":");
    u64_text(buf, now);
    buf.extend_from_slice(b",\"databaseName\":");
    envelope::text(buf, database);
    buf.extend_from_slice(b",\"schemaName\":null,\"ddl\":");
    envelope::text(buf, &ddl.query);
    buf.extend_from_slice(b",\"tableChanges\":[");
    if let Tell::Change(word, described) = tell {
        change(buf, ddl, word, described);
    }
    buf.extend_from_slice(b"]}");
    if !options.disable_schema {
        value_schema(buf, options);
    }
    buf.push(b'}');
    out.event_id = event_id;
    out.finish(start, 0);
}

fn change(out: &mut Vec<u8>, ddl: &DdlEvent, word: &str, described: bool) {
    let id = |table: &TableSchema| format!("\"{}\".\"{}\"", table.database, table.name);
    let Some(table) = ddl_table(ddl) else { return };
    let renamed =
        ddl.before.as_ref().filter(|before| (&before.database, &before.name) != (&table.database, &table.name));
    let id = match renamed {
        Some(before) if action_code(ddl) == 14 => format!("{},{}", id(before), id(table)),
        _ => id(table),
    };
    out.extend_from_slice(format!("{{\"type\":\"{word}\",\"id\":").as_bytes());
    envelope::text(out, &id);
    out.extend_from_slice(b",\"table\":");
    // A schema that was handed over names known types only.
    match Table::new(Arc::new(table.clone()), None) {
        Ok(table) if described => describe(out, &table),
        _ => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

fn describe(out: &mut Vec<u8>, table: &Table) {
    out.extend_from_slice(b"{\"defaultCharsetName\":");
    envelope::text(out, &table.schema.charset);
    out.extend_from_slice(b",\"primaryKeyColumnNames\":[");
    for (n, column) in table.columns.iter().filter(|c| c.handle).enumerate() {
        if n > 0 {
            out.push(b',');
        }
        envelope::text(out, &column.name);
    }
    out.extend_from_slice(b"],\"columns\":[");
    for (n, of) in table.columns.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        column(out, table, of, n + 1);
    }
    out.extend_from_slice(b"],\"comment\":null}");
}

fn column(out: &mut Vec<u8>, table: &Table, column: &Column, position: usize) {
    let Some(schema) = table.schema.columns.get(column.position) else { return };
    let comment = schema.attrs.iter().find(|(name, _)| name == "comment").map(|(_, text)| text.as_str());
    let default = schema.default_value.as_deref().map(String::from_utf8_lossy);
    out.extend_from_slice(b"{\"name\":");
    envelope::text(out, &column.name);
    // Writing to a Vec cannot fail.
    let _ = write!(out, ",\"jdbcType\":{},\"nativeType\":null,\"comment\":", jdbc_type(column.ty));
    optional(out, comment);
    out.extend_from_slice(b",\"defaultValueExpression\":");
    optional(out, default.as_deref());
    out.extend_from_slice(b",\"enumValues\":");
    members(out, &column.members);
    let name = field::spelling(column);
    out.extend_from_slice(b",\"typeName\":");
    envelope::text(out, &name);
    out.extend_from_slice(b",\"typeExpression\":");
    match (column.ty, schema.length) {
        (MysqlType::Vector, Some(len)) => envelope::text(out, &format!("{name}({len})")),
        _ => envelope::text(out, &name),
    }
    let has_charset = column.ty.is_text() || matches!(column.ty, MysqlType::Enum | MysqlType::Set);
    out.extend_from_slice(b",\"charsetName\":");
    optional(out, has_charset.then_some(schema.charset.as_str()));
    let (length, scale) = sizes(column, schema);
    for (name, number) in [("length", length), ("scale", scale)] {
        let number = number.map_or_else(|| "null".to_owned(), |n| n.to_string());
        let _ = write!(out, ",\"{name}\":{number}");
    }
    let counted = schema.props.auto_increment;
    let _ = write!(out, ",\"position\":{position},\"optional\":{}", column.nullable);
    let _ = write!(out, ",\"autoIncremented\":{counted},\"generated\":{counted}}}");
}

fn optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => envelope::text(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

fn members(out: &mut Vec<u8>, members: &[String]) {
    if members.is_empty() {
        out.extend_from_slice(b"null");
        return;
    }
    for (n, member) in members.iter().enumerate() {
        out.push(if n > 0 { b',' } else { b'[' });
        envelope::text(out, &format!("'{member}'"));
    }
    out.push(b']');
}

const fn jdbc_type(ty: MysqlType) -> i32 {
    match ty {
        MysqlType::TinyInt | MysqlType::SmallInt => 5,
        MysqlType::MediumInt | MysqlType::Int | MysqlType::Year => 4,
        MysqlType::BigInt => -5,
        MysqlType::Bit => -7,
        MysqlType::Float => 6,
        MysqlType::Double => 8,
        MysqlType::Decimal => 3,
        MysqlType::Char | MysqlType::Enum | MysqlType::Set => 1,
        MysqlType::Binary => -2,
        MysqlType::VarBinary => -3,
        MysqlType::TinyBlob | MysqlType::Blob | MysqlType::MediumBlob | MysqlType::LongBlob => 2004,
        MysqlType::Date => 91,
        MysqlType::Time => 92,
        MysqlType::DateTime => 93,
        MysqlType::Timestamp => 2014,
        MysqlType::Json => 1111,
        _ => 12,
    }
}

/// Length and scale.
fn sizes(column: &Column, schema: &tidegate_sdk::Column) -> (Option<u32>, Option<u32>) {
    match column.ty {
        MysqlType::Decimal => (schema.length, schema.decimals),
        MysqlType::Float | MysqlType::Double => match schema.decimals {
            Some(digits) => (schema.length, Some(digits)),
            None => (None, None),
        },
        MysqlType::DateTime | MysqlType::Timestamp | MysqlType::Time => (schema.decimals, None),
        MysqlType::Enum => (Some(1), None),
        MysqlType::Set => (Some((schema.members.len() as u32 * 2).saturating_sub(1)), None),
        MysqlType::TinyInt => (schema.length.filter(|len| *len == 1), None),
        MysqlType::Bit => (schema.length.filter(|len| *len > 1), None),
        MysqlType::Char | MysqlType::VarChar | MysqlType::Binary | MysqlType::VarBinary | MysqlType::Vector => {
            (schema.length, None)
        }
        _ => (None, None),
    }
}

/// A member of a schema change: name, optional, type.
fn member(out: &mut Vec<u8>, (name, optional, ty): (&str, bool, &str)) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{{\"field\":\"{name}\",\"optional\":{optional},\"type\":\"{ty}\"}}");
}

fn list(out: &mut Vec<u8>, members: &[(&str, bool, &str)]) {
    for (n, one) in members.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        member(out, *one);
    }
}

fn value_schema(out: &mut Vec<u8>, options: &Options) {
    const STRINGS: &[u8] = b"\"type\":\"array\",\"items\":{\"type\":\"string\",\"optional\":false}}";
    out.extend_from_slice(b",\"schema\":{\"optional\":false,\"type\":\"struct\",\"version\":1,\"name\":\"io.debezium.connector.mysql.SchemaChangeValue\",\"fields\":[");
    envelope::source_schema(out, options.enable_tidb_extension, options.event_ids);
    out.push(b',');
    list(
        out,
        &[
            ("ts_ms", false, "int64"),
            ("databaseName", true, "string"),
            ("schemaName", true, "string"),
            ("ddl", true, "string"),
        ],
    );
    out.extend_from_slice(b",{\"field\":\"tableChanges\",\"optional\":false,\"type\":\"array\",\"items\":{\"name\":\"io.debezium.connector.schema.Change\",\"optional\":false,\"type\":\"struct\",\"version\":1,\"fields\":[");
    list(out, &[("type", false, "string"), ("id", false, "string")]);
    out.extend_from_slice(b",{\"field\":\"table\",\"optional\":true,\"type\":\"struct\",\"name\":\"io.debezium.connector.schema.Table\",\"version\":1,\"fields\":[");
    member(out, ("defaultCharsetName", true, "string"));
    out.extend_from_slice(b",{\"field\":\"primaryKeyColumnNames\",\"optional\":true,");
    out.extend_from_slice(STRINGS);
    out.extend_from_slice(b",{\"field\":\"columns\",\"optional\":false,\"type\":\"array\",\"items\":{\"name\":\"io.debezium.connector.schema.Column\",\"optional\":false,\"type\":\"struct\",\"version\":1,\"fields\":[");
    list(
        out,
        &[
            ("name", false, "string"),
            ("jdbcType", false, "int32"),
            ("nativeType", true, "int32"),
            ("typeName", false, "string"),
            ("typeExpression", true, "string"),
            ("charsetName", true, "string"),
            ("length", true, "int32"),
            ("scale", true, "int32"),
            ("position", false, "int32"),
            ("optional", true, "boolean"),
            ("autoIncremented", true, "boolean"),
            ("generated", true, "boolean"),
            ("comment", true, "string"),
            ("defaultValueExpression", true, "string"),
        ],
    );
    out.extend_from_slice(b",{\"field\":\"enumValues\",\"optional\":true,");
    out.extend_from_slice(STRINGS);
    out.extend_from_slice(b"]}},");
    member(out, ("comment", true, "string"));
    out.extend_from_slice(b"]}]}}]}");
}
