//! A sink that writes rows into the log: for looking at what a changefeed sees.
//!
//! Does: one line a row, readable or as JSON.
//! Does not: keep anything; the host's log limit drops lines of a busy feed.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod line;

use std::collections::BTreeMap;
use std::sync::Arc;
use tgr1::Batch;
use tidegate_sdk::{
    Ack, Barrier, Context, DdlEvent, Failure, Manifest, Position, RowBatch, Sink, TablePlan, TableRef, TableSchema,
    WriteOutcome, log,
};

/// How a row is shown.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `insert test.t id=1 name="x"`.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// What the configuration may say.
#[derive(Clone, Copy, Default, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How a row is shown.
    pub format: Format,
}

/// See the crate.
pub struct Print {
    config: Config,
    tables: BTreeMap<TableRef, Arc<TableSchema>>,
}

impl Sink for Print {
    fn manifest() -> Manifest {
        Manifest {
            config_schema:
                r#"{"type":"object","properties":{"format":{"enum":["text","json"]}},"additionalProperties":false}"#
                    .into(),
            ..Manifest::new("print", env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let text = if ctx.config.is_empty() { "{}" } else { &ctx.config };
        let config = serde_json::from_str(text).map_err(|e| Failure::fatal("config", e.to_string()))?;
        Ok((Self { config, tables: BTreeMap::new() }, None))
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>, _: &[String]) -> Result<TablePlan, Failure> {
        self.tables.insert(schema.id, schema);
        Ok(TablePlan::default())
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.tables.remove(&table);
    }

    fn on_ddl(&mut self, ddl: &DdlEvent) -> Result<(), Failure> {
        log::info(&ddl.query, &[]);
        Ok(())
    }

    fn write(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        let schema = self.tables.get(&batch.table());
        let schema = schema.ok_or_else(|| Failure::fatal("schema", "rows of a table that was not announced"))?;
        for row in &Batch::parse(data)? {
            let line = match self.config.format {
                Format::Text => line::text(schema, &row),
                Format::Json => line::json(schema, &row),
            };
            log::info(&line, &[]);
        }
        Ok(WriteOutcome::default())
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        Ok(Ack::complete(&barrier))
    }
}

tidegate_sdk::export_sink!(Print);
