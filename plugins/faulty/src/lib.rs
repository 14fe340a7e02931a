//! Plugins with one mistake each, for tests of the conformance kit. Not shipped.
//!
//! Does: hold the components of the examples of this crate, which are compiled when it is; what they share. The configuration names
//! the mistake; without one they do everything right.
//! Does not: attack the host (that is `tg-plugin-hostile`): these are the mistakes that honest authors make.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod values;

pub use values::{json, sql, text};

/// What the configuration may say.
#[derive(Clone, Default, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(default)]
pub struct Config {
    /// The mistake.
    pub fault: String,
    /// Through which capability: `sql`, `producer`, `http` or `object-store`.
    pub via: String,
}

/// The schema of the configuration.
pub const CONFIG_SCHEMA: &str = r#"{"type":"object","properties":{"fault":{},"via":{},"limit":{}}}"#;

impl Config {
    /// The configuration in a text. One that is not understood names no mistake, but for the mistake that is about that.
    ///
    /// # Panics
    /// With the mistake `config`, when the limit is no number.
    #[must_use]
    #[allow(clippy::panic, reason = "it is there to fail")]
    pub fn read(text: &str) -> Self {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let config: Self = serde_json::from_value(value.clone()).unwrap_or_default();
        let limit = value.get("limit");
        if config.fault == "config" && limit.is_some_and(|l| l.as_u64().is_none()) {
            panic!("the limit is no number: {limit:?}");
        }
        config
    }
}

#[cfg(not(target_arch = "wasm32"))]
include!(concat!(env!("OUT_DIR"), "/guests.rs"));
