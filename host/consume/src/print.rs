//! Changes as lines of JSON.

use crate::error::ConsumeError;
use crate::stream::{Done, Portion, Target};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use tg_format_common::{ChangeEvent, Datum, Field, RowChange};
use tgr1::Op;

/// Prints and keeps nothing.
pub struct Print<W> {
    out: W,
}

impl<W: Write + Send> Print<W> {
    /// Into this output.
    pub const fn new(out: W) -> Self {
        Self { out }
    }
}

fn value(datum: &Datum) -> Value {
    match datum {
        Datum::Null => Value::Null,
        Datum::Int(n) => json!(n),
        Datum::UInt(n) => json!(n),
        Datum::Float(f) => json!(f),
        Datum::Text(text) => json!(text),
        Datum::Bytes(bytes) => json!(format!("0x{}", hex::encode(bytes))),
    }
}

fn image(fields: &[Field]) -> Value {
    Value::Object(fields.iter().map(|f| (f.name.clone(), value(&f.value))).collect())
}

fn row(row: &RowChange) -> Value {
    let kind = match row.op {
        Op::Insert => "insert",
        Op::Update => "update",
        Op::Delete => "delete",
    };
    let mut out = Map::new();
    out.insert("type".to_owned(), json!(kind));
    out.insert("database".to_owned(), json!(row.database));
    out.insert("table".to_owned(), json!(row.table));
    if let Some(ts) = row.commit_ts {
        out.insert("commit-ts".to_owned(), json!(ts.to_string()));
    }
    for (name, fields) in [("after", &row.after), ("before", &row.before)] {
        if let Some(fields) = fields {
            out.insert(name.to_owned(), image(fields));
        }
    }
    Value::Object(out)
}

fn line(event: &ChangeEvent) -> Option<Value> {
    match event {
        ChangeEvent::Row(change) => Some(row(change)),
        ChangeEvent::Ddl(ddl) => Some(json!({
            "type": "ddl", "database": ddl.database, "table": ddl.table, "query": ddl.query,
            "commit-ts": ddl.commit_ts.map(|ts| ts.to_string()),
        })),
        ChangeEvent::Watermark(_) | ChangeEvent::Schema(_) => None,
    }
}

impl<W: Write + Send> Target for Print<W> {
    fn progress(&mut self) -> BoxFuture<'_, Result<BTreeMap<String, Done>, ConsumeError>> {
        async { Ok(BTreeMap::new()) }.boxed()
    }

    fn apply<'a>(&'a mut self, portion: &'a Portion) -> BoxFuture<'a, Result<(), ConsumeError>> {
        let mut written = Ok(());
        for line in portion.events.iter().filter_map(line) {
            written = written.and_then(|()| writeln!(self.out, "{line}"));
        }
        let written = written.and_then(|()| self.out.flush());
        async move { written.map_err(|e| ConsumeError::Output { reason: e.to_string() }) }.boxed()
    }
}
