//! The sink as the contract sees it.

use crate::config::{Config, NAME};
use crate::ddl;
use crate::ident::{NAME_BYTES_MAX, too_long};
use crate::segment::Changes;
use crate::table::Table;
use std::sync::Arc;
use tg_sql_common::{Lane, connect};
use tidegate_sdk::metrics::Counter;
use tidegate_sdk::{
    Ack, Barrier, Capability, Context, DdlEvent, Failure, Manifest, Position, RowBatch, Sink, TablePlan, TableRef,
    TableSchema, WriteOutcome,
};

/// What the version of the server begins with.
const PRODUCT: &str = "PostgreSQL";

/// The PostgreSQL sink: see the crate's page.
pub struct PostgresSink {
    config: Config,
    lane: Lane<Changes>,
    refused: Counter,
}

impl Sink for PostgresSink {
    fn manifest() -> Manifest {
        Manifest {
            config_schema: Config::schema(),
            capabilities: vec![Capability::required("sql", "writes rows and DDL to a PostgreSQL server")],
            // What it reads when it is opened is the server's, and a lane's place is asked of the host.
            attrs: vec![("opens-warm".to_owned(), "true".to_owned())],
            ..Manifest::new(NAME, env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let config = Config::parse(&ctx.config).map_err(|e| Failure::fatal("config", e.to_string()))?;
        let (connection, endpoint) = connect(NAME, &config.options, &ctx)?;
        let version = connection.server_version();
        if !version.starts_with(PRODUCT) {
            let found = format!("the SQL endpoint {endpoint:?} is no {PRODUCT} but {version:?}");
            return Err(Failure::fatal("config", found));
        }
        let limits = config.limits(connection.max_statement_bytes());
        let lane = Lane::new(NAME, connection, config.options.clone(), limits);
        Ok((Self { config, lane, refused: Counter::new("postgres_rows_refused") }, None))
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>, _: &[String]) -> Result<TablePlan, Failure> {
        if let Some(name) = too_long(&schema) {
            return Err(name_failure(&schema, name));
        }
        Ok(self.lane.learn(schema.id, Table::new(&schema, &self.config)))
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.lane.unlearn(table);
    }

    fn on_ddl(&mut self, event: &DdlEvent) -> Result<(), Failure> {
        self.lane.settle();
        ddl::run(self.lane.connection(), &self.config, event)
    }

    fn write(&mut self, _batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        let outcome = self.lane.write(data)?;
        self.refused.add(outcome.quarantined.len() as u64);
        Ok(outcome)
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        self.lane.flush(&barrier)
    }

    fn close(&mut self) {
        self.lane.close();
    }
}

/// A name that the server would cut.
pub(crate) fn name_failure(schema: &TableSchema, name: &str) -> Failure {
    let table = format!("{}.{}", schema.database, schema.name);
    let message = format!("{table}: the name {name:?} has more than {NAME_BYTES_MAX} bytes");
    Failure::unsupported("name-too-long", message)
}
