//! From what a call ended with to what the caller should know.

use crate::bindings::api::types::{Failure, FatalError, RetryHint};
use crate::deadline::DeadlineReached;
use crate::error::{CallFault, PluginError, Stop};
use crate::state::State;
use wasmtime::{PoolConcurrencyLimitError, Trap};

/// Bytes kept of what a guest says of a failure.
const SAID_LEN_MAX: usize = 2 << 10;

/// The guest does what it may not.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Breach(pub(crate) String);

pub(crate) const fn stopped(stop: Stop, detail: String) -> CallFault {
    CallFault::Stopped { stop, detail }
}

/// Why the guest stopped. A guest that is refused memory usually panics, so that comes first.
pub(crate) fn classify(e: &wasmtime::Error, state: &State) -> CallFault {
    if let Some(full) = e.downcast_ref::<PoolConcurrencyLimitError>() {
        return CallFault::Start(PluginError::Engine { detail: full.to_string() });
    }
    let trap = e.downcast_ref::<Trap>();
    let stop = if e.downcast_ref::<DeadlineReached>().is_some() || trap == Some(&Trap::Interrupt) {
        Stop::Deadline
    } else if e.downcast_ref::<Breach>().is_some() {
        Stop::Contract
    } else if state.memory.refused {
        Stop::Memory
    } else if trap == Some(&Trap::StackOverflow) {
        Stop::StackOverflow
    } else {
        Stop::Trap
    };
    let mut detail = trap.map_or_else(|| e.root_cause().to_string(), ToString::to_string);
    if let Some(said) = &state.last_warning {
        detail = format!("{detail}; its last warning: {said}");
    }
    stopped(stop, cut(detail))
}

/// Keeps what a guest says short enough to be logged and stored.
pub(crate) fn cut(mut said: String) -> String {
    said.truncate(said.floor_char_boundary(SAID_LEN_MAX));
    said
}

impl From<Failure> for CallFault {
    fn from(f: Failure) -> Self {
        match f {
            Failure::Retryable(RetryHint { message, after_ms, .. }) => {
                Self::Retryable { message: cut(message), after_ms }
            }
            Failure::Unknown(RetryHint { message, after_ms, .. }) => Self::Unknown { message: cut(message), after_ms },
            Failure::Fenced(RetryHint { message, .. }) => Self::Fenced { message: cut(message) },
            Failure::Fatal(FatalError { code, message, .. }) => Self::Fatal { code: cut(code), message: cut(message) },
            Failure::Unsupported(FatalError { code, message, .. }) => {
                Self::Unsupported { code: cut(code), message: cut(message) }
            }
        }
    }
}
