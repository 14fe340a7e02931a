//! How an endpoint fails, as far as it decides what to do.

/// What to do about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndpointErrorKind {
    /// Nothing took effect; try again later.
    Retryable,
    /// Whether it took effect is not known.
    Unknown,
    /// Another writer has taken over.
    Fenced,
    /// It will not work however often it is tried: refused, denied, too large.
    Fatal,
    /// This endpoint cannot do that.
    Unsupported,
}

/// An error of an endpoint or of the way to it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} ({code})")]
pub struct EndpointError {
    /// What to do about it.
    pub kind: EndpointErrorKind,
    /// Short and stable, for example `not-granted` or `message-too-large`.
    pub code: String,
    /// What happened to what; without secrets.
    pub message: String,
    /// Not before so many milliseconds; `None`: the host chooses.
    pub after_ms: Option<u32>,
}

impl EndpointError {
    /// An error of this kind.
    pub fn new(kind: EndpointErrorKind, code: &str, message: impl Into<String>) -> Self {
        Self { kind, code: code.to_owned(), message: message.into(), after_ms: None }
    }

    /// Nothing took effect; try again later.
    pub fn retryable(code: &str, message: impl Into<String>) -> Self {
        Self::new(EndpointErrorKind::Retryable, code, message)
    }

    /// It will not work however often it is tried.
    pub fn fatal(code: &str, message: impl Into<String>) -> Self {
        Self::new(EndpointErrorKind::Fatal, code, message)
    }

    pub(crate) fn not_granted(what: &str, endpoint: &str) -> Self {
        let message =
            format!("the {what} endpoint {endpoint:?} is not granted to this plugin; grant it in the changefeed");
        Self::fatal("not-granted", message)
    }
}
