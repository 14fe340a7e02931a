//! Counts of the feeds, for whoever watches them.

use super::effect::{EndCause, Input};
use crate::stat::Resubscriptions;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shared by all feeds of a client.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    pub(super) regions: AtomicU64,
    pub(super) streams: AtomicU64,
    pub(super) received_bytes: AtomicU64,
    pub(super) lock_passes: AtomicU64,
    not_leader: AtomicU64,
    range_changed: AtomicU64,
    refused: AtomicU64,
    broken_rules: AtomicU64,
    streams_lost: AtomicU64,
}

fn up(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Meters {
    /// Takes note of what streams report.
    pub(super) fn note(&self, input: &Input) {
        match input {
            Input::StreamDown { .. } => up(&self.streams_lost),
            Input::Ended { cause, .. } => up(match cause {
                EndCause::NotLeader(_) => &self.not_leader,
                EndCause::RangeChanged => &self.range_changed,
                EndCause::Violation { .. } => &self.broken_rules,
                EndCause::Transient { .. }
                | EndCause::Duplicate
                | EndCause::Compatibility { .. }
                | EndCause::ClusterId { .. }
                | EndCause::Hold(_) => &self.refused,
            }),
            _ => {}
        }
    }

    pub(crate) fn resubscriptions(&self) -> Resubscriptions {
        let get = |c: &AtomicU64| c.load(Ordering::Relaxed);
        Resubscriptions {
            not_leader: get(&self.not_leader),
            range_changed: get(&self.range_changed),
            refused: get(&self.refused),
            broken_rules: get(&self.broken_rules),
            streams_lost: get(&self.streams_lost),
        }
    }

    /// Regions, streams, bytes received, passes over locks.
    pub(crate) fn counts(&self) -> [u64; 4] {
        [&self.regions, &self.streams, &self.received_bytes, &self.lock_passes].map(|c| c.load(Ordering::Relaxed))
    }
}

/// One of those counted as registered regions, while it lives.
pub(super) struct RegionCount(Arc<Meters>);

impl RegionCount {
    pub(super) fn new(meters: &Arc<Meters>) -> Self {
        up(&meters.regions);
        Self(Arc::clone(meters))
    }
}

impl Drop for RegionCount {
    fn drop(&mut self) {
        self.0.regions.fetch_sub(1, Ordering::Relaxed);
    }
}
