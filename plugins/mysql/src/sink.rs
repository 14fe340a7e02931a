//! The sink as the contract sees it.

use crate::config::{Config, NAME};
use crate::ddl::{self, Server};
use crate::segment::Changes;
use crate::sync_point;
use crate::table::Table;
use std::sync::Arc;
use tg_sql_common::{Lane, connect};
use tidegate_sdk::sql::Dialect;
use tidegate_sdk::{
    Ack, Barrier, Capability, Context, DdlEvent, Failure, Manifest, Position, RowBatch, Sink, TablePlan, TableRef,
    TableSchema, WriteOutcome,
};

/// The MySQL sink: see the crate's page.
pub struct MysqlSink {
    changefeed: String,
    /// For how long rows about sync points are kept; none: sync points are not marked.
    sync_point_retention_s: Option<u64>,
    server: Server,
    lane: Lane<Changes>,
}

impl Sink for MysqlSink {
    fn manifest() -> Manifest {
        Manifest {
            config_schema: Config::schema(),
            capabilities: vec![Capability::required("sql", "writes rows and DDL to a MySQL, MariaDB or TiDB server")],
            // What it reads when it is opened is the server's, and a lane's place is asked of the host.
            attrs: vec![("opens-warm".to_owned(), "true".to_owned())],
            ..Manifest::new(NAME, env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let config = Config::parse(&ctx.config).map_err(|e| Failure::fatal("config", e.to_string()))?;
        let (connection, _) = connect(NAME, &config.options, &ctx)?;
        let server = Server::new(connection.dialect(), &connection.server_version());
        let limits = config.limits(connection.max_statement_bytes());
        let sink = Self {
            changefeed: ctx.changefeed,
            sync_point_retention_s: config.sync_point_retention_s,
            server,
            lane: Lane::new(NAME, connection, config.options, limits),
        };
        Ok((sink, None))
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>, _: &[String]) -> Result<TablePlan, Failure> {
        let table = Table::new(&schema, self.server.dialect == Dialect::Mariadb);
        Ok(self.lane.learn(schema.id, table))
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.lane.unlearn(table);
    }

    fn on_ddl(&mut self, event: &DdlEvent) -> Result<(), Failure> {
        self.lane.settle();
        ddl::run(self.lane.connection(), &self.server, event)
    }

    fn write(&mut self, _batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        self.lane.write(data)
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        self.lane.flush(&barrier)
    }

    fn on_checkpoint(&mut self, at: Position) -> Result<(), Failure> {
        match self.sync_point_retention_s {
            Some(retention_s) if at.stage == sync_point::STAGE => {
                sync_point::mark(self.lane.connection(), &self.changefeed, at.ts, retention_s)
            }
            _ => Ok(()),
        }
    }

    fn close(&mut self) {
        self.lane.close();
    }
}
