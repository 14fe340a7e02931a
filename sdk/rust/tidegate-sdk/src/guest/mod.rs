//! The component's exports, over the traits of this crate. Only in WebAssembly; used by the export macros.

#[allow(missing_docs, reason = "generated from the contract, which has the words")]
pub mod sink {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "sink-plugin",
        pub_export_macro: true,
        default_bindings_module: "tidegate_sdk::guest::sink",
        generate_all,
        with: {
            "tidegate:plugin/types@0.1.0": tidegate_sdk_base::tidegate::plugin::types,
            "tidegate:plugin/rows@0.1.0": tidegate_sdk_base::tidegate::plugin::rows,
            "tidegate:plugin/session@0.1.0": tidegate_sdk_base::tidegate::plugin::session,
            "tidegate:plugin/log@0.1.0": tidegate_sdk_base::tidegate::plugin::log,
            "tidegate:plugin/metrics@0.1.0": tidegate_sdk_base::tidegate::plugin::metrics,
        },
    });
}

pub use tidegate_sdk_base as base;
pub use tidegate_sdk_base as dispatcher;

mod convert;
mod exports;
mod sql;

pub use exports::{DispatcherComponent, SinkComponent};
