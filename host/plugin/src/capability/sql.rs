//! `sql`: connections of the endpoints that the operator granted.

use crate::bindings::api::sql::{self, Host, HostConnection};
use crate::bindings::api::types;
use crate::grant::{Blocks, Dialect, SqlConnection, SqlEndpoint, SqlError, SqlErrorKind, SqlValue};
use crate::state::State;
use wasmtime::component::Resource;

/// Connections an instance may hold at once.
const CONNECTIONS_MAX: usize = 16;

/// Number of a connection in the instance's list.
pub struct ConnectionResource(usize);

fn refused(kind: SqlErrorKind, message: String) -> SqlError {
    SqlError { kind, errno: 0, sqlstate: String::new(), message }
}

impl Host for State {}

impl State {
    fn connection(&mut self, c: &Resource<ConnectionResource>) -> wasmtime::Result<&mut Box<dyn SqlConnection>> {
        let at = self.table.get(c)?.0;
        let found = self.connections.get_mut(at).and_then(Option::as_mut);
        found.ok_or_else(|| wasmtime::format_err!("no such connection"))
    }

    async fn connect(&mut self, granted: &dyn SqlEndpoint) -> Result<usize, SqlError> {
        let free = self.connections.iter().position(Option::is_none).unwrap_or(self.connections.len());
        if free >= CONNECTIONS_MAX {
            return Err(refused(SqlErrorKind::Denied, format!("an instance may hold {CONNECTIONS_MAX} connections")));
        }
        let connection = granted.connect(self.lane.clone()).await?;
        self.found_durable(connection.durable_at_open());
        if free == self.connections.len() {
            self.connections.push(Some(connection));
        } else if let Some(slot) = self.connections.get_mut(free) {
            *slot = Some(connection);
        }
        Ok(free)
    }
}

/// Ends must rise and stay within the data; what lies beyond the last end is cut off.
fn blocks_fit(b: &types::Blocks) -> bool {
    b.ends.is_sorted() && b.ends.last().is_none_or(|end| *end as usize <= b.data.len())
}

impl HostConnection for State {
    async fn open(
        &mut self,
        endpoint: String,
    ) -> wasmtime::Result<Result<Resource<ConnectionResource>, sql::SqlError>> {
        let Some(granted) = self.grants.sql.get(&endpoint).cloned() else {
            let why =
                format!("the SQL endpoint {endpoint:?} is not granted to this plugin; grant it in the changefeed");
            return Ok(Err(refused(SqlErrorKind::Denied, why).into()));
        };
        let started = self.enter()?;
        let opened = self.connect(&*granted).await;
        self.clock.resume(started);
        Ok(match opened {
            Ok(at) => Ok(self.table.push(ConnectionResource(at))?),
            Err(e) => Err(e.into()),
        })
    }

    async fn dialect(&mut self, c: Resource<ConnectionResource>) -> wasmtime::Result<sql::Dialect> {
        Ok(match self.connection(&c)?.dialect() {
            Dialect::Mysql => sql::Dialect::Mysql,
            Dialect::Mariadb => sql::Dialect::Mariadb,
            Dialect::Tidb => sql::Dialect::Tidb,
            Dialect::Other => sql::Dialect::Other,
        })
    }

    async fn server_version(&mut self, c: Resource<ConnectionResource>) -> wasmtime::Result<String> {
        Ok(self.connection(&c)?.server_version())
    }

    async fn max_statement_bytes(&mut self, c: Resource<ConnectionResource>) -> wasmtime::Result<u32> {
        Ok(self.connection(&c)?.max_statement_bytes())
    }

    async fn transact(
        &mut self,
        c: Resource<ConnectionResource>,
        statements: types::Blocks,
    ) -> wasmtime::Result<Result<sql::ExecResult, sql::SqlError>> {
        if !blocks_fit(&statements) {
            let e =
                refused(SqlErrorKind::Refused, "the ends of the statements do not rise or lie outside the data".into());
            return Ok(Err(e.into()));
        }
        let (started, progress) = (self.enter()?, self.progress);
        let blocks = Blocks { data: &statements.data, ends: &statements.ends };
        let done = self.connection(&c)?.transact(blocks, progress).await;
        self.clock.resume(started);
        Ok(done.map(|r| sql::ExecResult { affected: r.affected, warnings: r.warnings }).map_err(Into::into))
    }

    async fn execute(
        &mut self,
        c: Resource<ConnectionResource>,
        statement: String,
    ) -> wasmtime::Result<Result<sql::ExecResult, sql::SqlError>> {
        let started = self.enter()?;
        let done = self.connection(&c)?.execute(&statement).await;
        self.clock.resume(started);
        Ok(done.map(|r| sql::ExecResult { affected: r.affected, warnings: r.warnings }).map_err(Into::into))
    }

    async fn query(
        &mut self,
        c: Resource<ConnectionResource>,
        statement: String,
        max_rows: u32,
    ) -> wasmtime::Result<Result<sql::ResultSet, sql::SqlError>> {
        let started = self.enter()?;
        let done = self.connection(&c)?.query(&statement, max_rows).await;
        self.clock.resume(started);
        let row = |r: Vec<SqlValue>| r.into_iter().map(Into::into).collect();
        Ok(done
            .map(|r| sql::ResultSet { columns: r.columns, rows: r.rows.into_iter().map(row).collect() })
            .map_err(Into::into))
    }

    async fn drop(&mut self, c: Resource<ConnectionResource>) -> wasmtime::Result<()> {
        let at = self.table.delete(c)?.0;
        if let Some(slot) = self.connections.get_mut(at) {
            *slot = None;
        }
        Ok(())
    }
}

impl From<SqlError> for sql::SqlError {
    fn from(e: SqlError) -> Self {
        let kind = match e.kind {
            SqlErrorKind::Retryable => sql::ErrorKind::Retryable,
            SqlErrorKind::Unknown => sql::ErrorKind::Unknown,
            SqlErrorKind::Fenced => sql::ErrorKind::Fenced,
            SqlErrorKind::Duplicate => sql::ErrorKind::Duplicate,
            SqlErrorKind::Refused => sql::ErrorKind::Refused,
            SqlErrorKind::Denied => sql::ErrorKind::Denied,
        };
        Self { kind, errno: e.errno, sqlstate: e.sqlstate, message: e.message }
    }
}

impl From<SqlValue> for sql::Value {
    fn from(v: SqlValue) -> Self {
        match v {
            SqlValue::Null => Self::Null,
            SqlValue::Int(n) => Self::Int(n),
            SqlValue::Uint(n) => Self::Uint(n),
            SqlValue::Float(n) => Self::Float(n),
            SqlValue::Text(s) => Self::Text(s),
            SqlValue::Bytes(b) => Self::Bytes(b),
        }
    }
}
