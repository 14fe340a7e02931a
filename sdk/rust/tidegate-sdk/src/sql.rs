//! SQL databases. Connections, TLS, credentials, timeouts and fencing belong to the host.

pub use crate::blocks::Blocks;

use crate::Failure;
use std::fmt;

#[cfg(target_arch = "wasm32")]
mod raw {
    pub(super) use crate::guest::sink::tidegate::plugin::sql::Connection;
}
#[cfg(not(target_arch = "wasm32"))]
mod raw {
    pub(super) type Connection = Box<dyn crate::native::SqlConnection>;
}

/// What went wrong, as far as it decides what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SqlError {
    /// What to do about it.
    pub kind: ErrorKind,
    /// The server's number; 0 when it did not come from the server.
    pub errno: u16,
    /// Five characters, or empty.
    pub sqlstate: String,
    /// The server's words.
    pub message: String,
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (errno {}, sqlstate {:?})", self.message, self.errno, self.sqlstate)
    }
}

impl std::error::Error for SqlError {}

impl From<SqlError> for Failure {
    fn from(e: SqlError) -> Self {
        let message = e.to_string();
        match e.kind {
            ErrorKind::Retryable => Self::retryable(message),
            ErrorKind::Unknown => Self::unknown(message),
            ErrorKind::Fenced => Self::fenced(message),
            ErrorKind::Duplicate => Self::fatal("sql-duplicate", message),
            ErrorKind::Refused => Self::fatal("sql-refused", message),
            ErrorKind::Denied => Self::fatal("sql-denied", message),
        }
    }
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
pub enum Value {
    Null,
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// What a statement did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExecResult {
    /// Rows affected, over all statements.
    pub affected: u64,
    /// Warnings.
    pub warnings: u32,
}

/// Rows of an answer.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ResultSet {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<Value>>,
}

/// A connection to one endpoint.
pub struct Connection {
    raw: raw::Connection,
}

impl Connection {
    /// Connects to one of [`crate::Context::endpoints`].
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn open(endpoint: &str) -> Result<Self, SqlError> {
        #[cfg(target_arch = "wasm32")]
        {
            Ok(Self { raw: raw::Connection::open(endpoint).map_err(SqlError::from)? })
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            let none = || {
                Err(SqlError {
                    kind: ErrorKind::Denied,
                    errno: 0,
                    sqlstate: String::new(),
                    message: format!("no host grants the SQL endpoint {endpoint:?}"),
                })
            };
            Ok(Self { raw: crate::native::with(|h| h.sql_open(endpoint)).unwrap_or_else(none)? })
        }
    }

    /// What the server is.
    #[must_use]
    #[cfg_attr(not(target_arch = "wasm32"), expect(clippy::useless_conversion, reason = "other types in a component"))]
    pub fn dialect(&self) -> Dialect {
        self.raw.dialect().into()
    }

    /// The server's version as it says it.
    #[must_use]
    pub fn server_version(&self) -> String {
        self.raw.server_version()
    }

    /// Largest statement the server takes.
    #[must_use]
    pub fn max_statement_bytes(&self) -> u32 {
        self.raw.max_statement_bytes()
    }

    /// One transaction: the statements, in as few round trips as the protocol allows. On a fenced endpoint the
    /// lane's progress row goes into the same transaction; inside `flush` it moves to the barrier's position.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn transact(&self, statements: &Blocks) -> Result<ExecResult, SqlError> {
        #[cfg(target_arch = "wasm32")]
        {
            self.raw.transact(&statements.raw).map(Into::into).map_err(Into::into)
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            let (data, ends) = statements.parts();
            self.raw.transact(data, ends)
        }
    }

    /// One statement outside a transaction (DDL, session settings).
    ///
    /// # Errors
    /// [`SqlError`].
    #[cfg_attr(not(target_arch = "wasm32"), expect(clippy::useless_conversion, reason = "other types in a component"))]
    pub fn execute(&self, statement: &str) -> Result<ExecResult, SqlError> {
        self.raw.execute(statement).map(Into::into).map_err(Into::into)
    }

    /// Rows of a query; more than `max_rows` is an error.
    ///
    /// # Errors
    /// [`SqlError`].
    #[cfg_attr(not(target_arch = "wasm32"), expect(clippy::useless_conversion, reason = "other types in a component"))]
    pub fn query(&self, statement: &str, max_rows: u32) -> Result<ResultSet, SqlError> {
        self.raw.query(statement, max_rows).map(Into::into).map_err(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorKind, SqlError};
    use crate::Failure;

    #[test]
    fn an_error_becomes_the_failure_of_its_kind() {
        let failure = |kind| Failure::from(SqlError { kind, errno: 1, sqlstate: "HY000".into(), message: "m".into() });
        assert!(matches!(failure(ErrorKind::Retryable), Failure::Retryable { .. }));
        assert!(matches!(failure(ErrorKind::Unknown), Failure::Unknown { .. }));
        assert!(matches!(failure(ErrorKind::Fenced), Failure::Fenced { .. }));
        for kind in [ErrorKind::Duplicate, ErrorKind::Refused, ErrorKind::Denied] {
            assert!(matches!(failure(kind), Failure::Fatal { .. }), "{kind:?}");
        }
    }
}
