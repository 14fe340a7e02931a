//! The sink as the contract sees it.

use crate::config::Config;
use crate::ddl;
use crate::ident::too_long;
use crate::statements::{Limits, write_statements};
use crate::table::{KeyMode, Table};
use crate::window::Window;
use hashbrown::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use tgr1::{Batch, batch_flags};
use tidegate_sdk::metrics::Counter;
use tidegate_sdk::sql::{Blocks, Connection, ErrorKind, SqlError};
use tidegate_sdk::{
    Ack, Barrier, Capability, Context, DdlEvent, Failure, Manifest, Position, RowBatch, Sink, TablePlan, TableRef,
    TableSchema, WriteOutcome, log,
};

/// Statements of an unusually large window are not worth their memory afterwards.
const BLOCKS_KEPT_BYTES_MAX: usize = 2 << 20;
/// What the version of the server begins with.
const PRODUCT: &str = "PostgreSQL";
/// Tables that a message about a window names.
const NAMED_TABLES_MAX: usize = 3;

/// What the sink counts.
struct Counters {
    rows: Counter,
    effects: Counter,
    statements: Counter,
    transactions: Counter,
    redone: Counter,
    refused: Counter,
}

/// The PostgreSQL sink: see the crate's page.
pub struct PostgresSink {
    config: Config,
    connection: Connection,
    limits: Limits,
    tables: HashMap<TableRef, Rc<Table>>,
    window: Window,
    blocks: Blocks,
    /// The barrier whose flush ended with an unknown outcome. The same barrier again means that nothing took effect; any other call,
    /// that all did.
    in_doubt: Option<u32>,
    /// Something of the window may be downstream already.
    repeated: bool,
    counters: Counters,
}

impl PostgresSink {
    /// Writes the window as one transaction and forgets it.
    fn write_out(&mut self) -> Result<(), Failure> {
        if self.window.is_empty() {
            return Ok(());
        }
        let mut safe = self.config.safe_mode || self.repeated;
        while let Err(error) = self.transact(safe)? {
            // Rows that the window does not know hold unique values that it needs: they are those of a time that is written again.
            let again = error.kind == ErrorKind::Duplicate && !safe && self.frees_values();
            if !again {
                return Err(Failure::from(error).context(&self.describe_window()));
            }
            log::warn(
                "a unique value was taken: the window is written once more and frees it",
                &[("error", &error.to_string())],
            );
            self.counters.redone.add(1);
            safe = true;
        }
        self.counters.rows.add(self.window.rows());
        self.forget();
        Ok(())
    }

    /// One transaction.
    fn transact(&mut self, safe: bool) -> Result<Result<(), SqlError>, Failure> {
        self.blocks.clear();
        let written = write_statements(&self.window, safe, self.limits, &mut self.blocks)
            .map_err(|e| Failure::fatal("batch", e.to_string()))?;
        if self.blocks.is_empty() {
            return Ok(Ok(()));
        }
        let done = self.connection.transact(&self.blocks);
        if done.is_ok() {
            self.counters.effects.add(written.effects);
            self.counters.statements.add(written.statements);
            self.counters.transactions.add(1);
        }
        Ok(done.map(|_| ()))
    }

    /// Whether another way to write the window deletes more.
    fn frees_values(&self) -> bool {
        self.window.segments.iter().any(|(table, _)| table.mode == KeyMode::Replace)
    }

    fn describe_window(&self) -> String {
        let tables = &self.window.segments;
        let names: Vec<&str> = tables.iter().take(NAMED_TABLES_MAX).map(|(t, _)| t.display_name()).collect();
        let more = tables.len().saturating_sub(names.len());
        let tail = if more > 0 { format!(" and {more} more tables") } else { String::new() };
        format!("writing {} rows of {}{tail}", self.window.rows(), names.join(", "))
    }

    fn forget(&mut self) {
        self.window.clear();
        if self.blocks.len_bytes() > BLOCKS_KEPT_BYTES_MAX {
            self.blocks = Blocks::default();
        }
        (self.in_doubt, self.repeated) = (None, false);
    }

    /// A call other than the doubtful flush itself: the host has found that the flush took effect.
    fn settle(&mut self) {
        if self.in_doubt.is_some() {
            self.forget();
        }
    }

    /// Makes room before a batch is taken: should this fail, nothing of the call took effect. Rows that leave ahead of a barrier move
    /// no position, so an open outcome is no reason to ask for one: the window stays and is written again.
    fn make_room(&mut self, bytes: u64) -> Result<(), Failure> {
        if self.window.is_empty() || self.window.bytes() + bytes <= self.config.buffer_bytes_max() {
            return Ok(());
        }
        self.write_out().map_err(|failure| match failure {
            Failure::Unknown { message, after_ms, attrs } => {
                self.repeated = true;
                Failure::Retryable { message, after_ms, attrs }
            }
            other => other,
        })
    }
}

impl Sink for PostgresSink {
    fn manifest() -> Manifest {
        Manifest {
            config_schema: Config::SCHEMA.to_owned(),
            capabilities: vec![Capability::required("sql", "writes rows and DDL to a PostgreSQL server")],
            // What it reads when it is opened is the server's, and a lane's place is asked of the host.
            attrs: vec![("opens-warm".to_owned(), "true".to_owned())],
            ..Manifest::new("postgres", env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let config = Config::parse(&ctx.config).map_err(|e| Failure::fatal("config", e.to_string()))?;
        let endpoint = config.endpoint.as_ref().or(ctx.endpoints.first()).cloned();
        let endpoint = endpoint
            .ok_or_else(|| Failure::fatal("config", "the postgres sink needs an SQL endpoint and was granted none"))?;
        let connection = Connection::open(&endpoint)
            .map_err(|e| Failure::from(e).context(&format!("connecting to the SQL endpoint {endpoint:?}")))?;
        let version = connection.server_version();
        if !version.starts_with(PRODUCT) {
            let found = format!("the SQL endpoint {endpoint:?} is no {PRODUCT} but {version:?}");
            return Err(Failure::fatal("config", found));
        }
        let bytes = (connection.max_statement_bytes().min(config.statement_bytes)) as usize;
        let limits = Limits { rows: config.rows_max(), bytes };
        let counters = Counters {
            rows: Counter::new("postgres_rows"),
            effects: Counter::new("postgres_effects"),
            statements: Counter::new("postgres_statements"),
            transactions: Counter::new("postgres_transactions"),
            redone: Counter::new("postgres_windows_redone"),
            refused: Counter::new("postgres_rows_refused"),
        };
        let sink = Self {
            config,
            connection,
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
        if let Some(name) = too_long(&schema) {
            return Err(name_failure(&schema, name));
        }
        self.tables.insert(schema.id, Rc::new(Table::new(&schema, &self.config)));
        Ok(TablePlan {
            batch_rows: Some(self.config.batch_rows),
            batch_bytes: Some(self.config.batch_bytes),
            ..TablePlan::default()
        })
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.tables.remove(&table);
    }

    fn on_ddl(&mut self, event: &DdlEvent) -> Result<(), Failure> {
        self.settle();
        ddl::run(&self.connection, &self.config, event)
    }

    fn write(&mut self, _batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        self.settle();
        self.make_room(data.len() as u64)?;
        let batch = Batch::parse(data).map_err(|e| Failure::fatal("batch", e.to_string()))?;
        let id = TableRef { table: batch.table(), version: batch.version() };
        let table = self.tables.get(&id).cloned();
        let table = table.ok_or_else(|| Failure::fatal("batch", format!("rows of {id:?} came before its schema")))?;
        check(&batch, &table)?;
        let quarantined = self
            .window
            .push(&table, &batch, self.config.zero_dates)
            .map_err(|e| Failure::fatal("batch", format!("rows of {}: {e}", table.display_name())))?;
        self.counters.refused.add(quarantined.len() as u64);
        Ok(WriteOutcome { quarantined, buffered_bytes: self.window.bytes() })
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        if self.in_doubt.is_some_and(|id| id != barrier.id) {
            self.forget();
        }
        self.write_out().map(|()| Ack::complete(&barrier)).inspect_err(|failure| {
            if matches!(failure, Failure::Unknown { .. }) {
                (self.in_doubt, self.repeated) = (Some(barrier.id), true);
            }
        })
    }

    fn close(&mut self) {
        self.window.clear();
    }
}

/// A name that the server would cut.
pub(crate) fn name_failure(schema: &TableSchema, name: &str) -> Failure {
    let longest = crate::ident::NAME_BYTES_MAX;
    let table = format!("{}.{}", schema.database, schema.name);
    Failure::unsupported("name-too-long", format!("{table}: the name {name:?} has more than {longest} bytes"))
}

/// What reading rows later relies on.
fn check(batch: &Batch<'_>, table: &Table) -> Result<(), Failure> {
    let fits = batch.column_count() == table.columns.len()
        && batch.columns().enumerate().all(|(i, c)| usize::from(c.position) == i);
    if !fits {
        return Err(Failure::fatal("batch", format!("rows of {} lack columns of the plan", table.display_name())));
    }
    let absent = batch.flags() & batch_flags::ABSENT != 0
        && batch.iter().any(|row| {
            [row.before(), row.after()].into_iter().flatten().any(|i| (0..i.len()).any(|col| i.is_absent(col)))
        });
    if absent {
        let message = format!("rows of {} lack values; the postgres sink needs whole rows", table.display_name());
        return Err(Failure::unsupported("absent-values", message));
    }
    Ok(())
}
