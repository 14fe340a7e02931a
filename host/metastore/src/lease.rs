//! Leases of the embedded store: they live as long as the process.

use crate::LeaseId;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug)]
struct Lease {
    ttl: Duration,
    deadline: Instant,
}

/// All leases, by id.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    last: LeaseId,
    live: BTreeMap<LeaseId, Lease>,
}

impl Leases {
    pub(crate) fn grant(&mut self, ttl: Duration, now: Instant) -> LeaseId {
        self.last += 1;
        self.live.insert(self.last, Lease { ttl, deadline: now + ttl });
        self.last
    }

    /// False: it has ended.
    pub(crate) fn keep_alive(&mut self, id: LeaseId, now: Instant) -> bool {
        let Some(lease) = self.live.get_mut(&id).filter(|l| l.deadline > now) else {
            return false;
        };
        lease.deadline = now + lease.ttl;
        true
    }

    pub(crate) fn remove(&mut self, id: LeaseId) {
        self.live.remove(&id);
    }

    pub(crate) fn has(&self, id: LeaseId, now: Instant) -> bool {
        self.live.get(&id).is_some_and(|l| l.deadline > now)
    }

    /// When a lease ends unless it is renewed; `None` when it is gone.
    pub(crate) fn deadline(&self, id: LeaseId) -> Option<Instant> {
        self.live.get(&id).map(|l| l.deadline)
    }
}
