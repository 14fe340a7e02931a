//! What a guest may call.

#![allow(unreachable_pub, reason = "generated bindings re-export the resource types")]

mod clock;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod object_store;
pub(crate) mod producer;
pub(crate) mod rows;
pub(crate) mod secret;
mod session;
pub(crate) mod sql;
mod state;

use crate::bindings::api::types::{Failure, FatalError, RetryHint};
use crate::call::Breach;
use crate::grant::{EndpointError, EndpointErrorKind};
use crate::state::State;
use std::time::Instant;

/// Calls of endpoints a guest may make within one call of its own. Time in them does not count as the guest's, so that without
/// a bound a guest could go on for ever.
const ENDPOINT_CALLS_MAX: u32 = 1 << 16;

impl State {
    /// A call of an endpoint begins: the guest's clock stands still until `clock.resume`.
    pub(crate) fn enter(&mut self) -> wasmtime::Result<Instant> {
        self.endpoint_calls += 1;
        if self.endpoint_calls > ENDPOINT_CALLS_MAX {
            return Err(Breach(format!("it calls endpoints more than {ENDPOINT_CALLS_MAX} times in one call")).into());
        }
        Ok(self.clock.pause())
    }
}

impl From<EndpointError> for Failure {
    fn from(e: EndpointError) -> Self {
        let hint = |message, after_ms| RetryHint { message, after_ms, attrs: Vec::new() };
        let fatal = |code, message| FatalError { code, message, attrs: Vec::new() };
        match e.kind {
            EndpointErrorKind::Retryable => Self::Retryable(hint(e.message, e.after_ms)),
            EndpointErrorKind::Unknown => Self::Unknown(hint(e.message, e.after_ms)),
            EndpointErrorKind::Fenced => Self::Fenced(hint(e.message, None)),
            EndpointErrorKind::Fatal => Self::Fatal(fatal(e.code, e.message)),
            EndpointErrorKind::Unsupported => Self::Unsupported(fatal(e.code, e.message)),
        }
    }
}
