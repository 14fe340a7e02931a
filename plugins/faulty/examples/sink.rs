//! A sink with a mistake: rows are kept until the flush, then written through one capability.
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, reason = "it is there to fail")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_plugin_faulty::{CONFIG_SCHEMA, Config, json, sql, text};
use tidegate_sdk::http::{Method, Request};
use tidegate_sdk::object_store::{Bucket, PutMode};
use tidegate_sdk::producer::{Messages, Producer};
use tidegate_sdk::sql::{Connection, ErrorKind};
use tidegate_sdk::tgr1::{Batch, Image, Op, Row};
use tidegate_sdk::{
    Ack, Barrier, BarrierKind, Blocks, Capability, Context, DdlEvent, Failure, Manifest, Position, RowBatch, Sink,
    TablePlan, TableRef, TableSchema, WriteOutcome,
};

/// Name of what is granted.
const ENDPOINT: &str = "downstream";

/// One row, ready for every capability.
#[derive(Clone)]
struct Entry {
    statements: Vec<Vec<u8>>,
    key: Vec<u8>,
    line: String,
}

enum Via {
    Sql(Connection),
    Queue(Producer),
    Web,
    Objects(Bucket),
}

/// See the file.
pub struct Faulty {
    config: Config,
    via: Via,
    tables: BTreeMap<TableRef, Arc<TableSchema>>,
    open: Vec<Entry>,
    leaked: Vec<Vec<u8>>,
    names: Vec<String>,
    last: Position,
    /// The barrier whose outcome is open: asked again it was not done, anything else says that it was.
    in_doubt: Option<u32>,
    /// What is to be sent is with the producer, whose flush is to be asked for again.
    handed: Cell<bool>,
}

fn name(schema: &TableSchema) -> String {
    format!("`{}`.`{}`", schema.database, schema.name)
}

/// `a`='1' AND `b`<=>NULL, over the key or, without one, everything.
fn condition(schema: &TableSchema, image: &Image<'_>) -> Vec<u8> {
    let key = schema.row_key_columns();
    let all: Vec<u32> = (0..schema.columns.len() as u32).collect();
    let mut out = Vec::new();
    for i in if key.is_empty() { &all[..] } else { key } {
        if !out.is_empty() {
            out.extend_from_slice(b" AND ");
        }
        out.extend_from_slice(format!("`{}`<=>", schema.columns[*i as usize].name).as_bytes());
        out.extend_from_slice(&sql(text(schema, image, *i as usize).as_deref()));
    }
    out
}

fn delete(schema: &TableSchema, image: &Image<'_>) -> Vec<u8> {
    [format!("DELETE FROM {} WHERE ", name(schema)).as_bytes(), &condition(schema, image)].concat()
}

fn put(verb: &str, schema: &TableSchema, image: &Image<'_>) -> Vec<u8> {
    let columns: Vec<String> = schema.columns.iter().map(|c| format!("`{}`", c.name)).collect();
    let mut out = format!("{verb} INTO {} ({}) VALUES (", name(schema), columns.join(",")).into_bytes();
    for i in 0..schema.columns.len() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&sql(text(schema, image, i).as_deref()));
    }
    out.push(b')');
    out
}

impl Faulty {
    fn has(&self, fault: &str) -> bool {
        self.config.fault == fault
    }

    fn entry(&self, schema: &TableSchema, row: &Row<'_>) -> Entry {
        let (before, after) = (row.before(), row.after());
        if self.has("trap-on-null") {
            let current = row.current().expect("an image");
            (0..schema.columns.len()).for_each(|i| assert!(!current.is_null(i), "NULL in column {i}"));
        }
        let verb = if self.has("insert-through") && row.op() == Op::Insert { "INSERT" } else { "REPLACE" };
        let mut statements = Vec::new();
        if let Some(before) = before.as_ref().filter(|_| row.op() != Op::Insert) {
            statements.push(delete(schema, before));
        }
        if let Some(after) = &after {
            statements.push(put(verb, schema, after));
        }
        let current = row.current().expect("an image");
        let key = [name(schema).into_bytes(), condition(schema, &current)].concat();
        let line = serde_json::json!({
            "table": name(schema),
            "ts": row.commit_ts().to_string(),
            "before": json(schema, before.as_ref()),
            "after": json(schema, after.as_ref()),
        });
        Entry { statements, key, line: line.to_string() }
    }

    /// Writes rows; nothing of it took effect when this fails as retryable.
    fn send(&self, rows: &[Entry], at: Position) -> Result<(), Failure> {
        if self.has("silent") {
            return Ok(());
        }
        match &self.via {
            Via::Sql(connection) => {
                let mut blocks = Blocks::default();
                rows.iter().flat_map(|r| &r.statements).for_each(|s| blocks.push(s));
                connection.transact(&blocks)?;
            }
            Via::Queue(producer) => {
                let mut messages = Messages::to("rows");
                for row in rows {
                    messages.keys.push(&row.key);
                    messages.values.push(row.line.as_bytes());
                }
                self.send_once(producer, &mut messages)?;
            }
            Via::Web if rows.is_empty() => {}
            Via::Web => {
                let lines: Vec<&str> = rows.iter().map(|r| r.line.as_str()).collect();
                self.post("/rows", lines.join("\n"))?;
            }
            Via::Objects(_) if rows.is_empty() => {}
            Via::Objects(bucket) => {
                let lines: Vec<&str> = rows.iter().map(|r| r.line.as_str()).collect();
                let path = format!("rows/{:020}-{}-{:020}.jsonl", at.ts, at.stage, at.seq);
                bucket.put(&path, lines.join("\n").as_bytes(), &PutMode::Overwrite)?;
            }
        }
        Ok(())
    }

    /// Messages that were taken are not sent again when only the flush has to be repeated.
    fn send_once(&self, producer: &Producer, messages: &mut Messages) -> Result<(), Failure> {
        if !messages.is_empty() && !self.handed.get() {
            producer.send(messages)?;
            self.handed.set(true);
        }
        let flushed = producer.flush();
        self.handed.set(matches!(flushed, Err(Failure::Retryable { .. })) && self.handed.get());
        flushed
    }

    fn post(&self, path: &str, body: String) -> Result<(), Failure> {
        let answer = tidegate_sdk::http::send(Request {
            endpoint: ENDPOINT.to_owned(),
            method: Method::Post,
            path: path.to_owned(),
            headers: Vec::new(),
            body: body.into_bytes(),
            timeout_ms: None,
        })?;
        match answer.status {
            200..300 => Ok(()),
            429 | 500.. => Err(Failure::retryable(format!("status {}", answer.status))),
            other => Err(Failure::fatal("status", format!("status {other}"))),
        }
    }

    /// The mistakes of those who look at errors the wrong way.
    fn judged(&self, sent: Result<(), Failure>) -> Result<(), Failure> {
        match (&sent, self.config.fault.as_str()) {
            (Err(_), "ack-anyway") | (Err(Failure::Unknown { .. }), "unknown-is-done") => Ok(()),
            (Err(Failure::Fenced { .. }), "fenced-is-done") => Ok(()),
            (Err(Failure::Retryable { message, .. }), "busy-is-fatal") => Err(Failure::fatal("busy", message.clone())),
            _ => sent,
        }
    }

    /// What was in doubt is done, unless the same barrier comes again.
    fn settle(&mut self, barrier: Option<u32>) {
        if self.in_doubt.take().is_some_and(|open| Some(open) != barrier) {
            self.open.clear();
        }
    }

    fn flush_rows(&mut self, barrier: Barrier) -> Result<(), Failure> {
        self.settle(Some(barrier.id));
        let stop = barrier.kind == BarrierKind::Stop;
        if self.has("ack-early") && !stop && self.open.len() < 500 {
            return Ok(());
        }
        if self.has("forget-on-swap") && barrier.kind == BarrierKind::Swap {
            self.open.clear();
        }
        if self.has("backwards") {
            self.open.reverse();
        }
        let sent = self.send(&self.open, barrier.at);
        if matches!(sent, Err(Failure::Unknown { .. })) {
            self.in_doubt = Some(barrier.id);
        }
        let judged = self.judged(sent);
        if judged.is_ok() || self.has("drop-on-failure") {
            self.open.clear();
        }
        judged
    }
}

impl Sink for Faulty {
    fn manifest() -> Manifest {
        let optional = |name: &str| Capability { required: false, ..Capability::required(name, "rows go there") };
        Manifest {
            config_schema: CONFIG_SCHEMA.to_owned(),
            capabilities: ["sql", "producer", "http", "object-store"].map(optional).to_vec(),
            ..Manifest::new("faulty", "1")
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let config = Config::read(&ctx.config);
        let via = match config.via.as_str() {
            "producer" => Via::Queue(Producer::open(ENDPOINT)?),
            "http" => Via::Web,
            "object-store" => Via::Objects(Bucket::open(ENDPOINT)?),
            _ => Via::Sql(Connection::open(ENDPOINT)?),
        };
        let ahead = Position { ts: u64::MAX, stage: 1, seq: 0 };
        let durable = (config.fault == "open-ahead").then_some(ahead);
        let faulty = Self {
            config,
            via,
            tables: BTreeMap::new(),
            open: Vec::new(),
            leaked: Vec::new(),
            names: Vec::new(),
            last: Position::default(),
            in_doubt: None,
            handed: Cell::new(false),
        };
        Ok((faulty, durable))
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>, _: &[String]) -> Result<TablePlan, Failure> {
        self.names.push(format!(
            "{} with a long story about where it came from, told again and again: {}",
            schema.name,
            "x".repeat(200)
        ));
        self.tables.insert(schema.id, schema);
        Ok(TablePlan::default())
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.tables.remove(&table);
    }

    fn on_ddl(&mut self, ddl: &DdlEvent) -> Result<(), Failure> {
        let once = self.has("ddl-once");
        match &self.via {
            Via::Sql(connection) => match connection.execute(&ddl.query) {
                Err(e) if e.kind == ErrorKind::Refused && !once && [1050, 1051, 1060].contains(&e.errno) => Ok(()),
                done => done.map(|_| ()).map_err(Into::into),
            },
            Via::Queue(producer) => {
                let mut messages = Messages::to("ddl");
                messages.values.push(ddl.query.as_bytes());
                self.send_once(producer, &mut messages)
            }
            Via::Web => self.post("/ddl", ddl.query.clone()),
            Via::Objects(bucket) => {
                bucket.put(&format!("ddl/{}.sql", ddl.at.ts), ddl.query.as_bytes(), &PutMode::Overwrite)?;
                Ok(())
            }
        }
    }

    fn write(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        self.settle(None);
        let schema = self.tables.get(&batch.table()).cloned();
        let schema = schema.ok_or_else(|| Failure::fatal("schema", "rows before their schema"))?;
        let rows = Batch::parse(data)?;
        if self.has("trap-on-empty") {
            assert!(!rows.is_empty(), "a batch has rows");
        }
        if self.has("leak") {
            self.leaked.push(data.to_vec());
        }
        if self.has("copies") {
            self.leaked = (0..100).map(|_| data.to_vec()).collect();
        }
        let most = if self.has("first-of-batch") { 1 } else { usize::MAX };
        for row in rows.iter().take(most) {
            self.open.push(self.entry(&schema, &row));
        }
        if self.has("insert-through") {
            self.send(&self.open, self.last)?;
            self.open.clear();
        }
        Ok(WriteOutcome::default())
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        self.flush_rows(barrier)?;
        self.last = barrier.at;
        let state = self.has("state-by-table").then(|| self.names.join("\n").into_bytes());
        Ok(Ack { state, ..Ack::complete(&barrier) })
    }

    fn status(&mut self) -> Result<Option<Position>, Failure> {
        let ahead = Position { ts: self.last.ts + 1_000_000, stage: 1, seq: 0 };
        Ok(self.has("status-ahead").then_some(ahead))
    }

    fn on_tick(&mut self) -> Result<(), Failure> {
        if self.has("write-on-tick") {
            let Via::Sql(connection) = &self.via else { return Ok(()) };
            connection.execute("REPLACE INTO `kit`.`ticks` (`id`) VALUES (1)")?;
        }
        Ok(())
    }
}

tidegate_sdk::export_sink!(Faulty);
