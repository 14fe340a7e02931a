//! `session`: how long the call may go on.

use crate::bindings::api::{session, types};
use crate::state::State;

impl types::Host for State {}

impl session::Host for State {
    fn deadline_ms(&mut self) -> wasmtime::Result<u32> {
        Ok(self.clock.left_ms())
    }
}
