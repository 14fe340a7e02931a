//! The host's log. Rate-limited by the host.

/// How much a message matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "the usual five")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Whether a message of this level is kept; ask before building a dear one.
#[must_use]
pub fn enabled(level: Level) -> bool {
    #[cfg(target_arch = "wasm32")]
    {
        crate::guest::base::tidegate::plugin::log::enabled(level.into())
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::native::with(|h| h.log_enabled(level)).unwrap_or(false)
    }
}

/// Logs a message with fields.
pub fn log(level: Level, message: &str, fields: &[(&str, &str)]) {
    #[cfg(target_arch = "wasm32")]
    {
        let fields: Vec<(String, String)> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        crate::guest::base::tidegate::plugin::log::log(level.into(), message, &fields);
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::native::with(|h| h.log(level, message, fields));
    }
}

/// Logs at [`Level::Debug`].
pub fn debug(message: &str, fields: &[(&str, &str)]) {
    log(Level::Debug, message, fields);
}

/// Logs at [`Level::Info`].
pub fn info(message: &str, fields: &[(&str, &str)]) {
    log(Level::Info, message, fields);
}

/// Logs at [`Level::Warn`].
pub fn warn(message: &str, fields: &[(&str, &str)]) {
    log(Level::Warn, message, fields);
}

/// Logs at [`Level::Error`].
pub fn error(message: &str, fields: &[(&str, &str)]) {
    log(Level::Error, message, fields);
}
