//! What plugins did, for `/metrics`.

use crate::PluginUsage;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use std::sync::atomic::AtomicU64;

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Version {
    plugin: String,
    version: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Own {
    plugin: String,
    version: String,
    name: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Bucket {
    plugin: String,
    version: String,
    le_us: u64,
}

type Total = Family<Version, Counter>;
type Seconds = Family<Version, Counter<f64, AtomicU64>>;

/// Plugins of one scrape.
#[derive(Default)]
pub(crate) struct PluginFamilies {
    calls: Total,
    rows: Total,
    bytes: Total,
    traps: Total,
    logs_dropped: Total,
    cpu: Seconds,
    memory: Family<Version, Gauge>,
    calls_up_to: Family<Bucket, Counter>,
    own_counters: Family<Own, Counter>,
    own_gauges: Family<Own, Gauge<f64, AtomicU64>>,
}

impl PluginFamilies {
    pub(crate) fn add(&self, plugin: &str, version: &str, usage: &PluginUsage) {
        let label = Version { plugin: plugin.to_owned(), version: version.to_owned() };
        for (family, n) in [
            (&self.calls, usage.calls),
            (&self.rows, usage.rows),
            (&self.bytes, usage.bytes),
            (&self.traps, usage.traps),
            (&self.logs_dropped, usage.logs_dropped),
        ] {
            family.get_or_create(&label).inc_by(n);
        }
        self.cpu.get_or_create(&label).inc_by(usage.guest_ns as f64 / 1e9);
        let memory = i64::try_from(usage.memory_peak_bytes).unwrap_or(i64::MAX);
        self.memory.get_or_create(&label).set(memory);
        for (le_us, calls) in &usage.call_us {
            let bucket = Bucket { plugin: label.plugin.clone(), version: label.version.clone(), le_us: *le_us };
            self.calls_up_to.get_or_create(&bucket).inc_by(*calls);
        }
        let own =
            |name: &str| Own { plugin: label.plugin.clone(), version: label.version.clone(), name: name.to_owned() };
        for (name, n) in &usage.counters {
            self.own_counters.get_or_create(&own(name)).inc_by(*n);
        }
        for (name, value) in &usage.gauges {
            self.own_gauges.get_or_create(&own(name)).set(*value);
        }
    }

    /// Counters get `_total` from the encoder.
    pub(crate) fn register(self, to: &mut Registry) {
        to.register("tidegate_plugin_calls", "Calls into a plugin", self.calls);
        to.register("tidegate_plugin_rows", "Rows handed to a plugin", self.rows);
        to.register("tidegate_plugin_bytes", "Bytes of rows handed to a plugin", self.bytes);
        to.register("tidegate_plugin_traps", "Instances of a plugin that died", self.traps);
        to.register("tidegate_plugin_log_lines_dropped", "Log lines above the rate limit", self.logs_dropped);
        to.register_with_unit("tidegate_plugin_cpu", "Time within a plugin", Unit::Seconds, self.cpu);
        let memory = "Greatest linear memory of one instance";
        to.register_with_unit("tidegate_plugin_memory_peak", memory, Unit::Bytes, self.memory);
        let up_to = "Calls that took at most le_us microseconds within the plugin";
        to.register("tidegate_plugin_calls_up_to", up_to, self.calls_up_to);
        to.register("tidegate_plugin_counter", "A plugin's own counters", self.own_counters);
        to.register("tidegate_plugin_gauge", "A plugin's own gauges", self.own_gauges);
    }
}
