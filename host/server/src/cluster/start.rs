//! How a node becomes one of a cluster.

use super::driver::{self, Driver, Told};
use super::gate::{Clock, Gate};
use super::holder::Holder;
use super::identity::Identity;
use super::meta::{LEASE_TTL, Lease};
use super::world::{Keys, World};
use super::{Cluster, ClusterError, following, identity, spread};
use crate::ServerError;
use crate::node::{GENERATION, Node, NodeOptions};
use crate::progress::now_ms;
use parking_lot::Mutex;
use serde_json::Map;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tg_cluster::{ClusterId, Node as Machine, NodeConfig, Rules};
use tg_metastore::{
    ChangefeedStore, ClusterRecord, EtcdOptions, EtcdStore, MemberRecord, MetaStore, NodeRecord, NodeWish,
};
use tg_model::Coded;
use tg_peer::{Arrival, Me, PeerTls, Transport};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How much longer than a lease is waited for an address to become free.
const ADDRESS_GRACE: Duration = Duration::from_secs(2);
/// How long a node that starts waits for a metadata store that has answered nothing yet.
const START_PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Of which cluster a node is.
#[derive(Clone)]
pub struct ClusterOptions {
    /// Where its etcd is: `http://…` or `https://…`.
    pub endpoints: Vec<String>,
    /// How etcd is reached.
    pub etcd: EtcdOptions,
    /// Failure domain of this node; empty: none.
    pub zone: String,
    /// Certificates between nodes; `None`: no TLS.
    pub tls: Option<PeerTls>,
}

/// A node that is about to take part.
pub(crate) struct Starting {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) store: Arc<dyn MetaStore>,
    machine: NodeConfig,
    clock: Clock,
    told: mpsc::Receiver<Told>,
    arrivals: mpsc::Receiver<Arrival>,
    world: watch::Sender<Arc<World>>,
}

/// Checks that this node may take part, and makes what it needs for that. Nothing is registered yet. A member of etcd that goes away
/// meanwhile is ridden through.
pub(crate) async fn prepare(
    options: &NodeOptions,
    of: &ClusterOptions,
    upstream_id: u64,
) -> Result<Starting, ServerError> {
    let deadline = Instant::now() + START_PATIENCE;
    loop {
        match prepare_once(options, of, upstream_id).await {
            Err(ServerError::Meta(e)) if e.is_retryable() && Instant::now() < deadline => {
                tracing::warn!(error = %e, "the metadata store does not answer yet");
                tokio::time::sleep(LOOK_EVERY).await;
            }
            done => return done,
        }
    }
}

async fn prepare_once(options: &NodeOptions, of: &ClusterOptions, upstream_id: u64) -> Result<Starting, ServerError> {
    let me = Identity::open(&options.data_dir, &options.address)?;
    let store: Arc<dyn MetaStore> = Arc::new(EtcdStore::connect_with(&of.endpoints, of.etcd.clone()).await?);
    let records = ChangefeedStore::new(Arc::clone(&store), GENERATION, &options.cluster);
    let fresh = ClusterRecord { id: format!("{:032x}", rand::random::<u128>()), upstream_id, other: Map::new() };
    let cluster = records.cluster(&fresh).await?;
    me.belongs(&cluster.id, &of.endpoints)?;
    if cluster.upstream_id != upstream_id {
        return Err(ClusterError::OtherUpstream { expected: cluster.upstream_id, found: upstream_id }.into());
    }
    let seen = address_is_free(&records, &me).await?;
    match seen.wish(&me.node) {
        NodeWish::Up => {}
        NodeWish::Draining => {
            tracing::info!(node = me.node, "this node was drained; it takes work again");
            records.set_node(&me.node, &NodeRecord::of(NodeWish::Up)).await?;
        }
        NodeWish::Maintenance => {
            tracing::info!(
                node = me.node,
                "this node is in maintenance: it goes on with what it had and gets nothing new"
            );
        }
    }
    let id = ClusterId(identity::number("the cluster's id", &cluster.id)?);
    let greets = Me {
        cluster: id,
        capture: me.capture,
        address: options.address.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let (transport, arrivals) = Transport::new(greets, of.tls.as_ref()).map_err(ClusterError::from)?;
    let machine =
        NodeConfig { cluster: id, capture: me.capture, owner_rev_seen: me.owner_rev()?, rules: Rules::default() };
    let member = MemberRecord {
        node: me.node.clone(),
        address: options.address.clone(),
        zone: of.zone.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_ms: now_ms(),
        other: Map::new(),
    };
    let clock = Clock::start();
    let (tell, told) = driver::channel();
    let (world, seen) = watch::channel(Arc::default());
    let http = options.plugins.peers.clone().unwrap_or_else(|| (reqwest::Client::new(), false));
    let cluster = Cluster {
        me,
        store: records,
        transport,
        http,
        world: seen,
        runs: Mutex::new(BTreeMap::new()),
        gate: Gate::new(clock),
        keeps_runs: AtomicBool::new(false),
        lease: Arc::new(Lease::new(Arc::clone(&store))),
        member,
        tell,
    };
    Ok(Starting { cluster: Arc::new(cluster), store, machine, clock, told, arrivals, world })
}

/// Waits until nobody else is registered with the address: whoever was killed there is until its lease ends.
async fn address_is_free(store: &ChangefeedStore, me: &Identity) -> Result<World, ServerError> {
    let deadline = Instant::now() + LEASE_TTL + ADDRESS_GRACE;
    loop {
        let range = store.everything().await?;
        let world = Keys::new(store.prefix(), range.rev, &range.kvs).world();
        let other = world.members.values().find(|m| m.address == me.address && m.node != me.node).cloned();
        let Some(other) = other else { return Ok(world) };
        if Instant::now() >= deadline {
            return Err(ClusterError::AddressTaken { address: me.address.clone(), node: other.node }.into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Starting {
    /// Takes part: registers, talks, runs what it is given.
    pub(crate) fn begin(self, node: &Arc<Node>) {
        let weak: Weak<Node> = Arc::downgrade(node);
        tokio::spawn(following::follow(self.cluster.store.clone(), self.world));
        tokio::spawn(Arc::clone(&self.cluster.lease).keep());
        if let Some(pipes) = self.cluster.transport.pipes() {
            tokio::spawn(spread::take_pipes(weak.clone(), pipes));
        }
        let driver = Driver {
            machine: Machine::new(self.machine, self.clock.now()),
            cluster: self.cluster,
            clock: self.clock,
            holder: Holder::new(weak),
            requests: Driver::requests(),
            complained: None,
        };
        tokio::spawn(driver.run(self.told, self.arrivals));
    }
}
