//! Running a plugin in-process: what the host would grant comes from a [`Host`] installed for the thread.
//!
//! Without one, log and metrics go nowhere and every endpoint and secret is denied.

mod endpoints;

pub use endpoints::{Bucket, Producer, SqlConnection, Upload};

use crate::Failure;
use crate::http::{self, HttpError};
use crate::log::Level;
use crate::sql::{ErrorKind, SqlError};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Instant;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds since the clock was first asked.
pub(crate) fn since_start_ns() -> u64 {
    STARTED.elapsed().as_nanos() as u64
}

/// The failure of an endpoint that is not granted.
#[must_use]
pub fn not_granted(what: &str, endpoint: &str) -> Failure {
    Failure::fatal("not-granted", format!("the {what} endpoint {endpoint:?} is not granted"))
}

/// The capabilities of a plugin that runs in-process.
pub trait Host {
    /// See [`crate::sql::Connection::open`].
    ///
    /// # Errors
    /// [`SqlError`].
    fn sql_open(&self, endpoint: &str) -> Result<Box<dyn SqlConnection>, SqlError> {
        let message = format!("the SQL endpoint {endpoint:?} is not granted");
        Err(SqlError { kind: ErrorKind::Denied, errno: 0, sqlstate: String::new(), message })
    }

    /// See [`crate::producer::Producer::open`].
    ///
    /// # Errors
    /// [`Failure`].
    fn producer_open(&self, endpoint: &str) -> Result<Box<dyn Producer>, Failure> {
        Err(not_granted("producer", endpoint))
    }

    /// See [`crate::object_store::Bucket::open`].
    ///
    /// # Errors
    /// [`Failure`].
    fn object_store_open(&self, endpoint: &str) -> Result<Box<dyn Bucket>, Failure> {
        Err(not_granted("object-store", endpoint))
    }

    /// See [`crate::http::send`].
    ///
    /// # Errors
    /// [`HttpError`].
    fn http_send(&self, request: &http::Request) -> Result<http::Response, HttpError> {
        Err(HttpError::Refused(format!("the HTTP endpoint {:?} is not granted", request.endpoint)))
    }

    /// See [`crate::state::get`].
    fn state_get(&self, key: &str) -> Option<Vec<u8>> {
        let _ = key;
        None
    }

    /// See [`crate::state::set`].
    ///
    /// # Errors
    /// When the map would grow beyond its limit.
    fn state_set(&self, key: &str, value: &[u8]) -> Result<(), String> {
        let _ = (key, value);
        Err("this host keeps no state".to_owned())
    }

    /// See [`crate::state::delete`].
    fn state_delete(&self, key: &str) {
        let _ = key;
    }

    /// See [`crate::state::keys`].
    fn state_keys(&self, prefix: &str, limit: u32) -> Vec<String> {
        let _ = (prefix, limit);
        Vec::new()
    }

    /// See [`crate::secret::get`].
    ///
    /// # Errors
    /// When it is not granted.
    fn secret(&self, name: &str) -> Result<String, String> {
        Err(format!("the secret {name:?} is not granted"))
    }

    /// See [`crate::clock::wall_ms`].
    fn wall_ms(&self) -> u64 {
        std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_millis() as u64)
    }

    /// See [`crate::clock::monotonic_ns`].
    fn monotonic_ns(&self) -> u64 {
        since_start_ns()
    }

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

    /// What counts for the histogram of this name.
    fn histogram(&self, name: &str) -> Box<dyn Fn(f64)> {
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
