//! Plugins that misbehave, and one that was built against a past version of the contract, for tests of the host. Not shipped.
//!
//! Does: hold the components of the examples of this crate, which are compiled when it is. What an instance does wrong is
//! named by its configuration.
//! Does not: exist in WebAssembly.

#[cfg(not(target_arch = "wasm32"))]
include!(concat!(env!("OUT_DIR"), "/guests.rs"));
