//! A host for the native twin: its SQL capability is `tg-postgres` on a real server.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use tg_downstream::{Cell as DbCell, Fault, FaultKind, LaneClaim};
use tg_model::{Position, Stage, Ts};
use tg_plugin_postgres::PostgresSink;
use tg_postgres::{PostgresConnection, PostgresEndpoint, PostgresTarget};
use tg_test_servers::Postgres;
use tidegate_sdk::native::{Host, SqlConnection, scope};
use tidegate_sdk::sql::{Dialect, ErrorKind, ExecResult, ResultSet, SqlError, Value};
use tidegate_sdk::{Barrier, BarrierKind, Context, DdlEvent, Failure, Sink, TableSchema};
use tokio::runtime::Runtime;

struct Shared {
    runtime: Runtime,
    connection: RefCell<PostgresConnection>,
    /// Where the barrier moves the progress row.
    to: Cell<Option<Position>>,
    lose_answer: Cell<bool>,
}

#[derive(Clone)]
struct Granted(Rc<Shared>);

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn error(f: Fault) -> SqlError {
    let kind = match f.kind {
        FaultKind::Retryable => ErrorKind::Retryable,
        FaultKind::Unknown => ErrorKind::Unknown,
        FaultKind::Fenced => ErrorKind::Fenced,
        FaultKind::Duplicate => ErrorKind::Duplicate,
        FaultKind::Refused => ErrorKind::Refused,
        FaultKind::Denied => ErrorKind::Denied,
    };
    SqlError { kind, errno: 0, sqlstate: f.sqlstate.clone(), message: f.to_string() }
}

fn value(cell: DbCell) -> Value {
    match cell {
        DbCell::Null => Value::Null,
        DbCell::Int(n) => Value::Int(n),
        DbCell::Uint(n) => Value::Uint(n),
        DbCell::Float(n) => Value::Float(n),
        DbCell::Text(t) => Value::Text(t),
        DbCell::Bytes(b) => Value::Bytes(b),
    }
}

impl SqlConnection for Granted {
    fn dialect(&self) -> Dialect {
        Dialect::Other
    }
    fn server_version(&self) -> String {
        self.0.connection.borrow().facts().version.clone()
    }
    fn max_statement_bytes(&self) -> u32 {
        self.0.connection.borrow().max_statement_bytes()
    }
    fn transact(&self, data: &[u8], ends: &[u32]) -> Result<ExecResult, SqlError> {
        let mut connection = self.0.connection.borrow_mut();
        let done = self.0.runtime.block_on(connection.transact(data, ends, self.0.to.get())).map_err(error)?;
        if self.0.lose_answer.replace(false) {
            let message = "the answer was lost".to_owned();
            return Err(SqlError { kind: ErrorKind::Unknown, errno: 0, sqlstate: String::new(), message });
        }
        Ok(ExecResult { affected: done.affected, warnings: 0 })
    }
    fn execute(&self, statement: &str) -> Result<ExecResult, SqlError> {
        let done = self.0.runtime.block_on(self.0.connection.borrow_mut().execute(statement)).map_err(error)?;
        Ok(ExecResult { affected: done.affected, warnings: 0 })
    }
    fn query(&self, statement: &str, max_rows: u32) -> Result<ResultSet, SqlError> {
        let mut connection = self.0.connection.borrow_mut();
        let found = self.0.runtime.block_on(connection.query(statement, max_rows)).map_err(error)?;
        let rows = found.rows.into_iter().map(|r| r.into_iter().map(value).collect()).collect();
        Ok(ResultSet { columns: found.columns, rows })
    }
}

impl Host for Granted {
    fn sql_open(&self, _: &str) -> Result<Box<dyn SqlConnection>, SqlError> {
        Ok(Box::new(self.clone()))
    }
    fn counter(&self, _: &str) -> Box<dyn Fn(u64)> {
        Box::new(|_| {})
    }
}

/// A sink with its host and server.
pub(crate) struct Bench {
    sink: PostgresSink,
    granted: Rc<Granted>,
    next: u32,
    _server: Arc<Postgres>,
}

impl Bench {
    /// A sink on the shared server, of a changefeed of this name.
    pub(crate) fn new(name: &str, config: &str) -> Self {
        let server = Postgres::shared().unwrap();
        let runtime = Runtime::new().unwrap();
        let target = PostgresTarget { port: server.port(), ..PostgresTarget::default() };
        let claim = LaneClaim { changefeed: format!("default/{name}"), slot: 0, lane: 0, lanes: 1, epoch: (1, 1) };
        let connection = runtime
            .block_on(async { PostgresEndpoint::connect(target).await.unwrap().open(Some(claim)).await.unwrap() });
        let shared = Shared {
            runtime,
            connection: RefCell::new(connection),
            to: Cell::new(None),
            lose_answer: Cell::new(false),
        };
        let granted = Rc::new(Granted(Rc::new(shared)));
        let context = Context { endpoints: vec!["downstream".into()], config: config.into(), ..Context::default() };
        let (sink, _) = scope(granted.clone(), || PostgresSink::open(context)).unwrap();
        Self { sink, granted, next: 1, _server: server }
    }

    pub(crate) fn run<R>(&mut self, call: impl FnOnce(&mut PostgresSink) -> R) -> R {
        scope(self.granted.clone(), || call(&mut self.sink))
    }

    /// Makes the table as its DDL would, and says so to the sink.
    pub(crate) fn create(&mut self, table: &Arc<TableSchema>, event: &DdlEvent) {
        self.run(|sink| sink.on_ddl(event)).unwrap();
        self.run(|sink| sink.on_schema(Arc::clone(table), &[])).unwrap();
    }

    /// Hands rows over and makes them durable.
    pub(crate) fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        let outcome = self.run(|sink| sink.write(&super::common::NoBatch, data))?;
        assert_eq!(outcome.quarantined, []);
        self.flush(self.next)
    }

    pub(crate) fn flush(&mut self, id: u32) -> Result<(), Failure> {
        let at = tidegate_sdk::Position { ts: id.into(), stage: 1, seq: 0 };
        self.granted.0.to.set(Some(Position { ts: Ts::new(id.into()), stage: Stage::Rows, seq: 0 }));
        let ack = self.run(|sink| sink.flush(Barrier { id, kind: BarrierKind::Checkpoint, at }));
        self.granted.0.to.set(None);
        self.next = id + 1;
        ack.map(|ack| assert!(ack.complete))
    }

    pub(crate) fn sql(&self, statement: &str) {
        self.granted.execute(statement).unwrap();
    }

    /// Rows of a query as text, columns separated by `|`.
    pub(crate) fn rows(&self, query: &str) -> Vec<String> {
        let show = |v: &Value| match v {
            Value::Null => "NULL".to_owned(),
            Value::Int(n) => n.to_string(),
            Value::Text(t) => t.clone(),
            other => format!("{other:?}"),
        };
        let rows = self.granted.query(query, 1000).unwrap().rows;
        rows.iter().map(|r| r.iter().map(show).collect::<Vec<_>>().join("|")).collect()
    }

    /// The next transaction takes effect, but the sink hears that its outcome is open.
    pub(crate) fn lose_answer(&self) {
        self.granted.0.lose_answer.set(true);
    }
}
