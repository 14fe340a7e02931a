//! How a call fails as a whole.

use crate::Attrs;
use std::fmt;

/// How a call failed as a whole; decides what the host does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// Nothing of the call took effect: the host hands the same input over again, later.
    Retryable {
        /// What happened.
        message: String,
        /// Not before this many milliseconds; `None`: the host chooses.
        after_ms: Option<u32>,
        /// For growth.
        attrs: Attrs,
    },
    /// Whether it took effect is not known: the host asks `status` before anything else.
    Unknown {
        /// What happened.
        message: String,
        /// As above.
        after_ms: Option<u32>,
        /// For growth.
        attrs: Attrs,
    },
    /// Another writer has taken over: this instance never writes again.
    Fenced {
        /// What happened.
        message: String,
    },
    /// The changefeed stops in state `failed` and a person looks.
    Fatal {
        /// Short name of the kind of failure, stable for this plugin.
        code: String,
        /// What happened to what.
        message: String,
        /// For growth.
        attrs: Attrs,
    },
    /// This build of the plugin lacks what the input needs.
    Unsupported {
        /// Short name of what is missing.
        code: String,
        /// What is missing for what.
        message: String,
        /// For growth.
        attrs: Attrs,
    },
}

impl Failure {
    /// Nothing took effect; try again when the host sees fit.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::Retryable { message: message.into(), after_ms: None, attrs: Attrs::new() }
    }

    /// The outcome is open.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::Unknown { message: message.into(), after_ms: None, attrs: Attrs::new() }
    }

    /// Another writer holds the slot.
    pub fn fenced(message: impl Into<String>) -> Self {
        Self::Fenced { message: message.into() }
    }

    /// Never again without a person.
    pub fn fatal(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Fatal { code: code.into(), message: message.into(), attrs: Attrs::new() }
    }

    /// Not in this build.
    pub fn unsupported(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Unsupported { code: code.into(), message: message.into(), attrs: Attrs::new() }
    }

    /// Puts what was being done in front of the message.
    #[must_use]
    pub fn context(mut self, doing: &str) -> Self {
        let (Self::Retryable { message, .. }
        | Self::Unknown { message, .. }
        | Self::Fenced { message }
        | Self::Fatal { message, .. }
        | Self::Unsupported { message, .. }) = &mut self;
        *message = format!("{doing}: {message}");
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retryable { message, .. } => write!(f, "retryable: {message}"),
            Self::Unknown { message, .. } => write!(f, "outcome unknown: {message}"),
            Self::Fenced { message } => write!(f, "fenced: {message}"),
            Self::Fatal { code, message, .. } => write!(f, "fatal ({code}): {message}"),
            Self::Unsupported { code, message, .. } => write!(f, "unsupported ({code}): {message}"),
        }
    }
}

impl std::error::Error for Failure {}

/// A batch that cannot be read is the host's mistake or this build's age.
impl From<tgr1::FormatError> for Failure {
    fn from(e: tgr1::FormatError) -> Self {
        Self::fatal("batch", e.to_string())
    }
}
