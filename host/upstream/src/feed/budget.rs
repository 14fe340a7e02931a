//! What the matchers of a client hold, and what they may.

use super::meters::Meters;
use super::spill::{SpillArea, Tape};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Memory for finding spilled rows, above the bound for rows themselves. About 25 bytes are needed per row.
pub(super) const INDEX_MAX_BYTES: usize = 256 << 20;

/// Shared by all matchers of a client.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    limit_bytes: usize,
    area: Option<Arc<SpillArea>>,
    meters: Arc<Meters>,
}

impl Budget {
    pub(crate) fn new(limit_bytes: usize, area: Option<Arc<SpillArea>>) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), limit_bytes, area, meters: Arc::default() })
    }

    /// Counts that are kept along with it.
    pub(crate) fn meters(&self) -> &Arc<Meters> {
        &self.meters
    }

    /// Memory of rows that wait for their commit.
    pub(crate) fn used_bytes(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// What lies on disk.
    pub(crate) fn spilled_bytes(&self) -> u64 {
        self.area.as_ref().map_or(0, |a| a.used_bytes())
    }

    pub(super) fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    pub(super) fn is_over(&self) -> bool {
        self.used_bytes() > self.limit_bytes
    }

    /// A tape for one stream.
    pub(super) fn tape(&self) -> Tape {
        Tape::new(self.area.clone())
    }
}

/// One matcher's part of the budget; given back when dropped.
pub(super) struct Share {
    budget: Arc<Budget>,
    told: usize,
}

impl Share {
    pub(super) fn new(budget: Arc<Budget>) -> Self {
        Self { budget, told: 0 }
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Tells what the matcher holds now.
    pub(super) fn set(&mut self, bytes: usize) {
        if bytes > self.told {
            self.budget.used.fetch_add(bytes - self.told, Ordering::Relaxed);
        } else if bytes < self.told {
            self.budget.used.fetch_sub(self.told - bytes, Ordering::Relaxed);
        }
        self.told = bytes;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}
