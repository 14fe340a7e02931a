//! What a plugin did, for metrics.

use crate::histogram::{Histogram, Snapshot};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Most counters, gauges and histograms one plugin may make, of each.
const NAMES_MAX: usize = 256;
/// Longest name of one.
const NAME_LEN_MAX: usize = 64;

/// Counts of one plugin over all its instances.
#[derive(Debug, Default)]
pub struct PluginMetrics {
    /// Calls into guests.
    pub calls: AtomicU64,
    /// Rows handed to `write` or `dispatch`.
    pub rows: AtomicU64,
    /// Bytes of rows that crossed.
    pub bytes: AtomicU64,
    /// Time within guest calls in nanoseconds, capability calls left out.
    pub guest_ns: AtomicU64,
    /// Instances that died: traps, deadlines, memory, broken contract.
    pub traps: AtomicU64,
    /// Greatest linear memory one instance has reached, in bytes.
    pub memory_peak_bytes: AtomicU64,
    /// Log lines that the rate limit swallowed.
    pub logs_dropped: AtomicU64,
    counters: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    gauges: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    histograms: Mutex<BTreeMap<String, Arc<Histogram>>>,
    /// Guest time of each call in seconds.
    pub latency: Histogram,
}

impl PluginMetrics {
    /// The plugin's own counters by name.
    #[must_use]
    pub fn counters(&self) -> Vec<(String, u64)> {
        self.counters.lock().iter().map(|(k, v)| (k.clone(), v.load(Relaxed))).collect()
    }

    /// The plugin's own gauges by name.
    #[must_use]
    pub fn gauges(&self) -> Vec<(String, f64)> {
        self.gauges.lock().iter().map(|(k, v)| (k.clone(), f64::from_bits(v.load(Relaxed)))).collect()
    }

    /// The plugin's own histograms by name.
    #[must_use]
    pub fn histograms(&self) -> Vec<(String, Snapshot)> {
        self.histograms.lock().iter().map(|(k, v)| (k.clone(), v.snapshot())).collect()
    }

    pub(crate) fn histogram(&self, name: &str) -> Arc<Histogram> {
        cell(&self.histograms, name)
    }

    pub(crate) fn counter(&self, name: &str) -> Arc<AtomicU64> {
        cell(&self.counters, name)
    }

    pub(crate) fn gauge(&self, name: &str) -> Arc<AtomicU64> {
        cell(&self.gauges, name)
    }
}

/// A name beyond the bounds gets a cell that nobody reads.
fn cell<T: Default>(map: &Mutex<BTreeMap<String, Arc<T>>>, name: &str) -> Arc<T> {
    let mut map = map.lock();
    if let Some(found) = map.get(name) {
        return Arc::clone(found);
    }
    let fresh = Arc::<T>::default();
    if map.len() < NAMES_MAX && name.len() <= NAME_LEN_MAX {
        map.insert(name.to_owned(), Arc::clone(&fresh));
    }
    fresh
}
