//! Bindings of the transform's world, as generated. Only in WebAssembly.
//!
//! A crate of its own because the generated export macros live at the crate's root, where those of two worlds collide.
//! Use the crate `tidegate-sdk` instead.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, reason = "generated from the contract, which has the words")]

wit_bindgen::generate!({
    path: "../../../wit",
    world: "transform-plugin",
    pub_export_macro: true,
    default_bindings_module: "tidegate_sdk_transform",
    generate_all,
    with: {
        "tidegate:plugin/types@1.1.0": tidegate_sdk_base::tidegate::plugin::types,
        "tidegate:plugin/rows@1.1.0": tidegate_sdk_base::tidegate::plugin::rows,
        "tidegate:plugin/session@1.1.0": tidegate_sdk_base::tidegate::plugin::session,
        "tidegate:plugin/log@1.1.0": tidegate_sdk_base::tidegate::plugin::log,
        "tidegate:plugin/metrics@1.1.0": tidegate_sdk_base::tidegate::plugin::metrics,
    },
});
