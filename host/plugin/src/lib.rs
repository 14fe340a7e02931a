//! Plugins: WebAssembly components that decide where rows go and write them.
//!
//! Does: compile and check components ([`Plugin`]), run instances of them within limits ([`SinkInstance`],
//! [`DispatcherInstance`], [`TransformInstance`]), link the capabilities an operator grants ([`Grants`]), count what they do ([`PluginMetrics`]).
//! Does not: know any downstream (endpoints are traits), retry, keep progress, or decide when to call.
//!
//! Invariants:
//! - Nothing a guest does ends the process: a trap, a deadline or a memory limit is a [`CallError`] and the instance is dead.
//! - A guest's answer is data: lanes, lengths, barriers and sizes are checked before anyone sees them.
//! - An instance reaches only what its [`Grants`] hold. Capabilities that were not granted answer with an error.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
mod bindings;
mod call;
mod capability;
mod codes;
mod convert;
mod deadline;
mod dispatcher;
mod durable;
mod engine;
mod error;
mod histogram;
mod instance;
mod kept;
mod manifest;
mod meter;
mod output;
mod output_type;
mod plan;
mod plugin;
mod ports;
mod schema;
mod sink;
mod state;
mod transform;
mod world;

pub mod grant;
pub mod native;

pub use codes::CODES;
pub use dispatcher::DispatcherInstance;
pub use engine::{EngineOptions, PluginEngine};
pub use error::{CallError, CallFault, PluginError, Stop};
pub use grant::Grants;
pub use histogram::{BOUNDS, Histogram, Snapshot};
pub use instance::{InstanceSpec, Limits};
pub use manifest::{Capability, Manifest};
pub use meter::PluginMetrics;
pub use plugin::{Kind, Plugin};
pub use ports::{
    Ack, BadEvent, Barrier, BarrierKind, Decisions, DispatchPlan, DispatcherPort, LEAVE_OUT, STATE_BYTES_MAX, SinkPort,
    TablePlan, TransformPlan, TransformPort, Transformed, WriteOutcome,
};
pub use sink::SinkInstance;
pub use transform::TransformInstance;
pub use world::CONTRACT;
