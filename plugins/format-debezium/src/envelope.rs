//! What surrounds a row: the source, and the schema of envelopes.

use std::io::Write;
use tg_format_common::json::{self, Escape};

/// The version of Debezium whose envelopes these are.
const VERSION: &str = "2.4.0.Final";

/// A struct's member: type, optional, name.
type Member = (&'static str, bool, &'static str);

/// The source's members before and behind `snapshot`, which is an enumeration.
const SOURCE_HEAD: [Member; 4] = [
    ("string", false, "version"),
    ("string", false, "connector"),
    ("string", false, "name"),
    ("int64", false, "ts_ms"),
];
const SOURCE_TAIL: [Member; 10] = [
    ("string", false, "db"),
    ("string", true, "sequence"),
    ("string", true, "table"),
    ("int64", false, "server_id"),
    ("string", true, "gtid"),
    ("string", false, "file"),
    ("int64", false, "pos"),
    ("int32", false, "row"),
    ("int64", true, "thread"),
    ("string", true, "query"),
];
/// Declared with the TiDB extension only.
const SOURCE_MORE: [Member; 2] = [("int64", false, "commit_ts"), ("string", false, "cluster_id")];
/// Declared where messages are given ids; watermarks have none.
const SOURCE_ID: [Member; 1] = [("string", true, "event_id")];
const BLOCK: [Member; 3] =
    [("string", false, "id"), ("int64", false, "total_order"), ("int64", false, "data_collection_order")];

/// A table's source in three parts: between them go the milliseconds of the commit and its timestamps.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) head: Vec<u8>,
    pub(crate) middle: Vec<u8>,
    pub(crate) tail: Vec<u8>,
}

impl Source {
    pub(crate) fn new(cluster: &str, database: &str, table: &str) -> Self {
        let mut head = format!("\"source\":{{\"version\":\"{VERSION}\",\"connector\":\"TiCDC\",\"name\":").into_bytes();
        text(&mut head, cluster);
        head.extend_from_slice(b",\"ts_ms\":");
        let mut middle = b",\"snapshot\":\"false\",\"db\":".to_vec();
        text(&mut middle, database);
        middle.extend_from_slice(b",\"table\":");
        text(&mut middle, table);
        middle.extend_from_slice(
            b",\"server_id\":0,\"gtid\":null,\"file\":\"\",\"pos\":0,\"row\":0,\"thread\":0,\"query\":null",
        );
        middle.extend_from_slice(b",\"commit_ts\":");
        let mut tail = b",\"cluster_id\":".to_vec();
        text(&mut tail, cluster);
        tail.push(b'}');
        Self { head, middle, tail }
    }
}

/// Appends a JSON string.
pub(crate) fn text(out: &mut Vec<u8>, value: &str) {
    json::string(out, value.as_bytes(), Escape::Least);
}

fn members(out: &mut Vec<u8>, list: &[Member]) {
    for (n, (ty, optional, name)) in list.iter().enumerate() {
        let comma = if n > 0 { "," } else { "" };
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{comma}{{\"type\":\"{ty}\",\"optional\":{optional},\"field\":\"{name}\"}}");
    }
}

/// Appends the schema of the source.
pub(crate) fn source_schema(out: &mut Vec<u8>, extension: bool, event_ids: bool) {
    out.extend_from_slice(b"{\"type\":\"struct\",\"fields\":[");
    members(out, &SOURCE_HEAD);
    out.extend_from_slice(b",{\"type\":\"string\",\"optional\":true,\"name\":\"io.debezium.data.Enum\",\"version\":1,\"parameters\":{\"allowed\":\"true,last,false,incremental\"},\"default\":\"false\",\"field\":\"snapshot\"},");
    members(out, &SOURCE_TAIL);
    if extension {
        out.push(b',');
        members(out, &SOURCE_MORE);
    }
    if event_ids {
        out.push(b',');
        members(out, &SOURCE_ID);
    }
    out.extend_from_slice(
        b"],\"optional\":false,\"name\":\"io.debezium.connector.mysql.Source\",\"field\":\"source\"}",
    );
}

/// Appends the schemas of source, operation, time and transaction, which end every envelope's list.
pub(crate) fn common_schema(out: &mut Vec<u8>, extension: bool, event_ids: bool) {
    source_schema(out, extension, event_ids);
    out.push(b',');
    members(out, &[("string", false, "op"), ("int64", true, "ts_ms")]);
    out.extend_from_slice(b",{\"type\":\"struct\",\"fields\":[");
    members(out, &BLOCK);
    out.extend_from_slice(b"],\"optional\":true,\"name\":\"event.block\",\"version\":1,\"field\":\"transaction\"}");
}
