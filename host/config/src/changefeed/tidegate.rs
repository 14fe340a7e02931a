//! `[tidegate]`: options TiCDC does not have.

use super::GrantsConfig;
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
        /// Writers that are fenced and commit on their own, 1 to 256; absent: 4 with MySQL and TiDB, else 2.
        slots: Option<u16> = None,
        /// Ordered streams of writes per slot, 1 to 64; absent: chosen by the sink.
        lanes: Option<u16> = None,
        /// Let other nodes of the cluster run a part of the slots, where the downstream fences writers.
        spread: bool = true,
        /// Memory of this changefeed on a node; absent: `memory-quota`.
        memory_quota: Option<ByteSize> = None,
        /// How far rows may go out.
        resolved_gate: ResolvedGate = ResolvedGate::Global,
        /// The plugin that writes; absent: the sink URI's scheme.
        sink: Option<PluginConfig> = None,
        /// The plugin that routes rows; absent: the rules of `sink.dispatchers`.
        dispatcher: Option<PluginConfig> = None,
        /// Plugins that reshape, mask or drop rows before they are routed, in this order.
        transforms: Vec<PluginConfig> = Vec::new(),
        /// What the plugins may open.
        grants: GrantsConfig = GrantsConfig::default(),
        /// Rows that a plugin will not take.
        quarantine: QuarantineConfig = QuarantineConfig::default(),
    }
}

section! {
    /// `[tidegate.quarantine]`: rows that are put aside while the changefeed goes on.
    QuarantineConfig {
        /// Rows put aside within an hour before the changefeed fails; 0: the first one fails it.
        limit_per_hour: u32 = 100,
        /// Put rows aside too that cannot be decoded, as the upstream's bytes.
        undecodable: bool = false,
    }
}

section! {
    /// A plugin and what it is told.
    PluginConfig {
        /// `name`, `name@version`, or `sha256:` and 64 hex digits.
        plugin: String = String::new(),
        /// `sha256:` and 64 hex digits that the component's bytes must have.
        digest: Option<String> = None,
        /// Stay with the version that the name means when this is written; without it, a name follows its active version.
        pin: bool = false,
        /// Handed to the plugin as JSON.
        config: Map<String, Value> = Map::new(),
        /// What of `[tidegate.grants]` it may open, as `kind.NAME`; absent: the sink may open all but secrets, the others nothing.
        grants: Option<Vec<String>> = None,
    }
}

impl PluginConfig {
    /// Whether a new active version of the name is to run in place of the old one.
    #[must_use]
    pub fn follows(&self) -> bool {
        !self.pin && self.digest.is_none() && !self.plugin.contains(['@', ':'])
    }
}
