//! The sink as the contract sees it.

use crate::config::Config;
use crate::ddl::{self, Server};
use crate::statements::{Limits, write_statements};
use crate::sync_point;
use crate::table::Table;
use crate::window::Window;
use hashbrown::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use tgr1::{Batch, batch_flags};
use tidegate_sdk::metrics::Counter;
use tidegate_sdk::sql::{Blocks, Connection, Dialect, ErrorKind};
use tidegate_sdk::{
    Ack, Barrier, Capability, Context, DdlEvent, Failure, Manifest, Position, RowBatch, Sink, TablePlan, TableRef,
    TableSchema, WriteOutcome, log,
};

/// Room left in a statement for what the protocol adds.
const PACKET_SLACK_BYTES: usize = 1024;

/// Statements of an unusually large window are not worth their memory afterwards.
const BLOCKS_KEPT_BYTES_MAX: usize = 2 << 20;

/// What the sink counts. Round trips saved against writing row by row: `rows - transactions`, by
/// far, as a transaction is few round trips; `statements` shows how few.
struct Counters {
    rows: Counter,
    effects: Counter,
    statements: Counter,
    transactions: Counter,
    redone: Counter,
}

/// The MySQL sink: see the crate's page.
pub struct MysqlSink {
    config: Config,
    changefeed: String,
    connection: Connection,
    server: Server,
    limits: Limits,
    tables: HashMap<TableRef, Rc<Table>>,
    window: Window,
    blocks: Blocks,
    /// The barrier whose flush ended with an unknown outcome.
    in_doubt: Option<u32>,
    /// Something of the window may be downstream already.
    repeated: bool,
    counters: Counters,
}

impl MysqlSink {
    /// Writes the window as one transaction and forgets it.
    fn write_out(&mut self) -> Result<(), Failure> {
        if self.window.is_empty() {
            return Ok(());
        }
        let safe = self.config.safe_mode || self.repeated;
        let done = match self.transact(safe)? {
            None => true,
            Some(duplicate) if safe => return Err(duplicate),
            Some(duplicate) => {
                log::warn(
                    "a row was there already: the window is written once more in safe mode",
                    &[("error", &duplicate.to_string())],
                );
                self.counters.redone.add(1);
                match self.transact(true)? {
                    None => true,
                    Some(duplicate) => return Err(duplicate),
                }
            }
        };
        if done {
            self.counters.rows.add(self.window.rows());
            self.forget();
        }
        Ok(())
    }

    /// One transaction; the answer is the failure when a duplicate key undid it.
    fn transact(&mut self, safe: bool) -> Result<Option<Failure>, Failure> {
        self.blocks.clear();
        let written = write_statements(&self.window, safe, self.limits, &mut self.blocks)
            .map_err(|e| Failure::fatal("batch", e.to_string()))?;
        if self.blocks.is_empty() {
            return Ok(None);
        }
        match self.connection.transact(&self.blocks) {
            Ok(_) => {
                self.counters.effects.add(written.effects);
                self.counters.statements.add(written.statements);
                self.counters.transactions.add(1);
                Ok(None)
            }
            Err(e) if e.kind == ErrorKind::Duplicate => Ok(Some(e.into())),
            Err(e) => Err(Failure::from(e).context(&self.describe_window())),
        }
    }

    fn describe_window(&self) -> String {
        let names: Vec<String> = self.window.segments.iter().take(3).map(|s| s.table.display_name()).collect();
        let more = self.window.segments.len().saturating_sub(names.len());
        let tail = if more > 0 { format!(" and {more} more tables") } else { String::new() };
        format!("writing {} rows of {}{tail}", self.window.rows(), names.join(", "))
    }

    fn forget(&mut self) {
        self.window.clear();
        if self.blocks.len_bytes() > BLOCKS_KEPT_BYTES_MAX {
            self.blocks = Blocks::default();
        }
        self.in_doubt = None;
        self.repeated = false;
    }

    /// A call other than the doubtful flush itself: the host has found that the flush took effect.
    fn settle(&mut self) {
        if self.in_doubt.is_some() {
            self.forget();
        }
    }

    fn note(&mut self, failure: &Failure, barrier: Option<u32>) {
        if matches!(failure, Failure::Unknown { .. }) {
            self.in_doubt = barrier;
            self.repeated = true;
        }
    }
}

impl Sink for MysqlSink {
    fn manifest() -> Manifest {
        Manifest {
            config_schema: Config::SCHEMA.to_owned(),
            capabilities: vec![Capability::required("sql", "writes rows and DDL to a MySQL, MariaDB or TiDB server")],
            // What it reads when it is opened is the server's, and a lane's place is asked of the host.
            attrs: vec![("opens-warm".to_owned(), "true".to_owned())],
            ..Manifest::new("mysql", env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let config = Config::parse(&ctx.config).map_err(|e| Failure::fatal("config", e.to_string()))?;
        let endpoint = config.endpoint.as_ref().or(ctx.endpoints.first()).cloned();
        let endpoint = endpoint
            .ok_or_else(|| Failure::fatal("config", "the mysql sink needs an SQL endpoint and was granted none"))?;
        let connection = Connection::open(&endpoint)
            .map_err(|e| Failure::from(e).context(&format!("connecting to the SQL endpoint {endpoint:?}")))?;
        let packet = (connection.max_statement_bytes() as usize).saturating_sub(PACKET_SLACK_BYTES);
        let limits = Limits {
            rows: config.rows_max(),
            keys: config.keys_max(),
            bytes: packet.min(config.statement_bytes as usize),
        };
        let server = Server::new(connection.dialect(), &connection.server_version());
        let counter = |name| Counter::new(name);
        let counters = Counters {
            rows: counter("mysql_rows"),
            effects: counter("mysql_effects"),
            statements: counter("mysql_statements"),
            transactions: counter("mysql_transactions"),
            redone: counter("mysql_windows_redone"),
        };
        let sink = Self {
            config,
            changefeed: ctx.changefeed,
            connection,
            server,
            limits,
            tables: HashMap::new(),
            window: Window::default(),
            blocks: Blocks::default(),
            in_doubt: None,
            repeated: false,
            counters,
        };
        Ok((sink, None))
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>, _: &[String]) -> Result<TablePlan, Failure> {
        let table = Table::new(&schema, self.server.dialect == Dialect::Mariadb);
        let plan = TablePlan {
            columns: table.wanted.clone(),
            batch_rows: Some(self.config.batch_rows),
            batch_bytes: Some(self.config.batch_bytes),
            ..TablePlan::default()
        };
        self.tables.insert(schema.id, Rc::new(table));
        Ok(plan)
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.tables.remove(&table);
    }

    fn on_ddl(&mut self, event: &DdlEvent) -> Result<(), Failure> {
        self.settle();
        ddl::run(&self.connection, &self.server, event)
    }

    fn write(&mut self, _batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        self.settle();
        // Before the batch is taken: should this fail, nothing of the call took effect.
        if !self.window.is_empty()
            && self.window.bytes() + data.len() as u64 > self.config.buffer_bytes_max()
            && let Err(failure) = self.write_out()
        {
            return Err(self.spill_failure(failure));
        }
        let batch = Batch::parse(data).map_err(|e| Failure::fatal("batch", e.to_string()))?;
        let id = TableRef { table: batch.table(), version: batch.version() };
        let table = self.tables.get(&id).cloned();
        let table = table.ok_or_else(|| Failure::fatal("batch", format!("rows of {id:?} came before its schema")))?;
        check(&batch, &table)?;
        self.window
            .push(&table, &batch)
            .map_err(|e| Failure::fatal("batch", format!("rows of {}: {e}", table.display_name())))?;
        Ok(WriteOutcome { quarantined: Vec::new(), buffered_bytes: self.window.bytes() })
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        if self.in_doubt.is_some_and(|id| id != barrier.id) {
            self.forget();
        }
        match self.write_out() {
            Ok(()) => Ok(Ack::complete(&barrier)),
            Err(failure) => {
                self.note(&failure, Some(barrier.id));
                Err(failure)
            }
        }
    }

    fn on_checkpoint(&mut self, at: Position) -> Result<(), Failure> {
        match self.config.sync_point_retention_s {
            Some(retention_s) if at.stage == sync_point::STAGE => {
                sync_point::mark(&self.connection, &self.changefeed, at.ts, retention_s)
            }
            _ => Ok(()),
        }
    }

    fn close(&mut self) {
        self.window.clear();
    }
}

impl MysqlSink {
    /// Rows written ahead of a barrier move no position, so an open outcome is no reason to ask for one: the window stays
    /// and is written again, repeatably.
    fn spill_failure(&mut self, failure: Failure) -> Failure {
        self.note(&failure, None);
        match failure {
            Failure::Unknown { message, after_ms, attrs } => Failure::Retryable { message, after_ms, attrs },
            other => other,
        }
    }
}

/// What reading rows later relies on.
fn check(batch: &Batch<'_>, table: &Table) -> Result<(), Failure> {
    let same = |i: usize, position: usize| batch.column(i).is_some_and(|c| usize::from(c.position) == position);
    let positions = batch.column_count() == table.columns
        && match &table.wanted {
            None => (0..table.columns).all(|i| same(i, i)),
            Some(wanted) => wanted.iter().enumerate().all(|(i, p)| same(i, *p as usize)),
        };
    if !positions {
        return Err(Failure::fatal("batch", format!("rows of {} lack columns of the plan", table.display_name())));
    }
    if batch.flags() & batch_flags::ABSENT != 0 {
        let absent = batch.iter().any(|row| {
            [row.before(), row.after()].into_iter().flatten().any(|i| (0..i.len()).any(|col| i.is_absent(col)))
        });
        if absent {
            return Err(Failure::unsupported(
                "absent-values",
                format!("rows of {} lack values; the mysql sink needs whole rows", table.display_name()),
            ));
        }
    }
    Ok(())
}
