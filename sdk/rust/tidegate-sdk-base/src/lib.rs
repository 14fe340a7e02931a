//! Bindings of the dispatcher's world and of what all worlds share, as generated. Only in WebAssembly.
//!
//! A crate of its own because the generated export macros live at the crate's root, where those of two worlds collide.
//! Use the crate `tidegate-sdk` instead.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, reason = "generated from the contract, which has the words")]

wit_bindgen::generate!({
    path: "../../../wit",
    world: "dispatcher-plugin",
    pub_export_macro: true,
    default_bindings_module: "tidegate_sdk_base",
    generate_all,
    generate_unused_types: true,
});
