//! A sink that writes files to a folder or bucket as TiCDC does, in csv or canal-json, or in parquet.
//!
//! Does: gather rows into files by table version and date, write schema files, index files and the checkpoint, remove folders that
//! have expired, and keep manifests, which make it exact: [`tg_format_storage`] says what lies where.
//! Does not: connect, authenticate (the endpoint is the host's), read upstream, know other formats.
//!
//! Invariants:
//! - A file is created, never overwritten. Files of a folder are in the order of its rows.
//! - Rows are acknowledged when the commit manifest that names their file exists (without manifests: when the file does).
//! - Index files name committed files only. Files that a writer left uncommitted are removed before the next one writes.
//! - Rows of one writer after another are in files that count exactly once, whatever was lost in between: request, answer, process.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod chain;
mod cleanup;
mod config;
mod content;
mod folders;
mod keeper;
mod lane;
mod outbox;
mod versions;

pub use config::Config;

use keeper::Keeper;
use lane::Lane;
use std::sync::Arc;
use tidegate_sdk::object_store::Bucket;
use tidegate_sdk::{
    Ack, Barrier, Capability, Context, DdlEvent, Failure, Manifest, Position, RowBatch, Sink, TablePlan, TableRef,
    TableSchema, WriteOutcome,
};

/// See the crate.
pub struct Storage(Role);

/// Rows and DDL have instances of their own.
enum Role {
    Lane(Box<Lane>),
    Keeper(Box<Keeper>),
}

impl Storage {
    fn lane(&mut self) -> Result<&mut Lane, Failure> {
        match &mut self.0 {
            Role::Lane(lane) => Ok(lane),
            Role::Keeper(_) => Err(Failure::fatal("role", "rows were handed to the instance for schema changes")),
        }
    }
}

impl Sink for Storage {
    fn manifest() -> Manifest {
        Manifest {
            config_schema: Config::SCHEMA.to_owned(),
            capabilities: vec![
                Capability::required("object-store", "writes files"),
                Capability::required("clock", "names folders by date"),
            ],
            ..Manifest::new("storage", env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let config = Config::parse(&ctx.config)?;
        let endpoint = config.endpoint.clone().or_else(|| ctx.endpoints.first().cloned());
        let endpoint = endpoint.ok_or_else(|| Failure::fatal("no-endpoint", "no object store is granted"))?;
        let bucket = Bucket::open(&endpoint)?;
        if ctx.lane == ctx.lanes {
            let keeper = Keeper::open(bucket, &config, &ctx)?;
            return Ok((Self(Role::Keeper(Box::new(keeper))), None));
        }
        let (lane, durable) = Lane::open(bucket, &config, &ctx)?;
        Ok((Self(Role::Lane(Box::new(lane))), durable))
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>, _: &[String]) -> Result<TablePlan, Failure> {
        self.lane()?.on_schema(schema)
    }

    fn drop_schema(&mut self, table: TableRef) {
        if let Role::Lane(lane) = &mut self.0 {
            lane.drop_schema(table);
        }
    }

    fn on_ddl(&mut self, ddl: &DdlEvent) -> Result<(), Failure> {
        match &mut self.0 {
            Role::Keeper(keeper) => keeper.on_ddl(ddl),
            Role::Lane(_) => Err(Failure::fatal("role", "a schema change was handed to an instance for rows")),
        }
    }

    fn write(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        self.lane()?.write(batch.table(), data)
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        match &mut self.0 {
            Role::Lane(lane) => lane.flush(barrier.at)?,
            Role::Keeper(_) => {}
        }
        Ok(Ack::complete(&barrier))
    }

    fn status(&mut self) -> Result<Option<Position>, Failure> {
        match &mut self.0 {
            Role::Lane(lane) => lane.status(),
            Role::Keeper(_) => Ok(None),
        }
    }

    fn on_checkpoint(&mut self, at: Position) -> Result<(), Failure> {
        match &mut self.0 {
            Role::Keeper(keeper) => keeper.on_checkpoint(at),
            Role::Lane(_) => Ok(()),
        }
    }

    fn on_tick(&mut self) -> Result<(), Failure> {
        match &mut self.0 {
            Role::Keeper(keeper) => keeper.on_tick(),
            Role::Lane(lane) => lane.on_tick(),
        }
    }
}

tidegate_sdk::export_sink!(Storage);
