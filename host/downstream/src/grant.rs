//! The endpoint as plugins are granted it.

use crate::{Cell, Executed, Fault, FaultKind, Flavor, LaneClaim, MysqlConnection, MysqlEndpoint, ResultRows};
use futures::future::{BoxFuture, FutureExt};
use tg_model::Position;
use tg_plugin::grant::{
    Blocks, Dialect, ExecResult, LaneContext, ResultSet, SqlConnection, SqlEndpoint, SqlError, SqlErrorKind, SqlValue,
};

impl From<Fault> for SqlError {
    fn from(fault: Fault) -> Self {
        let kind = match fault.kind {
            FaultKind::Retryable => SqlErrorKind::Retryable,
            FaultKind::Unknown => SqlErrorKind::Unknown,
            FaultKind::Fenced => SqlErrorKind::Fenced,
            FaultKind::Duplicate => SqlErrorKind::Duplicate,
            FaultKind::Refused => SqlErrorKind::Refused,
            FaultKind::Denied => SqlErrorKind::Denied,
        };
        let message = format!("{}: {}", fault.doing, fault.message);
        Self { kind, errno: fault.errno, sqlstate: fault.sqlstate, message }
    }
}

impl From<Executed> for ExecResult {
    fn from(e: Executed) -> Self {
        Self { affected: e.affected, warnings: e.warnings }
    }
}

impl From<ResultRows> for ResultSet {
    fn from(result: ResultRows) -> Self {
        let value = |cell| match cell {
            Cell::Null => SqlValue::Null,
            Cell::Int(n) => SqlValue::Int(n),
            Cell::Uint(n) => SqlValue::Uint(n),
            Cell::Float(n) => SqlValue::Float(n),
            Cell::Text(text) => SqlValue::Text(text),
            Cell::Bytes(bytes) => SqlValue::Bytes(bytes),
        };
        let rows = result.rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect();
        Self { columns: result.columns, rows }
    }
}

impl MysqlEndpoint {
    /// `namespace/name`, or `namespace/name#incarnation`.
    fn progress_name(&self, lane: &LaneContext) -> String {
        match self.target().incarnation.as_str() {
            "" => lane.changefeed.to_string(),
            incarnation => format!("{}#{incarnation}", lane.changefeed),
        }
    }
}

impl SqlEndpoint for MysqlEndpoint {
    fn connect(&self, lane: LaneContext) -> BoxFuture<'_, Result<Box<dyn SqlConnection>, SqlError>> {
        let claim = LaneClaim {
            changefeed: self.progress_name(&lane),
            slot: lane.slot.0.into(),
            lane: lane.lane.0.into(),
            lanes: self.target().lanes,
            epoch: lane.epoch,
        };
        async move {
            let connection = self.open(Some(claim)).await?;
            let boxed: Box<dyn SqlConnection> = Box::new(connection);
            Ok(boxed)
        }
        .boxed()
    }
}

impl SqlConnection for MysqlConnection {
    fn dialect(&self) -> Dialect {
        match self.flavor() {
            Flavor::Mysql => Dialect::Mysql,
            Flavor::Mariadb => Dialect::Mariadb,
            Flavor::Tidb => Dialect::Tidb,
        }
    }

    fn server_version(&self) -> String {
        self.facts().version.clone()
    }

    fn max_statement_bytes(&self) -> u32 {
        Self::max_statement_bytes(self)
    }

    fn durable_at_open(&self) -> Option<Position> {
        Self::durable_at_open(self)
    }

    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, SqlError>> {
        async move { Ok(Self::durable(self).await?) }.boxed()
    }

    fn transact<'a>(
        &'a mut self,
        statements: Blocks<'a>,
        progress: Option<Position>,
    ) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        async move { Ok(Self::transact(self, statements.data, statements.ends, progress).await?.into()) }.boxed()
    }

    fn execute<'a>(&'a mut self, statement: &'a str) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        async move { Ok(Self::execute(self, statement).await?.into()) }.boxed()
    }

    fn query<'a>(&'a mut self, statement: &'a str, max_rows: u32) -> BoxFuture<'a, Result<ResultSet, SqlError>> {
        async move { Ok(Self::query(self, statement, max_rows).await?.into()) }.boxed()
    }
}
