//! `state`: the small durable map of an instance.

use crate::bindings::api::state::Host;
use crate::state::State;

impl Host for State {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.kept.get(&key).map(<[u8]>::to_vec))
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), String>> {
        Ok(self.kept.set(key, value))
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<()> {
        self.kept.delete(&key);
        Ok(())
    }

    fn keys(&mut self, prefix: String, limit: u32) -> wasmtime::Result<Vec<String>> {
        Ok(self.kept.keys(&prefix, limit))
    }
}
