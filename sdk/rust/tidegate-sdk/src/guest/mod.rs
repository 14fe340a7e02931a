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
            "tidegate:plugin/types@1.1.0": tidegate_sdk_base::tidegate::plugin::types,
            "tidegate:plugin/rows@1.1.0": tidegate_sdk_base::tidegate::plugin::rows,
            "tidegate:plugin/session@1.1.0": tidegate_sdk_base::tidegate::plugin::session,
            "tidegate:plugin/log@1.1.0": tidegate_sdk_base::tidegate::plugin::log,
            "tidegate:plugin/metrics@1.1.0": tidegate_sdk_base::tidegate::plugin::metrics,
        },
    });
}

pub use tidegate_sdk_base as base;
pub use tidegate_sdk_base as dispatcher;
pub use tidegate_sdk_transform as transform;

mod convert;
mod endpoints;
mod exports;
mod schema;
mod sql;
mod transform_exports;

pub use exports::{DispatcherComponent, SinkComponent};
pub use transform_exports::TransformComponent;
