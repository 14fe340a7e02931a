//! Counters of a running changefeed, shared with the API, the metrics and progress bars.

use crate::waits::Waits;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tg_model::Ts;

macro_rules! counters {
    ($(#[$doc:meta])* $name:ident / $snapshot:ident { $($(#[$fdoc:meta])* $field:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $name { $(pub(crate) $field: AtomicU64,)* pub(crate) waits: Arc<Waits> }

        /// The counters at one moment.
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $snapshot { $($(#[$fdoc])* pub $field: u64),* }

        impl $name {
            /// Reads all counters; each on its own, so they may be apart by a few events.
            #[must_use]
            pub fn snapshot(&self) -> $snapshot {
                $snapshot { $($field: self.$field.load(Relaxed)),* }
            }

            /// What the run waits for and for how long, the longest first.
            #[must_use]
            pub fn waits(&self) -> Vec<(String, Duration)> {
                self.waits.list()
            }
        }
    };
}

counters! {
    /// Counters of one changefeed's run.
    Stats / StatsSnapshot {
        /// Row changes that came from the upstream.
        rows_in,
        /// Their bytes: keys, values, old values.
        bytes_in,
        /// Rows handed to sinks.
        rows_out,
        /// Bytes of the batches handed to sinks.
        bytes_out,
        /// Rows that a sink reported durable.
        rows_durable,
        /// When a sink last reported rows durable, in Unix milliseconds; 0: not yet.
        last_durable_ms,
        /// Rows left out because the downstream holds them already.
        rows_skipped,
        /// Windows cut.
        windows,
        /// Flushes answered by sinks.
        flushes,
        /// Retries of a sink call.
        retries,
        /// Plugin instances that were stopped and started anew within the run.
        plugin_stops,
        /// Rows put aside.
        rows_quarantined,
        /// Swaps of plugins that are through.
        swaps,
        /// Swaps that were taken back.
        rollbacks,
        /// DDL statements run.
        ddls,
        /// Sync points marked.
        syncpoints,
        /// Physical tables subscribed.
        spans,
        /// Subscriptions whose initial scan is complete.
        spans_initialized,
        /// The minimum over all resolved-ts.
        resolved_ts,
        /// Rows may leave up to here.
        emit_ts,
        /// Everything up to here is durable.
        checkpoint_ts,
        /// Bytes of changes held in memory by the sorters.
        sorter_memory_bytes,
        /// Bytes of changes held on disk by the sorters.
        sorter_disk_bytes,
    }
}

macro_rules! summed {
    ($($field:ident)*) => {
        impl StatsSnapshot {
            /// What was counted since another moment; what does not add up over parts of a run is zero.
            #[must_use]
            pub fn since(&self, before: &Self) -> Self {
                Self { $($field: self.$field.saturating_sub(before.$field),)* last_durable_ms: self.last_durable_ms, ..Self::default() }
            }
        }

        impl Stats {
            /// Adds what a part of the run has counted elsewhere.
            pub(crate) fn absorb(&self, counts: &StatsSnapshot) {
                $(add(&self.$field, counts.$field);)*
                self.last_durable_ms.fetch_max(counts.last_durable_ms, Relaxed);
            }
        }
    };
}

summed! {
    rows_in bytes_in rows_out bytes_out rows_durable rows_skipped windows flushes retries plugin_stops rows_quarantined spans_initialized
}

pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Relaxed);
}

pub(crate) fn set(counter: &AtomicU64, n: u64) {
    counter.store(n, Relaxed);
}

pub(crate) fn set_ts(counter: &AtomicU64, ts: Ts) {
    counter.store(ts.get(), Relaxed);
}
