//! The cluster: versions, locks, regions, stores, change feeds, under one lock.
//!
//! Everything that must be atomic (a write and its events, an attach and its snapshot, a resolved
//! timestamp and the locks it looks at) happens in one hold of the lock; events are queued per
//! connection in that order, so the order of the queue is the order of the state.

pub(crate) mod conn;
mod feed;
mod gc;
mod mvcc;
mod read;
mod region;
mod resolved;
mod scan;
mod topology;
mod tso;
pub(crate) mod wire;
mod write;

pub use mvcc::{Lock, Op};
pub(crate) use region::{Peer, Region};
pub use topology::RegionInfo;
pub use tso::Tso;
pub(crate) use write::Emitter;
pub use write::{Mode, Mutation, TxnMeta};

pub(crate) use conn::{Backlog, Conn, Piece};
pub(crate) use gc::Gc;
pub(crate) use mvcc::Mvcc;
pub(crate) use read::RegionError;
pub(crate) use region::Regions;
pub(crate) use scan::ScanTask;
pub(crate) use tso::physical_ms;

use crate::catalog::Catalog;
use crate::ddl::Layout;
use crate::faults::Faults;
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// First id for tables and schemas that a person makes; below are the system's.
const FIRST_USER_ID: i64 = 100;

/// A store as PD lists it.
#[derive(Clone, Debug)]
pub(crate) struct StoreInfo {
    /// Host and port, as clients dial it.
    pub address: String,
    /// Whether it serves.
    pub up: bool,
}

/// What the lock protects.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) mvcc: Mvcc,
    pub(crate) regions: Regions,
    pub(crate) stores: BTreeMap<u64, StoreInfo>,
    pub(crate) catalog: Catalog,
    pub(crate) gc: Gc,
    /// Highest timestamp that was read at or said to be resolved: later commits without a fresh
    /// timestamp must be above it.
    pub(crate) max_ts: u64,
    /// Connections' bytes above which a region's subscriptions end as congested.
    pub(crate) quota_bytes: usize,
    next_cluster_object: u64,
    next_schema_object: i64,
}

impl State {
    /// An id for a region or peer.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.next_cluster_object += 1;
        self.next_cluster_object
    }

    /// An id for a schema, table, partition or job.
    pub(crate) fn next_schema_id(&mut self) -> i64 {
        self.next_schema_object += 1;
        self.next_schema_object
    }

    /// The last id given by [`Self::next_schema_id`].
    pub(crate) const fn last_schema_id(&self) -> i64 {
        self.next_schema_object
    }
}

/// The cluster behind all the services.
#[derive(Debug)]
pub struct Cluster {
    /// Id that clients must name.
    pub id: u64,
    /// The oracle.
    pub tso: Tso,
    pub(crate) faults: Faults,
    pub(crate) backlog: Arc<Backlog>,
    state: Mutex<State>,
    layout: Layout,
    serial: AtomicU64,
}

impl Cluster {
    /// A cluster of `stores` empty stores (ids 1 and up) with one region.
    #[must_use]
    pub(crate) fn new(id: u64, stores: u64, quota_bytes: usize, history_ms: Option<u64>, layout: Layout) -> Arc<Self> {
        let first_peer = stores + 100;
        let peers = (1..=stores).map(|store| Peer { id: first_peer + store, store }).collect();
        let state = State {
            mvcc: Mvcc::default(),
            regions: Regions::new(peers),
            stores: BTreeMap::new(),
            catalog: Catalog::default(),
            gc: Gc::new(history_ms),
            max_ts: 0,
            quota_bytes,
            next_cluster_object: first_peer + stores,
            next_schema_object: FIRST_USER_ID,
        };
        Arc::new(Self {
            id,
            tso: Tso::default(),
            faults: Faults::default(),
            backlog: Arc::default(),
            state: Mutex::new(state),
            layout,
            serial: AtomicU64::new(1),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) const fn layout(&self) -> Layout {
        self.layout
    }

    /// A number for a connection or subscription.
    pub(crate) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits until less than `limit_bytes` of events wait for clients to read them.
    pub async fn backlog_below(&self, limit_bytes: usize) {
        self.backlog.below(limit_bytes).await;
    }

    /// Number of stored keys (for watching memory).
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.lock().mvcc.keys.len()
    }
}
