//! The life of a window: rows come, leave as one transaction, and are forgotten once it is known that they are there.

use crate::options::Options;
use crate::statements::{Limits, write_statements};
use crate::table::{Table, check};
use crate::window::{Segment, Window};
use hashbrown::HashMap;
use std::rc::Rc;
use tgr1::Batch;
use tidegate_sdk::metrics::Counter;
use tidegate_sdk::sql::{Blocks, Connection, ErrorKind, SqlError};
use tidegate_sdk::{Ack, Barrier, Context, Failure, TablePlan, TableRef, WriteOutcome, log};

/// Statements of an unusually large window are not worth their memory afterwards.
const BLOCKS_KEPT_BYTES_MAX: usize = 2 << 20;

/// What a lane counts. Round trips saved against writing row by row: `rows - transactions`, by far, as a transaction is few round
/// trips; `statements` shows how few.
struct Counters {
    rows: Counter,
    effects: Counter,
    statements: Counter,
    transactions: Counter,
    redone: Counter,
}

impl Counters {
    fn new(plugin: &str) -> Self {
        let counter = |name| Counter::new(&format!("{plugin}_{name}"));
        Self {
            rows: counter("rows"),
            effects: counter("effects"),
            statements: counter("statements"),
            transactions: counter("transactions"),
            redone: counter("windows_redone"),
        }
    }
}

/// Opens the SQL endpoint that is configured, or the first one granted, and tells its name.
///
/// # Errors
/// When there is none, or it cannot be reached.
pub fn connect(plugin: &str, options: &Options, ctx: &Context) -> Result<(Connection, String), Failure> {
    let endpoint = options.endpoint.as_ref().or(ctx.endpoints.first()).cloned();
    let none = || Failure::fatal("config", format!("the {plugin} sink needs an SQL endpoint and was granted none"));
    let endpoint = endpoint.ok_or_else(none)?;
    let connection = Connection::open(&endpoint)
        .map_err(|e| Failure::from(e).context(&format!("connecting to the SQL endpoint {endpoint:?}")))?;
    Ok((connection, endpoint))
}

/// One lane's way to the server.
pub struct Lane<S: Segment> {
    plugin: &'static str,
    connection: Connection,
    options: Options,
    limits: Limits,
    tables: HashMap<TableRef, Rc<S::Table>>,
    window: Window<S>,
    blocks: Blocks,
    /// The barrier whose flush ended with an unknown outcome. The same barrier again means that nothing took effect; any other call,
    /// that all did.
    in_doubt: Option<u32>,
    /// Something of the window may be downstream already.
    repeated: bool,
    counters: Counters,
}

impl<S: Segment> Lane<S> {
    /// Nothing was written yet. Counters begin with the plugin's name.
    #[must_use]
    pub fn new(plugin: &'static str, connection: Connection, options: Options, limits: Limits) -> Self {
        Self {
            plugin,
            connection,
            options,
            limits,
            tables: HashMap::new(),
            window: Window::default(),
            blocks: Blocks::default(),
            in_doubt: None,
            repeated: false,
            counters: Counters::new(plugin),
        }
    }

    /// For what is not rows.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Rows of this version are going to come, as the answer says.
    pub fn learn(&mut self, id: TableRef, table: S::Table) -> TablePlan {
        let plan = TablePlan {
            columns: table.wanted().map(<[u32]>::to_vec),
            batch_rows: Some(self.options.batch_rows),
            batch_bytes: Some(self.options.batch_bytes),
            ..TablePlan::default()
        };
        self.tables.insert(id, Rc::new(table));
        plan
    }

    /// No more rows of this version are going to come.
    pub fn unlearn(&mut self, id: TableRef) {
        self.tables.remove(&id);
    }

    /// Takes the rows of a batch.
    ///
    /// # Errors
    /// Nothing of the batch is taken then.
    pub fn write(&mut self, data: &[u8]) -> Result<WriteOutcome, Failure> {
        self.settle();
        self.make_room(data.len() as u64)?;
        let batch = Batch::parse(data).map_err(|e| Failure::fatal("batch", e.to_string()))?;
        let id = TableRef { table: batch.table(), version: batch.version() };
        let table = self.tables.get(&id);
        let table = table.ok_or_else(|| Failure::fatal("batch", format!("rows of {id:?} came before its schema")))?;
        check(&batch, &**table, self.plugin)?;
        let quarantined = self
            .window
            .push(table, &batch)
            .map_err(|e| Failure::fatal("batch", format!("rows of {}: {e}", table.name())))?;
        Ok(WriteOutcome { quarantined, buffered_bytes: self.window.bytes() })
    }

    /// Makes the window durable.
    ///
    /// # Errors
    /// When the downstream does not take it; the window stays.
    pub fn flush(&mut self, barrier: &Barrier) -> Result<Ack, Failure> {
        if self.in_doubt.is_some_and(|id| id != barrier.id) {
            self.forget();
        }
        self.write_out().map(|()| Ack::complete(barrier)).inspect_err(|failure| {
            if matches!(failure, Failure::Unknown { .. }) {
                (self.in_doubt, self.repeated) = (Some(barrier.id), true);
            }
        })
    }

    /// A call other than the doubtful flush itself: the host has found that the flush took effect.
    pub fn settle(&mut self) {
        if self.in_doubt.is_some() {
            self.forget();
        }
    }

    /// Drops what was not flushed.
    pub fn close(&mut self) {
        self.window.clear();
    }

    /// Makes room before a batch is taken: should this fail, nothing of the call took effect. Rows that leave ahead of a barrier move
    /// no position, so an open outcome is no reason to ask for one: the window stays and is written again, repeatably.
    fn make_room(&mut self, bytes: u64) -> Result<(), Failure> {
        if self.window.is_empty() || self.window.bytes() + bytes <= self.options.buffer_bytes_max() {
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

    /// Writes the window as one transaction and forgets it.
    fn write_out(&mut self) -> Result<(), Failure> {
        if self.window.is_empty() {
            return Ok(());
        }
        let mut safe = self.options.safe_mode || self.repeated;
        while let Err(error) = self.transact(safe)? {
            let again = error.kind == ErrorKind::Duplicate && !safe && self.safe_mode_helps();
            if !again {
                return Err(Failure::from(error).context(&self.window.describe()));
            }
            log::warn(
                "a row or a unique value was there already: the window is written once more in safe mode",
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

    fn safe_mode_helps(&self) -> bool {
        self.window.segments.iter().any(|(table, _)| table.safe_mode_helps())
    }

    fn forget(&mut self) {
        self.window.clear();
        if self.blocks.len_bytes() > BLOCKS_KEPT_BYTES_MAX {
            self.blocks = Blocks::default();
        }
        (self.in_doubt, self.repeated) = (None, false);
    }
}
