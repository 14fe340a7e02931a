//! A process of the simulated cluster: the real state machine, and the rim around it.

use crate::holder::Holder;
use crate::source::Source;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_cluster::{CaptureId, CaptureRecord, ClusterId, FeedId, Mono, Node, NodeConfig, OwnerRev, Rules, RunId};

pub(crate) struct Process {
    pub(crate) node: Node,
    pub(crate) capture: CaptureId,
    pub(crate) record: Arc<CaptureRecord>,
    pub(crate) holder: Holder,
    pub(crate) sources: BTreeMap<(FeedId, RunId), Source>,
    pub(crate) alive: bool,
    pub(crate) frozen_until: u64,
    /// Which process on this node: events for earlier ones are void.
    pub(crate) life: u64,
    pub(crate) authority: Mono,
    /// In its data directory.
    pub(crate) owner_rev: OwnerRev,
    offset: u64,
    /// Parts in ten thousand its clock runs fast.
    drift: i64,
}

const CLUSTER: ClusterId = ClusterId(7);

impl Process {
    pub(crate) fn new(at: u64, n: usize, record: CaptureRecord, offset: u64, drift: i64, rules: Rules) -> Self {
        let capture = capture_id(n, 0);
        let config = NodeConfig { cluster: CLUSTER, capture, owner_rev_seen: OwnerRev(0), rules };
        let mut process = Self {
            node: Node::new(config, Mono(0)),
            capture,
            record: Arc::new(record),
            holder: Holder::default(),
            sources: BTreeMap::new(),
            alive: true,
            frozen_until: 0,
            life: 0,
            authority: Mono(0),
            owner_rev: OwnerRev(0),
            offset,
            drift,
        };
        process.start(at, n, rules);
        process
    }

    /// Starts a process on the node, with what its data directory has kept.
    pub(crate) fn start(&mut self, at: u64, n: usize, rules: Rules) {
        self.life += 1;
        self.alive = true;
        self.frozen_until = 0;
        self.capture = capture_id(n, self.life);
        self.holder = Holder::default();
        self.sources.clear();
        self.authority = Mono(0);
        let config = NodeConfig { cluster: CLUSTER, capture: self.capture, owner_rev_seen: self.owner_rev, rules };
        self.node = Node::new(config, self.clock(at));
    }

    /// Its own monotonic clock.
    pub(crate) fn clock(&self, at: u64) -> Mono {
        let off = (at.cast_signed() * self.drift / 10_000).cast_unsigned();
        Mono(self.offset.wrapping_add(at).wrapping_add(off))
    }
}

fn capture_id(n: usize, life: u64) -> CaptureId {
    CaptureId((n as u128 + 1) * 1_000 + u128::from(life))
}
