//! A host for the native twin of a sink: what it grants is a connection of the real host's, to a real server.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses some of it")]

use std::any::Any;
use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use tg_model::{Position, Stage, Ts};
use tg_plugin::grant;
use tidegate_sdk::native::{Host, SqlConnection, scope};
use tidegate_sdk::sql::{Dialect, ErrorKind, ExecResult, ResultSet, SqlError, Value};
use tidegate_sdk::{Barrier, Context, Failure, Sink};
use tokio::runtime::Runtime;

struct Shared<C> {
    runtime: Runtime,
    connection: RefCell<C>,
    /// Where the barrier moves the progress row.
    to: Cell<Option<Position>>,
    lose_answer: Cell<bool>,
    counters: RefCell<BTreeMap<String, u64>>,
}

/// What the sink is granted.
struct Granted<C>(Rc<Shared<C>>);

impl<C> Clone for Granted<C> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

fn error(e: grant::SqlError) -> SqlError {
    let kind = match e.kind {
        grant::SqlErrorKind::Retryable => ErrorKind::Retryable,
        grant::SqlErrorKind::Unknown => ErrorKind::Unknown,
        grant::SqlErrorKind::Fenced => ErrorKind::Fenced,
        grant::SqlErrorKind::Duplicate => ErrorKind::Duplicate,
        grant::SqlErrorKind::Refused => ErrorKind::Refused,
        grant::SqlErrorKind::Denied => ErrorKind::Denied,
    };
    SqlError { kind, errno: e.errno, sqlstate: e.sqlstate, message: e.message }
}

fn executed(e: grant::ExecResult) -> ExecResult {
    ExecResult { affected: e.affected, warnings: e.warnings }
}

fn value(value: grant::SqlValue) -> Value {
    match value {
        grant::SqlValue::Null => Value::Null,
        grant::SqlValue::Int(n) => Value::Int(n),
        grant::SqlValue::Uint(n) => Value::Uint(n),
        grant::SqlValue::Float(n) => Value::Float(n),
        grant::SqlValue::Text(t) => Value::Text(t),
        grant::SqlValue::Bytes(b) => Value::Bytes(b),
    }
}

impl<C: grant::SqlConnection + 'static> SqlConnection for Granted<C> {
    fn dialect(&self) -> Dialect {
        match self.0.connection.borrow().dialect() {
            grant::Dialect::Mysql => Dialect::Mysql,
            grant::Dialect::Mariadb => Dialect::Mariadb,
            grant::Dialect::Tidb => Dialect::Tidb,
            grant::Dialect::Other => Dialect::Other,
        }
    }

    fn server_version(&self) -> String {
        self.0.connection.borrow().server_version()
    }

    fn max_statement_bytes(&self) -> u32 {
        self.0.connection.borrow().max_statement_bytes()
    }

    fn transact(&self, data: &[u8], ends: &[u32]) -> Result<ExecResult, SqlError> {
        let mut connection = self.0.connection.borrow_mut();
        let transact = connection.transact(grant::Blocks { data, ends }, self.0.to.get());
        let done = self.0.runtime.block_on(transact).map_err(error)?;
        if self.0.lose_answer.replace(false) {
            let message = "the answer was lost".to_owned();
            return Err(SqlError { kind: ErrorKind::Unknown, errno: 0, sqlstate: String::new(), message });
        }
        Ok(executed(done))
    }

    fn execute(&self, statement: &str) -> Result<ExecResult, SqlError> {
        let mut connection = self.0.connection.borrow_mut();
        self.0.runtime.block_on(connection.execute(statement)).map(executed).map_err(error)
    }

    fn query(&self, statement: &str, max_rows: u32) -> Result<ResultSet, SqlError> {
        let mut connection = self.0.connection.borrow_mut();
        let found = self.0.runtime.block_on(connection.query(statement, max_rows)).map_err(error)?;
        let rows = found.rows.into_iter().map(|r| r.into_iter().map(value).collect()).collect();
        Ok(ResultSet { columns: found.columns, rows })
    }
}

impl<C: grant::SqlConnection + 'static> Host for Granted<C> {
    fn sql_open(&self, _: &str) -> Result<Box<dyn SqlConnection>, SqlError> {
        Ok(Box::new(self.clone()))
    }

    fn counter(&self, name: &str) -> Box<dyn Fn(u64)> {
        let (shared, name) = (Rc::clone(&self.0), name.to_owned());
        Box::new(move |n| *shared.counters.borrow_mut().entry(name.clone()).or_default() += n)
    }
}

/// A sink with its host and server.
pub(crate) struct Bench<S, C> {
    sink: S,
    granted: Rc<Granted<C>>,
    _server: Box<dyn Any>,
}

impl<S: Sink, C: grant::SqlConnection + 'static> Bench<S, C> {
    /// A sink on this connection, which lives in this runtime and whose server is there for as long as `server` is.
    pub(crate) fn new(runtime: Runtime, connection: C, config: &str, server: impl Any) -> Self {
        let shared = Shared {
            runtime,
            connection: RefCell::new(connection),
            to: Cell::new(None),
            lose_answer: Cell::new(false),
            counters: RefCell::default(),
        };
        let granted = Rc::new(Granted(Rc::new(shared)));
        let context = Context { endpoints: vec!["downstream".into()], config: config.into(), ..Context::default() };
        let (sink, position) = scope(granted.clone(), || S::open(context)).unwrap();
        assert_eq!(position, None);
        Self { sink, granted, _server: Box::new(server) }
    }

    pub(crate) fn run<R>(&mut self, call: impl FnOnce(&mut S) -> R) -> R {
        scope(self.granted.clone(), || call(&mut self.sink))
    }

    pub(crate) fn flush(&mut self, barrier: Barrier) -> Result<(), Failure> {
        let to = Position { ts: Ts::new(barrier.at.ts), stage: Stage::Rows, seq: 0 };
        self.granted.0.to.set(Some(to));
        let ack = self.run(|sink| sink.flush(barrier));
        self.granted.0.to.set(None);
        let ack = ack?;
        assert!(ack.complete && ack.barrier == barrier.id);
        Ok(())
    }

    pub(crate) fn sql(&self, statement: &str) {
        self.granted.execute(statement).unwrap();
    }

    /// Rows of a query as text, columns separated by `|`.
    pub(crate) fn rows(&self, query: &str) -> Vec<String> {
        let show = |v: &Value| match v {
            Value::Null => "NULL".to_owned(),
            Value::Int(n) => n.to_string(),
            Value::Uint(n) => n.to_string(),
            Value::Float(n) if n.abs() > 1e15 => format!("{n:e}"),
            Value::Float(n) => n.to_string(),
            Value::Text(t) => t.clone(),
            Value::Bytes(b) => String::from_utf8_lossy(b).into_owned(),
        };
        let rows = self.granted.query(query, 1000).unwrap().rows;
        rows.iter().map(|r| r.iter().map(show).collect::<Vec<_>>().join("|")).collect()
    }

    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.granted.0.counters.borrow().get(name).copied().unwrap_or_default()
    }

    pub(crate) fn connection(&self) -> Ref<'_, C> {
        self.granted.0.connection.borrow()
    }

    /// The next transaction takes effect, but the sink hears that its outcome is open.
    pub(crate) fn lose_answer(&self) {
        self.granted.0.lose_answer.set(true);
    }
}
