//! The dispatcher for message queues: topics and partitions as `[[sink.dispatchers]]` of TiCDC's files say.
//!
//! Does: find a table's rule, fill its topic expression, compute the partition of every row with TiCDC's hash, ask for updates
//! of keys as a delete and an insert.
//! Does not: make topics or know how many partitions they have (the host tells), select columns (that is the sink's).
//!
//! Invariants:
//! - Rows of one partition of a topic take one lane, so that a partition has them in commit order.
//! - The same row goes to the same partition as long as the topic keeps its number of partitions.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use std::collections::BTreeMap;
use std::sync::Arc;
use tg_format_common::{EncodeError, Table};
use tg_format_partition::Partitioner;
use tg_format_rules::{Rules, RulesConfig};
use tgr1::Batch;
use tidegate_sdk::{Context, Decisions, DispatchPlan, Dispatcher, Failure, Manifest, RowBatch, TableRef, TableSchema};

/// JSON Schema of the configuration.
const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "topic": {"type": "string", "description": "topic of everything that no rule gives another"},
    "topic-per-table": {"type": "boolean", "default": false, "description": "topic expressions need {schema} and {table}"},
    "case-sensitive": {"type": "boolean", "default": false, "description": "letters of different case are different in matchers"},
    "output-raw-change-event": {"type": "boolean", "default": false, "description": "updates that change a key stay one change"},
    "dispatchers": {"type": "array", "description": "the first that matches counts", "items": {
      "type": "object", "additionalProperties": false, "required": ["matcher"], "properties": {
        "matcher": {"type": "array", "items": {"type": "string"}},
        "topic": {"type": "string"},
        "partition": {"type": "string"},
        "index": {"type": "string"},
        "columns": {"type": "array", "items": {"type": "string"}}}}},
    "column-selectors": {"type": "array", "description": "checked here against partitions by columns; the sink acts on them", "items": {
      "type": "object", "additionalProperties": false, "required": ["matcher", "columns"], "properties": {
        "matcher": {"type": "array", "items": {"type": "string"}},
        "columns": {"type": "array", "items": {"type": "string"}}}}}
  }
}"#;

struct Routed {
    /// With the columns that decide.
    table: Table,
    partitioner: Partitioner,
    /// Partitions of the topic; 0: nobody said.
    partitions: u32,
}

/// See the crate.
pub struct RuleDispatcher {
    lanes: u16,
    rules: Rules,
    raw: bool,
    tables: BTreeMap<TableRef, Routed>,
}

fn failed(e: &EncodeError) -> Failure {
    Failure::fatal(e.code(), e.to_string())
}

impl Dispatcher for RuleDispatcher {
    fn manifest() -> Manifest {
        Manifest { config_schema: SCHEMA.to_owned(), ..Manifest::new("rules", env!("CARGO_PKG_VERSION")) }
    }

    fn open(ctx: Context) -> Result<Self, Failure> {
        let lanes = u16::try_from(ctx.lanes).ok().filter(|n| *n > 0);
        let lanes = lanes.ok_or_else(|| Failure::fatal("lanes", format!("{} lanes are not possible", ctx.lanes)))?;
        let text = if ctx.config.is_empty() { "{}" } else { &ctx.config };
        let config: RulesConfig =
            serde_json::from_str(text).map_err(|e| Failure::fatal("config", format!("the rules: {e}")))?;
        let rules = Rules::new(&config).map_err(|e| Failure::fatal("rules", e.to_string()))?;
        Ok(Self { lanes, rules, raw: config.output_raw_change_event, tables: BTreeMap::new() })
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>) -> Result<DispatchPlan, Failure> {
        self.rules.columns(&schema).map_err(|e| Failure::fatal("column-selector", e.to_string()))?;
        let rule = self.rules.partition(&schema.database, &schema.name);
        let topic = self.rules.topic(&schema.database, &schema.name);
        let id = schema.id;
        let whole = Table::new(Arc::clone(&schema), None).map_err(|e| failed(&e))?;
        let mut columns: Vec<u32> = Partitioner::new(&rule, &whole).map_err(|e| failed(&e))?.columns(&whole).collect();
        columns.sort_unstable();
        columns.dedup();
        let table = Table::new(schema, Some(&columns)).map_err(|e| failed(&e))?;
        let partitioner = Partitioner::new(&rule, &table).map_err(|e| failed(&e))?;
        self.tables.insert(id, Routed { table, partitioner, partitions: 0 });
        Ok(DispatchPlan {
            columns: Some(columns),
            targets: vec![topic],
            split_key_updates: !self.raw,
            ..DispatchPlan::default()
        })
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.tables.remove(&table);
    }

    fn partition_counts(&mut self, table: TableRef, counts: &[u32]) {
        if let (Some(routed), Some(count)) = (self.tables.get_mut(&table), counts.first()) {
            routed.partitions = *count;
        }
    }

    fn dispatch(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Decisions, Failure> {
        let id = batch.table();
        let routed = self.tables.get_mut(&id);
        let Routed { table, partitioner, partitions } =
            routed.ok_or_else(|| Failure::fatal("schema", format!("table {} was not announced", id.table)))?;
        let mut decisions = Decisions::default();
        let batch = Batch::parse(data)?;
        decisions.partitions.reserve(batch.len());
        for row in &batch {
            decisions.partitions.push(partitioner.partition(table, &row, *partitions).map_err(|e| failed(&e))?);
        }
        if self.lanes > 1 {
            let lanes = u32::from(self.lanes);
            decisions.lanes = decisions.partitions.iter().map(|p| (p % lanes) as u16).collect();
        }
        Ok(decisions)
    }
}

tidegate_sdk::export_dispatcher!(RuleDispatcher);
