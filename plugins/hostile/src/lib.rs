//! Plugins that misbehave, and one that was built against a past version of the contract, for tests of the host. Not shipped.
//!
//! Does: hold the components of the examples of this crate, which are compiled when it is. What an instance does wrong is
//! named by its configuration.
//! Does not: exist in WebAssembly.

#[cfg(not(target_arch = "wasm32"))]
include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// Bindings of the frozen text of contract 1.0.0, as generated. In the library because an export macro used in its own crate
/// would be one with `unsafe` in it.
#[cfg(target_arch = "wasm32")]
#[allow(missing_docs, reason = "generated from the contract, which has the words")]
pub mod past {
    wit_bindgen::generate!({
        path: "../../wit/1.0.0",
        world: "sink-plugin",
        pub_export_macro: true,
        default_bindings_module: "tg_plugin_hostile::past",
        generate_all,
    });
}
