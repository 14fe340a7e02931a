//! A sink that posts changes to an HTTP endpoint as JSON.
//!
//! Does: gather rows into requests, name each request and each event so that a receiver can tell what it has seen, repeat what
//! failed, send DDL and (if wanted) checkpoints.
//! Does not: connect, authenticate or hold credentials (the endpoint is the host's), keep anything over a restart but how many
//! events it has named.
//!
//! Invariants:
//! - Events of a lane arrive in commit order: a request goes out only after the one before was accepted.
//! - An event has the same id whenever it is sent, as long as the changefeed keeps its slots and lanes.
//! - A flush is acknowledged only when every request before it was answered with a status of success.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod body;
mod config;
mod number;
mod outbox;
mod value;

pub use config::Config;

use body::Body;
use number::Numbers;
use outbox::Outbox;
use std::collections::BTreeMap;
use std::sync::Arc;
use tgr1::Batch;
use tidegate_sdk::{
    Ack, BadEvent, Barrier, Capability, Context, DdlEvent, Failure, Manifest, Position, RowBatch, Sink, TablePlan,
    TableRef, TableSchema, WriteOutcome,
};

/// See the crate.
pub struct Webhook {
    config: Config,
    outbox: Outbox,
    /// Rows that wait for a request of their own.
    body: Body,
    numbers: Numbers,
    tables: BTreeMap<TableRef, Arc<TableSchema>>,
}

impl Webhook {
    /// Closes the request in the making.
    fn close_body(&mut self) {
        if let Some((key, bytes)) = self.body.take() {
            self.outbox.push(key, bytes);
        }
    }
}

impl Sink for Webhook {
    fn manifest() -> Manifest {
        Manifest {
            config_schema: Config::SCHEMA.to_owned(),
            capabilities: vec![
                Capability::required("http", "posts changes to the endpoint"),
                Capability {
                    name: "state".to_owned(),
                    required: false,
                    reason: "keeps the numbers of events".to_owned(),
                },
            ],
            ..Manifest::new("webhook", env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let config = Config::parse(&ctx.config)?;
        let endpoint = config.endpoint.clone().or_else(|| ctx.endpoints.first().cloned());
        let endpoint = endpoint.ok_or_else(|| Failure::fatal("no-endpoint", "no HTTP endpoint is granted"))?;
        let source = format!("{}/{}/{}", ctx.changefeed, ctx.slot, ctx.lane);
        Ok((
            Self {
                outbox: Outbox::new(endpoint, &config),
                body: Body::new(&source, &config),
                numbers: Numbers::restored(&source)?,
                tables: BTreeMap::new(),
                config,
            },
            None,
        ))
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>, _: &[String]) -> Result<TablePlan, Failure> {
        self.tables.insert(schema.id, schema);
        Ok(TablePlan {
            batch_rows: Some(self.config.batch_rows),
            batch_bytes: Some(self.config.batch_bytes),
            ..TablePlan::default()
        })
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.tables.remove(&table);
    }

    fn on_ddl(&mut self, ddl: &DdlEvent) -> Result<(), Failure> {
        self.outbox.send_all()?;
        let (key, bytes) = body::ddl(&self.body.source, ddl);
        self.outbox.send(&key, &bytes)
    }

    fn write(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        // Before anything of this batch is taken, so that a failure means that nothing was.
        self.outbox.send_all()?;
        let table = batch.table();
        let schema = self.tables.get(&table).cloned();
        let schema = schema.ok_or_else(|| Failure::fatal("schema", "rows of a table that was not announced"))?;
        let mut outcome = WriteOutcome::default();
        for (row, at) in Batch::parse(data)?.iter().zip(0..) {
            let id = self.numbers.next(table.table, row.commit_ts());
            match value::event(&self.body.source, &schema, &row, &id) {
                Ok(event) if event.len() > self.config.batch_bytes as usize * body::EVENT_BATCHES_MAX => {
                    let message = format!("the event has {} bytes as JSON", event.len());
                    outcome.quarantined.push(BadEvent { row: at, code: "webhook-too-large".to_owned(), message });
                }
                Ok(event) => {
                    if self.body.add(&id, &event) {
                        self.close_body();
                    }
                }
                Err(message) => {
                    outcome.quarantined.push(BadEvent { row: at, code: "webhook-value".to_owned(), message });
                }
            }
        }
        outcome.buffered_bytes = (self.outbox.len_bytes() + self.body.len_bytes()) as u64;
        Ok(outcome)
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        self.close_body();
        self.outbox.send_all()?;
        self.numbers.keep(barrier.at.ts)?;
        Ok(Ack::complete(&barrier))
    }

    fn on_checkpoint(&mut self, at: Position) -> Result<(), Failure> {
        if !self.config.checkpoints {
            return Ok(());
        }
        let (key, bytes) = body::checkpoint(&self.body.source, at);
        self.outbox.send(&key, &bytes)
    }
}

tidegate_sdk::export_sink!(Webhook);
