//! From what a call ended with to what the caller should know.

use crate::bindings::api::types::{FatalError, Failure, RetryHint};
use crate::error::{CallFault, Stop};
use crate::state::{DeadlineReached, State};
use wasmtime::Trap;

/// Bytes kept of what a trap says.
const DETAIL_LEN_MAX: usize = 2 << 10;

pub(crate) const fn stopped(stop: Stop, detail: String) -> CallFault {
    CallFault::Stopped { stop, detail }
}

/// Why the guest stopped. A guest that is refused memory usually panics, so that comes first.
pub(crate) fn classify(e: &wasmtime::Error, state: &State) -> CallFault {
    let trap = e.downcast_ref::<Trap>();
    let stop = if e.downcast_ref::<DeadlineReached>().is_some() || trap == Some(&Trap::Interrupt) {
        Stop::Deadline
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
    detail.truncate(detail.floor_char_boundary(DETAIL_LEN_MAX));
    stopped(stop, detail)
}

impl From<Failure> for CallFault {
    fn from(f: Failure) -> Self {
        match f {
            Failure::Retryable(RetryHint { message, after_ms, .. }) => Self::Retryable { message, after_ms },
            Failure::Unknown(RetryHint { message, after_ms, .. }) => Self::Unknown { message, after_ms },
            Failure::Fenced(RetryHint { message, .. }) => Self::Fenced { message },
            Failure::Fatal(FatalError { code, message, .. }) => Self::Fatal { code, message },
            Failure::Unsupported(FatalError { code, message, .. }) => Self::Unsupported { code, message },
        }
    }
}
