//! The capabilities of a native plugin.

use crate::PluginMetrics;
use crate::grant::{Blocks, Dialect, Grants, LaneContext, SqlConnection, SqlError, SqlErrorKind, SqlValue};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Instant;
use tg_model::Position;
use tidegate_sdk::log::Level;
use tidegate_sdk::{native, sql};
use tokio::runtime::Handle;

/// A connection that the port and the plugin share. Never locked by both at once, as calls come one at a time.
type Connection = tokio::sync::Mutex<Box<dyn SqlConnection>>;

/// What a port and the plugin behind it share.
pub(super) struct Shared {
    pub(super) plugin: Arc<str>,
    pub(super) metrics: Arc<PluginMetrics>,
    lane: LaneContext,
    grants: Grants,
    /// Where capability calls are waited for; `None`: the plugin runs on a thread that must not wait.
    runtime: Option<Handle>,
    connections: Mutex<Vec<Weak<Connection>>>,
    pub(super) durable_at_open: Mutex<Option<Position>>,
    /// Inside `flush`: the barrier's position.
    pub(super) progress: Mutex<Option<Position>>,
    waited_ns: AtomicU64,
}

impl Shared {
    pub(super) fn new(plugin: &str, lane: LaneContext, grants: Grants, runtime: Option<Handle>) -> Arc<Self> {
        Arc::new(Self {
            plugin: plugin.into(),
            metrics: Arc::default(),
            lane,
            grants,
            runtime,
            connections: Mutex::default(),
            durable_at_open: Mutex::default(),
            progress: Mutex::default(),
            waited_ns: AtomicU64::new(0),
        })
    }

    /// Nanoseconds spent in capability calls since the last question.
    pub(super) fn take_waited_ns(&self) -> u64 {
        self.waited_ns.swap(0, Relaxed)
    }

    /// The connections that the plugin still holds.
    pub(super) fn live(&self) -> Vec<Arc<Connection>> {
        let mut all = self.connections.lock();
        all.retain(|c| c.strong_count() > 0);
        all.iter().filter_map(Weak::upgrade).collect()
    }

    fn wait<T>(&self, call: impl Future<Output = Result<T, SqlError>>) -> Result<T, SqlError> {
        let Some(runtime) = &self.runtime else {
            return Err(denied("a plugin that runs in place has no SQL endpoints".to_owned()));
        };
        let started = Instant::now();
        let answer = runtime.block_on(call);
        self.waited_ns.fetch_add(started.elapsed().as_nanos() as u64, Relaxed);
        answer
    }
}

fn denied(message: String) -> SqlError {
    SqlError { kind: SqlErrorKind::Denied, errno: 0, sqlstate: String::new(), message }
}

/// The host of one call.
pub(super) struct CallHost(pub(super) Arc<Shared>);

impl native::Host for CallHost {
    fn sql_open(&self, endpoint: &str) -> Result<Box<dyn native::SqlConnection>, sql::SqlError> {
        let shared = &self.0;
        let granted = shared.grants.sql.get(endpoint);
        let granted = granted.ok_or_else(|| denied(format!("the SQL endpoint {endpoint:?} is not granted")));
        let opened = granted.and_then(|e| shared.wait(e.connect(shared.lane.clone()))).map_err(sdk_error)?;
        if let Some(at) = opened.durable_at_open() {
            let mut least = shared.durable_at_open.lock();
            *least = Some(least.map_or(at, |before| before.min(at)));
        }
        let raw = Arc::new(Connection::new(opened));
        shared.connections.lock().push(Arc::downgrade(&raw));
        Ok(Box::new(Connected { shared: Arc::clone(shared), raw }))
    }

    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let plugin = &*self.0.plugin;
        match level {
            Level::Trace => tracing::trace!(target: "tidegate::guest", plugin, ?fields, "{message}"),
            Level::Debug => tracing::debug!(target: "tidegate::guest", plugin, ?fields, "{message}"),
            Level::Info => tracing::info!(target: "tidegate::guest", plugin, ?fields, "{message}"),
            Level::Warn => tracing::warn!(target: "tidegate::guest", plugin, ?fields, "{message}"),
            Level::Error => tracing::error!(target: "tidegate::guest", plugin, ?fields, "{message}"),
        }
    }

    fn counter(&self, name: &str) -> Box<dyn Fn(u64)> {
        let cell = self.0.metrics.counter(name);
        Box::new(move |n| {
            cell.fetch_add(n, Relaxed);
        })
    }

    fn gauge(&self, name: &str) -> Box<dyn Fn(f64)> {
        let cell = self.0.metrics.gauge(name);
        Box::new(move |v| cell.store(v.to_bits(), Relaxed))
    }
}

struct Connected {
    shared: Arc<Shared>,
    raw: Arc<Connection>,
}

impl Connected {
    /// A look at the connection; outside calls nobody else holds it.
    fn look<T>(&self, look: impl FnOnce(&dyn SqlConnection) -> T, otherwise: T) -> T {
        self.raw.try_lock().map_or(otherwise, |c| look(&**c))
    }
}

impl native::SqlConnection for Connected {
    fn dialect(&self) -> sql::Dialect {
        match self.look(|c| c.dialect(), Dialect::Other) {
            Dialect::Mysql => sql::Dialect::Mysql,
            Dialect::Mariadb => sql::Dialect::Mariadb,
            Dialect::Tidb => sql::Dialect::Tidb,
            Dialect::Other => sql::Dialect::Other,
        }
    }

    fn server_version(&self) -> String {
        self.look(|c| c.server_version(), String::new())
    }

    fn max_statement_bytes(&self) -> u32 {
        self.look(|c| c.max_statement_bytes(), 0)
    }

    fn transact(&self, data: &[u8], ends: &[u32]) -> Result<sql::ExecResult, sql::SqlError> {
        let progress = *self.shared.progress.lock();
        let done = self.shared.wait(async { self.raw.lock().await.transact(Blocks { data, ends }, progress).await });
        done.map(|r| sql::ExecResult { affected: r.affected, warnings: r.warnings }).map_err(sdk_error)
    }

    fn execute(&self, statement: &str) -> Result<sql::ExecResult, sql::SqlError> {
        let done = self.shared.wait(async { self.raw.lock().await.execute(statement).await });
        done.map(|r| sql::ExecResult { affected: r.affected, warnings: r.warnings }).map_err(sdk_error)
    }

    fn query(&self, statement: &str, max_rows: u32) -> Result<sql::ResultSet, sql::SqlError> {
        let done = self.shared.wait(async { self.raw.lock().await.query(statement, max_rows).await });
        let row = |r: Vec<SqlValue>| r.into_iter().map(sdk_value).collect();
        done.map(|r| sql::ResultSet { columns: r.columns, rows: r.rows.into_iter().map(row).collect() })
            .map_err(sdk_error)
    }
}

fn sdk_value(v: SqlValue) -> sql::Value {
    match v {
        SqlValue::Null => sql::Value::Null,
        SqlValue::Int(n) => sql::Value::Int(n),
        SqlValue::Uint(n) => sql::Value::Uint(n),
        SqlValue::Float(n) => sql::Value::Float(n),
        SqlValue::Text(s) => sql::Value::Text(s),
        SqlValue::Bytes(b) => sql::Value::Bytes(b),
    }
}

fn sdk_error(e: SqlError) -> sql::SqlError {
    let kind = match e.kind {
        SqlErrorKind::Retryable => sql::ErrorKind::Retryable,
        SqlErrorKind::Unknown => sql::ErrorKind::Unknown,
        SqlErrorKind::Fenced => sql::ErrorKind::Fenced,
        SqlErrorKind::Duplicate => sql::ErrorKind::Duplicate,
        SqlErrorKind::Refused => sql::ErrorKind::Refused,
        SqlErrorKind::Denied => sql::ErrorKind::Denied,
    };
    sql::SqlError { kind, errno: e.errno, sqlstate: e.sqlstate, message: e.message }
}
