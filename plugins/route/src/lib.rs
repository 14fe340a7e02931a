//! A transform that gives tables other names, or leaves them out.
//!
//! Does: rename databases and tables by rules, in schemas and in the names of DDL statements; leave tables out. Rows are not
//! touched, so that a renamed table costs nothing per row.
//! Does not: change columns or rows; follow names within the text of views or of generated columns.
//!
//! Invariants:
//! - A statement goes on only if every name of a table in it is understood: what cannot be rewritten fails the changefeed, it
//!   never runs against the wrong table.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod config;
mod ddl;
mod statement;
mod token;

pub use config::{Config, Target};

use std::collections::BTreeSet;
use std::sync::Arc;
use tgr1::Batch;
use tidegate_sdk::{
    Context, DdlEvent, Failure, Manifest, RowBatch, TableRef, TableSchema, Transform, TransformPlan, Transformed,
};

/// See the crate.
pub struct Route {
    config: Config,
    /// Versions of tables that are left out.
    left_out: BTreeSet<TableRef>,
}

impl Route {
    /// The schema under its new name; `None`: it is left out.
    fn schema(&self, schema: &TableSchema) -> Option<TableSchema> {
        match self.config.table(&schema.database, &schema.name) {
            Target::Same => Some(schema.clone()),
            Target::To(database, name) => Some(TableSchema { database, name, ..schema.clone() }),
            Target::Nowhere => None,
        }
    }
}

impl Transform for Route {
    fn manifest() -> Manifest {
        Manifest { config_schema: Config::SCHEMA.to_owned(), ..Manifest::new("route", env!("CARGO_PKG_VERSION")) }
    }

    fn open(ctx: Context) -> Result<Self, Failure> {
        Ok(Self { config: Config::parse(&ctx.config)?, left_out: BTreeSet::new() })
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>) -> Result<TransformPlan, Failure> {
        Ok(match self.config.table(&schema.database, &schema.name) {
            Target::Same => TransformPlan::pass(),
            Target::To(database, name) => {
                let output = TableSchema { database, name, ..(*schema).clone() };
                TransformPlan { output: Some(output), ..TransformPlan::pass() }
            }
            Target::Nowhere => {
                self.left_out.insert(schema.id);
                TransformPlan { active: true, columns: Some(Vec::new()), ..TransformPlan::pass() }
            }
        })
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.left_out.remove(&table);
    }

    fn transform(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Transformed, Failure> {
        let table = batch.table();
        if !self.left_out.contains(&table) {
            return Err(Failure::fatal("schema", format!("rows of table {} were not asked for", table.table)));
        }
        Batch::parse(data)?;
        Ok(Transformed::default())
    }

    fn on_ddl(&mut self, ddl: DdlEvent) -> Result<Option<DdlEvent>, Failure> {
        ddl::route(&self.config, &ddl, |schema| self.schema(schema))
    }
}

tidegate_sdk::export_transform!(Route);
