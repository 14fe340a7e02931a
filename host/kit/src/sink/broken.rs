//! How a run ends that does not go through.

use crate::KitError;
use crate::corpus::BatchError;
use tg_model::Coded;
use tg_plugin::{CallError, CallFault};

/// See the module.
#[derive(Debug)]
pub(crate) enum Broken {
    /// A call failed that had to succeed.
    Call { doing: String, error: CallError },
    /// The plugin said what cannot be.
    Claim { expected: String, happened: String },
    /// The kit itself could not go on.
    Kit(String),
}

impl Broken {
    pub(crate) fn call(doing: impl Into<String>, error: CallError) -> Self {
        Self::Call { doing: doing.into(), error }
    }

    /// Whether the plugin said that a newer instance has taken over.
    pub(crate) const fn is_fenced(&self) -> bool {
        matches!(self, Self::Call { error: CallError { fault: CallFault::Fenced { .. }, .. }, .. })
    }

    /// What was expected and what happened.
    pub(crate) fn told(&self) -> (String, String) {
        match self {
            Self::Call { doing, error } => (format!("{doing} succeeds"), format!("{}: {error}", error.code())),
            Self::Claim { expected, happened } => (expected.clone(), happened.clone()),
            Self::Kit(reason) => ("the kit can make its rows".to_owned(), reason.clone()),
        }
    }
}

impl From<BatchError> for Broken {
    fn from(e: BatchError) -> Self {
        Self::Kit(e.to_string())
    }
}

impl From<KitError> for Broken {
    fn from(e: KitError) -> Self {
        Self::Kit(e.to_string())
    }
}
