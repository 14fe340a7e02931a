//! SQL databases that plugins may be granted.

use super::LaneContext;
use futures::future::BoxFuture;
use tg_model::Position;

/// What went wrong, as far as it decides what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SqlErrorKind {
    /// Nothing took effect; try again later.
    Retryable,
    /// The connection broke while the outcome was open.
    Unknown,
    /// Another writer holds the slot.
    Fenced,
    /// Duplicate key.
    Duplicate,
    /// The server refused the statement for good.
    Refused,
    /// Credentials or rights.
    Denied,
}

/// An error of the server or of the way to it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} (errno {errno}, sqlstate {sqlstate:?})")]
pub struct SqlError {
    /// What to do about it.
    pub kind: SqlErrorKind,
    /// The server's number; 0 when it did not come from the server.
    pub errno: u16,
    /// Five characters, or empty.
    pub sqlstate: String,
    /// What happened; without secrets.
    pub message: String,
}

/// What the server is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "product names")]
pub enum Dialect {
    Mysql,
    Mariadb,
    Tidb,
    Other,
}

/// A value of a result.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "plain kinds of values")]
pub enum SqlValue {
    Null,
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// What statements did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExecResult {
    /// Rows affected, over all statements.
    pub affected: u64,
    /// Warnings, over all statements.
    pub warnings: u32,
}

/// Rows of an answer.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ResultSet {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<SqlValue>>,
}

/// Statements of one transaction: statement i is `data[ends[i-1]..ends[i]]`. Ends rise and lie within `data`.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'a> {
    /// The statements, one behind the other.
    pub data: &'a [u8],
    /// Where each ends.
    pub ends: &'a [u32],
}

/// A database that plugins may open.
pub trait SqlEndpoint: Send + Sync {
    /// Opens a connection for a lane. An endpoint that fences takes the slot here and reads the lane's durable position.
    fn connect(&self, lane: LaneContext) -> BoxFuture<'_, Result<Box<dyn SqlConnection>, SqlError>>;
}

/// One connection of one instance. The host never makes two calls at once.
pub trait SqlConnection: Send + Sync {
    /// What the server is.
    fn dialect(&self) -> Dialect;
    /// The server's version as it says it.
    fn server_version(&self) -> String;
    /// Largest statement the server takes.
    fn max_statement_bytes(&self) -> u32;
    /// The lane's durable position when the connection was opened; `None`: the endpoint keeps none, or nothing is written yet.
    fn durable_at_open(&self) -> Option<Position>;
    /// The lane's durable position now.
    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, SqlError>>;
    /// One transaction. A fencing endpoint checks the epoch in it and, with `progress`, moves the lane's position there.
    fn transact<'a>(
        &'a mut self,
        statements: Blocks<'a>,
        progress: Option<Position>,
    ) -> BoxFuture<'a, Result<ExecResult, SqlError>>;
    /// One statement outside a transaction.
    fn execute<'a>(&'a mut self, statement: &'a str) -> BoxFuture<'a, Result<ExecResult, SqlError>>;
    /// Rows of a query; more than `max_rows` is an error.
    fn query<'a>(&'a mut self, statement: &'a str, max_rows: u32) -> BoxFuture<'a, Result<ResultSet, SqlError>>;
}
