//! The node: what its changefeeds share.

use crate::ServerError;
use crate::cluster::{self, Cluster, ClusterOptions};
use crate::guest_log::GuestLog;
use crate::handle::Handle;
use crate::keep_up::Attempts;
use crate::quarantine::Quarantines;
use crate::record::{NodeFacts, Record};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tg_api::FeedState;
use tg_metastore::{ChangefeedStore, EmbeddedStore, Guard, LeaseId, MetaStore, OwnerRevision};
use tg_model::ChangefeedId;
use tg_plugin::{EngineOptions, PluginEngine};
use tg_registry::{BlobSource, Builtins, HttpBlobs, NoPeers, Registry, RegistryOptions};
use tg_signature::PublicKey;
use tg_sorter::{SorterConfig, SorterStore};
use tg_upstream::{TlsPaths, Upstream, UpstreamConfig};

/// Generation of the metadata's keys.
pub(crate) const GENERATION: u32 = 1;
/// Life of the owner's lease. A node alone is owner because its folder is locked, and the embedded store ends the leases of an
/// earlier process when it opens: no clock decides here, so that a process that did not run for a while stays what it was.
const OWNER_TTL: Duration = Duration::from_secs(30 * 24 * 3600);
/// Share of the memory bound that sorters may use: one half.
const SORTER_SHARE: usize = 2;
/// Instances of plugins that may live at once.
const INSTANCES_MAX: u32 = 1_024;
/// Least memory a plugin instance may be given.
const INSTANCE_MEMORY_MIN: usize = 64 << 20;

/// Folder of the data directory that is watched for plugins, as `NAME.wasm`.
const PLUGIN_FOLDER: &str = "plugins";
/// Folder of the data directory that holds components by digest.
const COMPONENT_FOLDER: &str = "components";
/// Folder of the data directory for files that changefeeds name as secrets.
const SECRETS_FOLDER: &str = "secrets";
/// Largest component that is taken when nothing is said.
const COMPONENT_MAX_BYTES: usize = 64 << 20;
/// Folder of the data directory that holds rows put aside.
const QUARANTINE_FOLDER: &str = "quarantine";

/// How a node is set up.
#[derive(Clone)]
pub struct NodeOptions {
    /// Where others reach it, `host:port`.
    pub address: String,
    /// Name of the cluster of nodes.
    pub cluster: String,
    /// PD endpoints.
    pub pd: Vec<String>,
    /// TLS to PD and TiKV.
    pub tls: Option<TlsPaths>,
    /// Metadata, sorted data and compiled plugins are kept below.
    pub data_dir: PathBuf,
    /// Bound of the process' memory.
    pub memory_limit_bytes: usize,
    /// How long PD keeps data for a changefeed whose node is gone.
    pub gc_ttl: Duration,
    /// Changes what the process logs: the level's name.
    pub set_log_level: fn(&str),
    /// What plugins are taken.
    pub plugins: PluginOptions,
    /// The cluster it is one of; `None`: it is alone, and keeps its metadata itself.
    pub cluster_of: Option<ClusterOptions>,
}

/// What plugins a node takes, and where it finds what they need.
#[derive(Clone)]
pub struct PluginOptions {
    /// Lines of plugins, filled by the process' log.
    pub log: GuestLog,
    /// Largest component that is taken.
    pub size_max_bytes: usize,
    /// Keys whose signatures are asked for; empty: none.
    pub trusted_keys: Vec<PublicKey>,
    /// Folder of files that changefeeds name as secrets; `None`: `secrets` in the data directory.
    pub secrets_dir: Option<PathBuf>,
    /// Asks other nodes for components, over TLS if that is true; `None`: there are no others.
    pub peers: Option<(reqwest::Client, bool)>,
}

impl Default for PluginOptions {
    fn default() -> Self {
        Self {
            log: GuestLog::default(),
            size_max_bytes: COMPONENT_MAX_BYTES,
            trusted_keys: Vec::new(),
            secrets_dir: None,
            peers: None,
        }
    }
}

impl NodeOptions {
    /// Folder of files that changefeeds name as secrets.
    pub(crate) fn secrets_dir(&self) -> PathBuf {
        self.plugins.secrets_dir.clone().unwrap_or_else(|| self.data_dir.join(SECRETS_FOLDER))
    }
}

/// A running node.
pub struct Node {
    pub(crate) options: NodeOptions,
    pub(crate) facts: NodeFacts,
    pub(crate) id: String,
    pub(crate) upstream: Upstream,
    pub(crate) store: ChangefeedStore,
    /// Of a node alone.
    owner: Option<OwnerRevision>,
    /// Of one of many.
    pub(crate) cluster: Option<Arc<Cluster>>,
    pub(crate) sorters: Arc<SorterStore>,
    pub(crate) registry: Registry,
    pub(crate) quarantines: Quarantines,
    pub(crate) feeds: Mutex<BTreeMap<ChangefeedId, Handle>>,
    /// Serialises calls that change changefeeds.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// Held by who changes what a name means, until the changefeeds of this node have followed. Before `changing`.
    pub(crate) following: tokio::sync::Mutex<()>,
    pub(crate) attempts: Attempts,
}

impl Node {
    /// Connects to the upstream, opens the data directory, takes ownership and starts every changefeed that should run.
    ///
    /// # Errors
    /// When any of it fails; nothing is left running.
    pub async fn start(options: NodeOptions) -> Result<Arc<Self>, ServerError> {
        let config = UpstreamConfig {
            pd_endpoints: options.pd.clone(),
            tls: options.tls.clone(),
            spill_dir: Some(options.data_dir.join("unmatched")),
            ..UpstreamConfig::default()
        };
        let upstream = Upstream::connect(config).await?;
        let starting = match &options.cluster_of {
            Some(of) => Some(Box::pin(cluster::prepare(&options, of, upstream.cluster_id())).await?),
            None => None,
        };
        let raw_store: Arc<dyn MetaStore> = match &starting {
            Some(starting) => Arc::clone(&starting.store),
            None => Arc::new(EmbeddedStore::open(&options.data_dir)?),
        };
        let store = ChangefeedStore::new(Arc::clone(&raw_store), GENERATION, &options.cluster);
        let owner = match &starting {
            Some(_) => None,
            None => Some(take_ownership(&store, &raw_store, &options.address).await?),
        };
        let cluster = starting.as_ref().map(|s| Arc::clone(&s.cluster));
        let sorters = SorterStore::open(&options.data_dir.join("sorter"), sorter_config(&options))?;
        let engine = PluginEngine::new(&EngineOptions {
            instances_max: INSTANCES_MAX,
            memory_max_bytes: options.memory_limit_bytes.clamp(INSTANCE_MEMORY_MIN, 256 << 20),
            cache_dir: Some(absolute(&options.data_dir.join("compiled"))),
        })?;
        let registry = registry(engine, Arc::clone(&raw_store), &options, cluster.clone());
        let quarantines = Quarantines::new(absolute(&options.data_dir.join(QUARANTINE_FOLDER)));
        let facts = NodeFacts { upstream_id: upstream.cluster_id(), address: options.address.clone() };
        let node = Arc::new(Self {
            id: cluster.as_ref().map_or_else(|| format!("{:032x}", rand::random::<u128>()), |c| c.me.capture_text()),
            options,
            facts,
            upstream,
            store,
            owner,
            cluster,
            sorters,
            registry,
            quarantines,
            feeds: Mutex::default(),
            changing: tokio::sync::Mutex::new(()),
            following: tokio::sync::Mutex::new(()),
            attempts: Attempts::default(),
        });
        match starting {
            Some(starting) => starting.begin(&node),
            None => node.start_stored().await?,
        }
        node.sweep_components().await;
        node.watch_plugins();
        node.keep_components();
        Ok(node)
    }

    async fn start_stored(self: &Arc<Self>) -> Result<(), ServerError> {
        let (records, _) = self.store.list().await?;
        let read = |info: Result<_, _>| info.map_err(ServerError::from).and_then(|i| Record::read(&i));
        let records: Vec<_> = records.into_iter().map(|(id, info)| (id, read(info))).collect();
        for (id, record) in &records {
            let of = record.as_ref().ok().and_then(|r| r.upstream_id);
            if let Some(expected) = of.filter(|of| *of != self.facts.upstream_id) {
                let (changefeed, found) = (id.to_string(), self.facts.upstream_id);
                return Err(ServerError::OtherUpstream { changefeed, expected, found });
            }
        }
        for (id, record) in records {
            match record {
                Ok(r) if matches!(r.state, FeedState::Normal | FeedState::Warning) => self.launch(&id),
                Ok(_) => {}
                Err(e) => {
                    tracing::error!(changefeed = %id, error = %e, "the changefeed's record cannot be read; it does not start")
                }
            }
        }
        Ok(())
    }

    /// What writes to the records of a changefeed depend on; `None`: another node runs it, or nobody does.
    pub(crate) fn guard(&self, id: &ChangefeedId) -> Option<Guard> {
        let run = || self.cluster.as_ref().and_then(|c| c.run(id)).map(Guard::Run);
        self.owner.map(Guard::Owner).or_else(run)
    }

    /// Leaves the cluster: what this node ran, others run from here on. A node alone leaves nobody.
    pub async fn leave(&self) {
        if let Some(cluster) = &self.cluster {
            cluster.leave().await;
        }
    }

    /// Stops every changefeed, with its progress stored. In a cluster, after [`Self::leave`].
    pub async fn shut_down(&self) {
        let feeds = std::mem::take(&mut *self.feeds.lock());
        for handle in feeds.values() {
            let _ = handle.stop.send(true);
        }
        for (id, handle) in feeds {
            if handle.task.await.is_err() {
                tracing::warn!(changefeed = %id, "the changefeed's supervisor ended badly");
            }
        }
        if let Some(owner) = self.owner
            && let Err(e) = self.store.resign(owner).await
        {
            tracing::warn!(error = %e, "ownership could not be given up");
        }
    }
}

fn registry(
    engine: Arc<PluginEngine>,
    store: Arc<dyn MetaStore>,
    options: &NodeOptions,
    cluster: Option<Arc<Cluster>>,
) -> Registry {
    let peers: Arc<dyn BlobSource> = match options.plugins.peers.clone() {
        Some((http, tls)) => {
            let members = move || cluster.as_ref().map(|c| c.addresses()).unwrap_or_default();
            Arc::new(HttpBlobs::new(http, tls).among(members))
        }
        None => Arc::new(NoPeers),
    };
    let set_up = RegistryOptions {
        components: absolute(&options.data_dir.join(COMPONENT_FOLDER)),
        folder: absolute(&options.data_dir.join(PLUGIN_FOLDER)),
        node: options.address.clone(),
        size_max_bytes: options.plugins.size_max_bytes,
        trusted: options.plugins.trusted_keys.clone(),
        builtins: Builtins { names: tg_builtin::NAMES, bytes: tg_builtin::by_name },
    };
    Registry::new(engine, store, (GENERATION, &options.cluster), peers, set_up)
}

fn sorter_config(options: &NodeOptions) -> SorterConfig {
    let memory = options.memory_limit_bytes / SORTER_SHARE;
    SorterConfig {
        memory_limit_bytes: memory,
        spill_threshold_bytes: SorterConfig::SPILL_THRESHOLD_BYTES.min(memory / 4),
        ..SorterConfig::default()
    }
}

fn absolute(path: &std::path::Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Keeps the owner's lease while the store is in use.
async fn keep_alive(store: Weak<dyn MetaStore>, lease: LeaseId) {
    loop {
        tokio::time::sleep(OWNER_TTL / 4).await;
        let Some(store) = store.upgrade() else { return };
        if let Err(e) = store.lease_keep_alive(lease).await {
            tracing::warn!(error = %e, "the owner's lease could not be renewed");
        }
    }
}

async fn take_ownership(
    store: &ChangefeedStore,
    raw: &Arc<dyn MetaStore>,
    address: &str,
) -> Result<OwnerRevision, ServerError> {
    let lease = raw.lease_grant(OWNER_TTL).await?;
    if let Some(owner) = store.take_owner(address, lease).await? {
        tokio::spawn(keep_alive(Arc::downgrade(raw), lease));
        return Ok(owner);
    }
    let other = store.owner().await?.map(|(who, _)| who).unwrap_or_default();
    Err(ServerError::Owned { owner: other })
}
