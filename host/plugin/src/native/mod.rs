//! Plugins of the Rust SDK in-process, behind the ports that components have: for comparing the two and for profilers.
//!
//! Does: run a [`tidegate_sdk::Sink`], [`tidegate_sdk::Dispatcher`] or [`tidegate_sdk::Transform`] with the same capabilities, checks of answers and
//! counts as an instance of its component.
//! Does not: limit memory or time. A panic is caught and ends the instance as a trap would.

mod convert;
mod dispatcher;
mod endpoints;
mod exec;
mod host;
mod sink;
mod transform;

pub use dispatcher::NativeDispatcher;
pub use sink::NativeSink;
pub use transform::NativeTransform;
