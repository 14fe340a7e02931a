//! Running a plugin in-process: what the host would grant comes from a [`Host`] installed for the thread.
//!
//! Without one, log and metrics go nowhere and every SQL endpoint is denied.

use crate::log::Level;
use crate::sql::{Dialect, ExecResult, ResultSet, SqlError};
use std::cell::RefCell;
use std::rc::Rc;

/// What stands behind [`crate::sql::Connection`].
pub trait SqlConnection {
    /// See [`crate::sql::Connection::dialect`].
    fn dialect(&self) -> Dialect;
    /// See [`crate::sql::Connection::server_version`].
    fn server_version(&self) -> String;
    /// See [`crate::sql::Connection::max_statement_bytes`].
    fn max_statement_bytes(&self) -> u32;
    /// See [`crate::sql::Connection::transact`]; statement i is `data[ends[i-1]..ends[i]]`.
    ///
    /// # Errors
    /// [`SqlError`].
    fn transact(&self, data: &[u8], ends: &[u32]) -> Result<ExecResult, SqlError>;
    /// See [`crate::sql::Connection::execute`].
    ///
    /// # Errors
    /// [`SqlError`].
    fn execute(&self, statement: &str) -> Result<ExecResult, SqlError>;
    /// See [`crate::sql::Connection::query`].
    ///
    /// # Errors
    /// [`SqlError`].
    fn query(&self, statement: &str, max_rows: u32) -> Result<ResultSet, SqlError>;
}

/// The capabilities of a plugin that runs in-process.
pub trait Host {
    /// See [`crate::sql::Connection::open`].
    ///
    /// # Errors
    /// [`SqlError`].
    fn sql_open(&self, endpoint: &str) -> Result<Box<dyn SqlConnection>, SqlError>;

    /// See [`crate::log::enabled`].
    fn log_enabled(&self, level: Level) -> bool {
        let _ = level;
        true
    }

    /// See [`crate::log::log`].
    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let _ = (level, message, fields);
    }

    /// What adds to the counter of this name.
    fn counter(&self, name: &str) -> Box<dyn Fn(u64)> {
        let _ = name;
        Box::new(|_| ())
    }

    /// What sets the gauge of this name.
    fn gauge(&self, name: &str) -> Box<dyn Fn(f64)> {
        let _ = name;
        Box::new(|_| ())
    }

    /// See [`crate::session::deadline_ms`].
    fn deadline_ms(&self) -> u32 {
        u32::MAX
    }
}

thread_local! {
    static HOST: RefCell<Option<Rc<dyn Host>>> = const { RefCell::new(None) };
}

/// Runs `call` with `host` as the thread's host; the one before comes back afterwards, also on a panic.
pub fn scope<R>(host: Rc<dyn Host>, call: impl FnOnce() -> R) -> R {
    struct Restore(Option<Rc<dyn Host>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            HOST.set(self.0.take());
        }
    }
    let _restore = Restore(HOST.replace(Some(host)));
    call()
}

/// The thread's host, if there is one.
pub(crate) fn with<R>(f: impl FnOnce(&dyn Host) -> R) -> Option<R> {
    let host = HOST.with_borrow(Clone::clone);
    host.map(|h| f(&*h))
}

#[cfg(test)]
mod tests {
    use super::{Host, SqlConnection, scope};
    use crate::log;
    use crate::metrics::{Counter, Gauge};
    use crate::sql::{Connection, ErrorKind, SqlError};
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Default)]
    struct Notes(Rc<RefCell<Vec<String>>>);

    impl Host for Notes {
        fn sql_open(&self, endpoint: &str) -> Result<Box<dyn SqlConnection>, SqlError> {
            self.0.borrow_mut().push(format!("open {endpoint}"));
            Err(SqlError { kind: ErrorKind::Retryable, errno: 0, sqlstate: String::new(), message: "away".into() })
        }
        fn log(&self, level: log::Level, message: &str, _: &[(&str, &str)]) {
            self.0.borrow_mut().push(format!("{level:?} {message}"));
        }
        fn counter(&self, name: &str) -> Box<dyn Fn(u64)> {
            let (notes, name) = (Rc::clone(&self.0), name.to_owned());
            Box::new(move |n| notes.borrow_mut().push(format!("{name} +{n}")))
        }
    }

    #[test]
    fn a_host_is_there_within_its_scope_only() {
        let notes = Notes::default();
        let lines = Rc::clone(&notes.0);
        let counter = Counter::new("rows");
        scope(Rc::new(notes), || {
            counter.add(3);
            Gauge::new("depth").set(1.0);
            log::warn("look", &[]);
            assert_eq!(Connection::open("db").err().map(|e| e.kind), Some(ErrorKind::Retryable));
        });
        counter.add(4);
        log::warn("nobody listens", &[]);
        assert_eq!(Connection::open("db").err().map(|e| e.kind), Some(ErrorKind::Denied));
        assert_eq!(*lines.borrow(), ["rows +3", "Warn look", "open db"]);
    }

    #[test]
    fn the_scope_ends_with_a_panic_too() {
        let end = std::panic::catch_unwind(|| scope(Rc::new(Notes::default()), || panic!("on purpose")));
        assert!(end.is_err());
        assert!(!log::enabled(log::Level::Error));
    }
}
