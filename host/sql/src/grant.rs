//! Faults and answers as plugins are told them.

use crate::{Cell, Executed, Fault, FaultKind, ResultRows};
use tg_plugin::grant::{ExecResult, ResultSet, SqlError, SqlErrorKind, SqlValue};

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
