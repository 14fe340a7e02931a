//! From the driver's errors to faults.

use crate::sqlstate::{kind_of, leaves_open};
use std::error::Error as _;
use tg_sql::{Fault, FaultKind, Phase};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity};

/// What the driver says of its own, and the server has no part in; the kind of an error is not told in any other way.
const REFUSED_BY_DRIVER: &[&str] = &["error performing TLS handshake", "authentication error", "invalid configuration"];
/// A statement that cannot be put into a message.
const NOT_ENCODED: &str = "error encoding message to server";

/// Whether the session goes on after the error.
pub(crate) fn session_lives(error: &Error) -> bool {
    error.as_db_error().is_some_and(|e| !ends_session(e))
}

fn ends_session(error: &DbError) -> bool {
    matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

/// A fault from an error of the driver.
pub(crate) fn fault(error: &Error, phase: Phase, doing: &str) -> Fault {
    let Some(said) = error.as_db_error() else {
        return by_driver(error, phase, doing);
    };
    let state = said.code().code();
    let open = phase == Phase::Open && leaves_open(state, ends_session(said));
    let kind = if open { FaultKind::Unknown } else { kind_of(state) };
    let detail = said.detail().map_or_else(String::new, |d| format!(" ({d})"));
    let message = format!("{}{detail} (SQLSTATE {state})", said.message());
    Fault { kind, errno: 0, sqlstate: state.to_owned(), doing: doing.to_owned(), message }
}

fn by_driver(error: &Error, phase: Phase, doing: &str) -> Fault {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !message.contains(&said) {
            message = format!("{message}: {said}");
        }
        source = cause.source();
    }
    let kind = if phase == Phase::Undone && REFUSED_BY_DRIVER.iter().any(|start| message.starts_with(start)) {
        FaultKind::Denied
    } else if message.starts_with(NOT_ENCODED) {
        // It never left.
        FaultKind::Refused
    } else {
        phase.lost()
    };
    Fault::own(kind, doing, message)
}
