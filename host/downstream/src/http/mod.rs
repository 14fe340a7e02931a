//! HTTP origins that plugins are granted.

mod endpoint;
mod request;
mod target;

pub use endpoint::HttpOrigin;
pub use target::{HttpTarget, HttpTargetError};
