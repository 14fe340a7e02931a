//! A transform that hides values of chosen columns before anyone behind it sees them.
//!
//! Does: leave columns out, make them NULL, replace text, keep the last characters, or put a keyed hash in place of the value;
//! tell everyone behind what the table looks like then.
//! Does not: rewrite DDL statements (a masked column keeps its type downstream), reach anything but the secrets it was granted.
//!
//! Invariants:
//! - Rows that differ in a unique key still differ: only hashes may stand in keys.
//! - The same value becomes the same hash, in every run, as long as the secret stays.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod config;
mod hash;
mod plan;
mod rows;

pub use config::{Config, How, Rule};

use hash::Key;
use plan::Table;
use std::collections::BTreeMap;
use std::sync::Arc;
use tgr1::Batch;
use tidegate_sdk::{
    Capability, Context, DdlEvent, Failure, Manifest, RowBatch, TableRef, TableSchema, Transform, TransformPlan,
    Transformed, secret,
};

/// See the crate.
pub struct Mask {
    rules: Vec<Rule>,
    keys: BTreeMap<String, Key>,
    tables: BTreeMap<TableRef, Table>,
}

impl Transform for Mask {
    fn manifest() -> Manifest {
        let reason = "the key of hashes, so that nobody can try values out";
        Manifest {
            config_schema: Config::SCHEMA.to_owned(),
            capabilities: vec![Capability { name: "secret".to_owned(), required: false, reason: reason.to_owned() }],
            ..Manifest::new("mask", env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<Self, Failure> {
        let config = Config::parse(&ctx.config)?;
        let mut keys = BTreeMap::new();
        for rule in &config.rules {
            if let How::Hash { secret: name, .. } = &rule.how {
                let value = secret::get(name).map_err(|e| Failure::fatal("mask-secret", e))?;
                keys.insert(name.clone(), Key::new(value.as_bytes()));
            }
        }
        Ok(Self { rules: config.rules, keys, tables: BTreeMap::new() })
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>) -> Result<TransformPlan, Failure> {
        let Some((table, output)) = plan::plan(&self.rules, &schema)? else {
            return Ok(TransformPlan::pass());
        };
        self.tables.insert(schema.id, table);
        Ok(TransformPlan { active: true, columns: None, output: Some(output), attrs: Vec::new() })
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.tables.remove(&table);
    }

    fn transform(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Transformed, Failure> {
        let table = self.tables.get_mut(&batch.table());
        let table = table.ok_or_else(|| Failure::fatal("schema", "rows of a table that was not announced"))?;
        let rows = Batch::parse(data)?;
        let data = rows::mask(table, &self.keys, &rows)?;
        Ok(Transformed { data, origins: (0..rows.len() as u32).collect(), quarantined: Vec::new() })
    }

    fn on_ddl(&mut self, ddl: DdlEvent) -> Result<Option<DdlEvent>, Failure> {
        let side = |schema: Option<TableSchema>| match schema {
            Some(s) => Ok::<_, Failure>(Some(plan::plan(&self.rules, &s)?.map_or(s, |(_, output)| output))),
            None => Ok(None),
        };
        Ok(Some(DdlEvent { before: side(ddl.before)?, after: side(ddl.after)?, ..ddl }))
    }
}

tidegate_sdk::export_transform!(Mask);
