//! `[tidegate]`: options TiCDC does not have.

use crate::ByteSize;
use serde_json::{Map, Value};

/// How far rows may go out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolvedGate {
    /// Up to the resolved-ts of the whole changefeed: tables stay together.
    #[default]
    Global,
    /// Up to the table's own: a stuck table holds up nobody else.
    Table,
}

section! {
    /// Options TiCDC does not have.
    TidegateConfig {
        /// Commit progress together with the rows where the downstream can.
        exactly_once: bool = true,
        /// Writers that are fenced and commit on their own, 1 to 256; absent: one per node.
        slots: Option<u16> = None,
        /// Ordered streams of writes per slot, 1 to 64; absent: chosen by the sink.
        lanes: Option<u16> = None,
        /// Memory of this changefeed on a node; absent: `memory-quota`.
        memory_quota: Option<ByteSize> = None,
        /// How far rows may go out.
        resolved_gate: ResolvedGate = ResolvedGate::Global,
        /// The plugin that writes; absent: the sink URI's scheme.
        sink: Option<PluginConfig> = None,
        /// The plugin that routes rows; absent: the rules of `sink.dispatchers`.
        dispatcher: Option<PluginConfig> = None,
    }
}

section! {
    /// A plugin and what it is told.
    PluginConfig {
        /// Name, or `name@version`.
        plugin: String = String::new(),
        /// `sha256:` and 64 hex digits that the component's bytes must have.
        digest: Option<String> = None,
        /// Handed to the plugin as JSON.
        config: Map<String, Value> = Map::new(),
    }
}
