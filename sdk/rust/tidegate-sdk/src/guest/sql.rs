//! SQL values from the bindings to the SDK.

use super::sink::tidegate::plugin::sql as raw;
use crate::sql::{Dialect, ErrorKind, ExecResult, ResultSet, SqlError, Value};

impl From<raw::SqlError> for SqlError {
    fn from(e: raw::SqlError) -> Self {
        let kind = match e.kind {
            raw::ErrorKind::Retryable => ErrorKind::Retryable,
            raw::ErrorKind::Unknown => ErrorKind::Unknown,
            raw::ErrorKind::Fenced => ErrorKind::Fenced,
            raw::ErrorKind::Duplicate => ErrorKind::Duplicate,
            raw::ErrorKind::Refused => ErrorKind::Refused,
            raw::ErrorKind::Denied => ErrorKind::Denied,
        };
        Self { kind, errno: e.errno, sqlstate: e.sqlstate, message: e.message }
    }
}

impl From<raw::Dialect> for Dialect {
    fn from(d: raw::Dialect) -> Self {
        match d {
            raw::Dialect::Mysql => Self::Mysql,
            raw::Dialect::Mariadb => Self::Mariadb,
            raw::Dialect::Tidb => Self::Tidb,
            raw::Dialect::Other => Self::Other,
        }
    }
}

impl From<raw::ExecResult> for ExecResult {
    fn from(r: raw::ExecResult) -> Self {
        Self { affected: r.affected, warnings: r.warnings }
    }
}

impl From<raw::ResultSet> for ResultSet {
    fn from(r: raw::ResultSet) -> Self {
        let row = |row: Vec<raw::Value>| row.into_iter().map(Into::into).collect();
        Self { columns: r.columns, rows: r.rows.into_iter().map(row).collect() }
    }
}

impl From<raw::Value> for Value {
    fn from(v: raw::Value) -> Self {
        match v {
            raw::Value::Null => Self::Null,
            raw::Value::Int(n) => Self::Int(n),
            raw::Value::Uint(n) => Self::Uint(n),
            raw::Value::Float(n) => Self::Float(n),
            raw::Value::Text(s) => Self::Text(s),
            raw::Value::Bytes(b) => Self::Bytes(b),
        }
    }
}
