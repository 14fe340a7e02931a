//! {{name}}: sends each changed row as one line of JSON to an HTTP endpoint.

use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_sdk::http::{self, Method, Request};
use tidegate_sdk::tgr1::{Batch, Image, Op, text};
use tidegate_sdk::{
    Ack, Barrier, Capability, Column, Context, DdlEvent, Failure, LogicalType, Manifest, Position, RowBatch, Sink,
    TablePlan, TableRef, TableSchema, WriteOutcome,
};

/// What the changefeed's file may say to this plugin; the host checks it against the schema in `manifest`.
#[derive(serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// Path that requests go to.
    path: String,
    /// Name of the granted endpoint; without one, the first that is granted.
    endpoint: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { path: "/rows".to_owned(), endpoint: None }
    }
}

struct {{Camel}} {
    endpoint: String,
    path: String,
    tables: BTreeMap<TableRef, Arc<TableSchema>>,
    /// Lines since the last flush.
    lines: String,
}

impl Sink for {{Camel}} {
    fn manifest() -> Manifest {
        Manifest {
            config_schema: r#"{
                "type": "object",
                "properties": { "path": { "type": "string" }, "endpoint": { "type": "string" } },
                "additionalProperties": false
            }"#
            .to_owned(),
            capabilities: vec![Capability::required("http", "rows are sent there")],
            ..Manifest::new("{{name}}", env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let text = if ctx.config.is_empty() { "{}" } else { &ctx.config };
        let config: Config = serde_json::from_str(text).map_err(|e| Failure::fatal("config", e.to_string()))?;
        let endpoint = config.endpoint.or_else(|| ctx.endpoints.first().cloned());
        let endpoint = endpoint.ok_or_else(|| Failure::fatal("config", "no HTTP endpoint is granted"))?;
        // No position is kept here: after a restart, rows since the last acknowledgement come again.
        Ok((Self { endpoint, path: config.path, tables: BTreeMap::new(), lines: String::new() }, None))
    }

    fn on_schema(&mut self, table: Arc<TableSchema>, _targets: &[String]) -> Result<TablePlan, Failure> {
        self.tables.insert(table.id, table);
        Ok(TablePlan::default())
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.tables.remove(&table);
    }

    fn on_ddl(&mut self, ddl: &DdlEvent) -> Result<(), Failure> {
        self.post(&serde_json::json!({ "ddl": ddl.query }).to_string())
    }

    fn write(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        let table = self.tables.get(&batch.table());
        let table = table.ok_or_else(|| Failure::fatal("order", "rows of a table that was not announced"))?;
        for row in &Batch::parse(data)? {
            let op = match row.op() {
                Op::Insert => "insert",
                Op::Update => "update",
                Op::Delete => "delete",
            };
            let line = serde_json::json!({
                "table": format!("{}.{}", table.database, table.name),
                "op": op,
                "row": row.current().map(|image| values(table, &image)),
            });
            self.lines.push_str(&line.to_string());
            self.lines.push('\n');
        }
        Ok(WriteOutcome { buffered_bytes: self.lines.len() as u64, ..WriteOutcome::default() })
    }

    /// Everything that was written so far is durable when this answers; nothing else moves the changefeed's checkpoint.
    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        if !self.lines.is_empty() {
            self.post(&self.lines)?;
            self.lines.clear();
        }
        Ok(Ack::complete(&barrier))
    }
}

impl {{Camel}} {
    fn post(&self, body: &str) -> Result<(), Failure> {
        let answer = http::send(Request {
            endpoint: self.endpoint.clone(),
            method: Method::Post,
            path: self.path.clone(),
            headers: vec![("content-type".to_owned(), "application/x-ndjson".to_owned())],
            body: body.as_bytes().to_vec(),
            timeout_ms: None,
        })?;
        match answer.status {
            200..300 => Ok(()),
            429 | 500.. => Err(Failure::retryable(format!("the server answers {}", answer.status))),
            other => Err(Failure::fatal("refused", format!("the server answers {other}"))),
        }
    }
}

/// A row by column names. All values are texts or null, so that no reader loses digits.
fn values(table: &TableSchema, image: &Image<'_>) -> serde_json::Map<String, serde_json::Value> {
    let pair = |(i, column): (usize, &Column)| (column.name.clone(), value(image, i, column).into());
    table.columns.iter().enumerate().map(pair).collect()
}

fn value(image: &Image<'_>, i: usize, column: &Column) -> Option<String> {
    let raw = image.u64(i)?;
    let digits = column.decimals.unwrap_or(0).min(6) as u8;
    let time = tidegate_sdk::tgr1::PackedTime(raw);
    let mut out = Vec::new();
    match column.logical {
        LogicalType::Int | LogicalType::Year => text::i64_text(&mut out, raw.cast_signed()),
        LogicalType::Uint | LogicalType::Set | LogicalType::Bit => text::u64_text(&mut out, raw),
        LogicalType::Float32 => text::f32_text(&mut out, f64::from_bits(raw) as f32),
        LogicalType::Float64 => text::f64_text(&mut out, f64::from_bits(raw)),
        LogicalType::Date => time.date_text(&mut out),
        LogicalType::Datetime | LogicalType::Timestamp => time.datetime_text(&mut out, digits),
        LogicalType::Time => text::time_text(&mut out, raw.cast_signed(), digits),
        LogicalType::Vector => text::vector_text(&mut out, image.bytes(i)?),
        LogicalType::Enumeration => {
            let member = (raw as usize).checked_sub(1).and_then(|n| column.members.get(n));
            out.extend_from_slice(member.map_or("", String::as_str).as_bytes());
        }
        LogicalType::Bytes => {
            return Some(image.bytes(i)?.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        LogicalType::Decimal | LogicalType::Text | LogicalType::Json => out.extend_from_slice(image.bytes(i)?),
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

tidegate_sdk::export_sink!({{Camel}});
