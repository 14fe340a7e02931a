//! `clock`: what time it is.

use crate::bindings::api::clock::Host;
use crate::state::State;
use std::time::SystemTime;

/// Milliseconds since 1970; 0 for a clock set before.
pub(crate) fn wall_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

impl Host for State {
    fn wall_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(wall_ms())
    }

    fn monotonic_ns(&mut self) -> wasmtime::Result<u64> {
        Ok(self.born.elapsed().as_nanos() as u64)
    }
}
