//! Plugins as the API shows them.

use std::sync::atomic::Ordering::Relaxed;
use tg_api::{Plugin, PluginActivation, PluginUsage, PluginVersion};
use tg_plugin::{BOUNDS, Kind, PluginMetrics};
use tg_registry::{By, Pinned, PluginRecord, Source};

pub(crate) const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Sink => "sink",
        Kind::Dispatcher => "dispatcher",
        Kind::Transform => "transform",
    }
}

const fn by_name(by: By) -> &'static str {
    match by {
        By::Push => "push",
        By::Folder => "folder",
        By::Activate => "activate",
        By::Rollback => "rollback",
        By::Failure => "failure",
    }
}

const fn source_name(source: Source) -> &'static str {
    match source {
        Source::Push => "push",
        Source::Folder => "folder",
    }
}

/// A plugin of the registry, without its users.
pub(crate) fn plugin(name: &str, record: &PluginRecord) -> Plugin {
    let active = record.active().map(|v| v.version.clone());
    let version = |v: &tg_registry::VersionRecord| PluginVersion {
        version: v.version.clone(),
        digest: v.digest.to_string(),
        kind: v.kind.clone(),
        size_bytes: v.size_bytes,
        pushed_ms: v.pushed_ms,
        origin: v.origin.clone(),
        source: source_name(v.source).to_owned(),
        signer: v.signer.clone(),
        active: active.as_ref() == Some(&v.version),
    };
    let change = |a: &tg_registry::Activation| PluginActivation {
        version: a.version.clone(),
        at_ms: a.at_ms,
        by: by_name(a.by).to_owned(),
    };
    Plugin {
        name: name.to_owned(),
        versions: record.versions.iter().map(version).collect(),
        history: record.history.iter().map(change).collect(),
        users: Vec::new(),
        problem: None,
    }
}

/// A plugin of the binary, without its users.
pub(crate) fn builtin(pinned: &Pinned, kind: Kind, size_bytes: u64) -> Plugin {
    let version = PluginVersion {
        version: pinned.version.clone(),
        digest: pinned.digest.to_string(),
        kind: kind_name(kind).to_owned(),
        size_bytes,
        pushed_ms: 0,
        origin: String::new(),
        source: "built-in".to_owned(),
        signer: None,
        active: true,
    };
    let (versions, history, users) = (vec![version], Vec::new(), Vec::new());
    Plugin { name: pinned.name.clone(), versions, history, users, problem: None }
}

/// What a plugin did.
pub(crate) fn usage(m: &PluginMetrics) -> PluginUsage {
    PluginUsage {
        calls: m.calls.load(Relaxed),
        rows: m.rows.load(Relaxed),
        bytes: m.bytes.load(Relaxed),
        guest_ns: m.guest_ns.load(Relaxed),
        traps: m.traps.load(Relaxed),
        memory_peak_bytes: m.memory_peak_bytes.load(Relaxed),
        logs_dropped: m.logs_dropped.load(Relaxed),
        call_us: call_us(m),
        counters: m.counters(),
        gauges: m.gauges(),
    }
}

/// Longest duration told apart, in microseconds.
const CALL_MAX_US: f64 = 1e7;

/// Calls by duration, each bound with all calls up to it.
fn call_us(m: &PluginMetrics) -> Vec<(u64, u64)> {
    let seen = m.latency.snapshot();
    let up_to = seen.buckets.iter().scan(0, |sum, n| {
        *sum += n;
        Some(*sum)
    });
    let in_us = BOUNDS.iter().map(|secs| secs * 1e6).take_while(|us| *us <= CALL_MAX_US);
    in_us.zip(up_to).map(|(us, calls)| (us.round() as u64, calls)).collect()
}
