//! A host for the native twin: its SQL capability is `tg-downstream` on a real server.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use tg_downstream::{
    Cell as DbCell, Executed, Fault, FaultKind, Flavor, LaneClaim, MysqlConnection, MysqlEndpoint, MysqlTarget,
};
use tg_model::{Position, Stage, Ts};
use tg_plugin_mysql::MysqlSink;
use tg_testkit::MariaDb;
use tidegate_sdk::native::{Host, SqlConnection, scope};
use tidegate_sdk::sql::{Dialect, ErrorKind, ExecResult, ResultSet, SqlError, Value};
use tidegate_sdk::{Barrier, Context, Failure, Sink};
use tokio::runtime::Runtime;

/// Port on 127.0.0.1 of an empty MySQL or TiDB to test against instead, with user root and no password.
const OTHER_SERVER: &str = "TIDEGATE_TEST_MYSQL_PORT";

struct Shared {
    runtime: Runtime,
    connection: RefCell<MysqlConnection>,
    /// Where the barrier moves the progress row.
    to: Cell<Option<Position>>,
    lose_answer: Cell<bool>,
    counters: RefCell<BTreeMap<String, u64>>,
}

#[derive(Clone)]
struct Grants(Rc<Shared>);

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
    SqlError { kind, errno: f.errno, sqlstate: f.sqlstate.clone(), message: f.to_string() }
}

const fn executed(e: Executed) -> ExecResult {
    ExecResult { affected: e.affected, warnings: e.warnings }
}

impl SqlConnection for Grants {
    fn dialect(&self) -> Dialect {
        match self.0.connection.borrow().flavor() {
            Flavor::Mysql => Dialect::Mysql,
            Flavor::Mariadb => Dialect::Mariadb,
            Flavor::Tidb => Dialect::Tidb,
        }
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
        Ok(executed(done))
    }
    fn execute(&self, statement: &str) -> Result<ExecResult, SqlError> {
        self.0.runtime.block_on(self.0.connection.borrow_mut().execute(statement)).map(executed).map_err(error)
    }
    fn query(&self, statement: &str, max_rows: u32) -> Result<ResultSet, SqlError> {
        let answer =
            self.0.runtime.block_on(self.0.connection.borrow_mut().query(statement, max_rows)).map_err(error)?;
        let value = |c: DbCell| match c {
            DbCell::Null => Value::Null,
            DbCell::Int(n) => Value::Int(n),
            DbCell::Uint(n) => Value::Uint(n),
            DbCell::Float(n) => Value::Float(n),
            DbCell::Text(t) => Value::Text(t),
            DbCell::Bytes(b) => Value::Bytes(b),
        };
        let rows = answer.rows.into_iter().map(|r| r.into_iter().map(value).collect()).collect();
        Ok(ResultSet { columns: answer.columns, rows })
    }
}

impl Host for Grants {
    fn sql_open(&self, _: &str) -> Result<Box<dyn SqlConnection>, SqlError> {
        Ok(Box::new(self.clone()))
    }
    fn counter(&self, name: &str) -> Box<dyn Fn(u64)> {
        let (shared, name) = (Rc::clone(&self.0), name.to_owned());
        Box::new(move |n| *shared.counters.borrow_mut().entry(name.clone()).or_default() += n)
    }
}

/// A sink with its host and server.
pub(crate) struct Bench {
    sink: MysqlSink,
    grants: Rc<Grants>,
    _server: Option<Arc<MariaDb>>,
}

/// A sink on the shared server, whose database `db` is there; `None` when MariaDB is not installed.
pub(crate) fn bench(name: &str) -> Option<Bench> {
    bench_with(name, "")
}

pub(crate) fn bench_with(name: &str, config: &str) -> Option<Bench> {
    let (server, port) = match std::env::var(OTHER_SERVER) {
        Ok(port) => (None, port.parse().unwrap()),
        Err(_) if !MariaDb::is_installed() => {
            println!("passed over: MariaDB is not installed");
            return None;
        }
        Err(_) => {
            let server = MariaDb::shared().unwrap();
            let port = server.port();
            (Some(server), port)
        }
    };
    let runtime = Runtime::new().unwrap();
    let target = MysqlTarget { port, ..MysqlTarget::default() };
    let claim = LaneClaim { changefeed: format!("default/{name}"), slot: 0, lane: 0, lanes: 1, epoch: (1, 1) };
    let connection = runtime.block_on(async {
        let endpoint = MysqlEndpoint::connect(target).await.unwrap();
        let mut connection = endpoint.open(Some(claim)).await.unwrap();
        connection.execute("CREATE DATABASE IF NOT EXISTS db DEFAULT CHARACTER SET utf8mb4").await.unwrap();
        connection
    });
    let shared = Shared {
        runtime,
        connection: RefCell::new(connection),
        to: Cell::new(None),
        lose_answer: Cell::new(false),
        counters: RefCell::default(),
    };
    let grants = Rc::new(Grants(Rc::new(shared)));
    let context = Context { endpoints: vec!["downstream".into()], config: config.into(), ..Context::default() };
    let (sink, position) = scope(grants.clone(), || MysqlSink::open(context)).unwrap();
    assert_eq!(position, None);
    Some(Bench { sink, grants, _server: server })
}

impl Bench {
    pub(crate) fn run<R>(&mut self, call: impl FnOnce(&mut MysqlSink) -> R) -> R {
        scope(self.grants.clone(), || call(&mut self.sink))
    }

    pub(crate) fn flush(&mut self, barrier: Barrier) -> Result<(), Failure> {
        let to = Position { ts: Ts::new(barrier.at.ts), stage: Stage::Rows, seq: 0 };
        self.grants.0.to.set(Some(to));
        let ack = self.run(|sink| sink.flush(barrier));
        self.grants.0.to.set(None);
        let ack = ack?;
        assert!(ack.complete && ack.barrier == barrier.id);
        Ok(())
    }

    pub(crate) fn sql(&self, statement: &str) {
        self.grants.execute(statement).unwrap();
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
        let rows = self.grants.query(query, 1000).unwrap().rows;
        rows.iter().map(|r| r.iter().map(show).collect::<Vec<_>>().join("|")).collect()
    }

    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.grants.0.counters.borrow().get(name).copied().unwrap_or_default()
    }

    pub(crate) fn round_trips(&self) -> u64 {
        self.grants.0.connection.borrow().round_trips()
    }

    /// The next transaction takes effect, but the sink hears that its outcome is open.
    pub(crate) fn lose_answer(&self) {
        self.grants.0.lose_answer.set(true);
    }
}
