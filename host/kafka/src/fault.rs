//! What can be wrong with brokers, topics and messages.

use tg_model::{Code, Coded};
use tg_plugin::grant::{EndpointError, EndpointErrorKind};

/// What to do about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// No broker answers, or not in time; it may pass.
    Away,
    /// A transaction was undone, or its outcome is open; what it held is sent again.
    Undone,
    /// A newer writer has the lane.
    Fenced,
    /// Credentials or rights.
    Denied,
    /// The topic is not there and may not be made.
    NoTopic,
    /// The brokers refuse to make the topic.
    NotMade,
    /// A message is larger than the topic takes.
    TooLarge,
    /// The topic has other partitions than are asked for.
    Partitions,
    /// The client library refuses the settings.
    Settings,
    /// The progress topic cannot be used.
    Progress,
}

/// An error of brokers or of the way to them. Holds no secrets.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{doing}: {reason}")]
pub struct Fault {
    /// What to do about it.
    pub kind: FaultKind,
    /// What was being done to what.
    pub doing: String,
    /// What happened.
    pub reason: String,
}

impl Fault {
    /// A fault.
    pub(crate) fn new(kind: FaultKind, doing: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { kind, doing: doing.into(), reason: reason.into() }
    }
}

impl Coded for Fault {
    fn code(&self) -> Code {
        Code(match self.kind {
            FaultKind::Away => 3201,
            FaultKind::Undone => 3202,
            FaultKind::Fenced => 3203,
            FaultKind::Denied => 3204,
            FaultKind::NoTopic => 3205,
            FaultKind::NotMade => 3206,
            FaultKind::TooLarge => 3207,
            FaultKind::Partitions => 3208,
            FaultKind::Settings => 3209,
            FaultKind::Progress => 3210,
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(self.kind, FaultKind::Away | FaultKind::Undone)
    }
}

impl From<Fault> for EndpointError {
    fn from(fault: Fault) -> Self {
        let kind = match fault.kind {
            FaultKind::Fenced => EndpointErrorKind::Fenced,
            _ if fault.is_retryable() => EndpointErrorKind::Retryable,
            _ => EndpointErrorKind::Fatal,
        };
        let code = fault.code().to_string();
        // The codes of retryable errors reach people only as text.
        Self::new(kind, &code, format!("{code}: {fault}"))
    }
}
