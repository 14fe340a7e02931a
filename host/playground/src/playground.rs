//! The running playground: listeners, background loops, faults by hand.

use crate::PlaygroundError;
use crate::ddl::Layout;
use crate::faults::Refusal;
use crate::service::cdc::FeedService;
use crate::service::pd::PdService;
use crate::service::tikv::TikvService;
use crate::service::{Cut, FeedServer, Listener};
use crate::store::{Cluster, StoreInfo};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use tg_proto::pdpb::pd_server::PdServer;
use tg_proto::tikvpb::tikv_server::TikvServer;
use tokio::task::{AbortHandle, JoinSet};
use tonic::transport::Server;

/// Keys that a sweep of old versions looks at in one go.
const SWEEP_KEYS: usize = 20_000;
/// Time between sweeps.
const SWEEP_INTERVAL: Duration = Duration::from_millis(200);
/// Window of HTTP/2 towards the server; requests are small.
const WINDOW_BYTES: u32 = 1 << 20;
/// Biggest HTTP/2 frame the server sends when the client lets it.
const FRAME_MAX_BYTES: u32 = 1 << 20;

/// How a playground is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaygroundConfig {
    /// Stores, each with a listener of its own; every region has a peer on each. At least one.
    pub stores: u32,
    /// Regions of a new table with an integer key.
    pub regions_per_table: u32,
    /// Handles per region of such a table.
    pub region_handles: i64,
    /// Regions above which new tables share the last one.
    pub regions_max: usize,
    /// Time between rounds of resolved timestamps.
    pub resolved_interval_ms: u64,
    /// Bytes that one connection may leave unread before its regions end as congested.
    pub quota_bytes: usize,
    /// How long old versions stay readable when no service holds them; `None`: for ever.
    pub history_ms: Option<u64>,
    /// Seed of ids and of what is random.
    pub seed: u64,
}

impl Default for PlaygroundConfig {
    fn default() -> Self {
        Self {
            stores: 3,
            regions_per_table: 3,
            region_handles: 10_000,
            regions_max: 4096,
            resolved_interval_ms: 100,
            quota_bytes: 512 << 20,
            history_ms: None,
            seed: 0,
        }
    }
}

/// A store that runs.
struct RunningStore {
    cut: Arc<Cut>,
    tasks: Vec<AbortHandle>,
    address: SocketAddr,
}

/// An upstream within this process. Everything stops when it is dropped.
///
/// Tables, transactions and topology are methods of the [`Cluster`] it derefs to.
pub struct Playground {
    cluster: Arc<Cluster>,
    config: PlaygroundConfig,
    pd: SocketAddr,
    pd_cut: Arc<Cut>,
    stores: Mutex<BTreeMap<u64, RunningStore>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Deref for Playground {
    type Target = Arc<Cluster>;

    fn deref(&self) -> &Arc<Cluster> {
        &self.cluster
    }
}

impl Playground {
    /// Opens the listeners and starts the services; needs a tokio runtime.
    ///
    /// # Errors
    /// A listener cannot be opened.
    pub async fn start(config: PlaygroundConfig) -> Result<Self, PlaygroundError> {
        let layout = Layout {
            regions_per_table: config.regions_per_table,
            region_handles: config.region_handles,
            regions_max: config.regions_max,
        };
        let stores = u64::from(config.stores.max(1));
        let id = 7_000_000_000_000_000_000 + config.seed % 1_000_000;
        let cluster = Cluster::new(id, stores, config.quota_bytes, config.history_ms, layout);
        let listener = Listener::bind(None).await?;
        let pd = listener.address();
        let playground =
            Self { cluster, config, pd, pd_cut: Arc::default(), stores: Mutex::default(), tasks: Mutex::default() };
        playground.serve_pd(listener);
        for store in 1..=stores {
            playground.start_store(store).await?;
        }
        playground.cluster.bootstrap()?;
        playground.spawn_sweeper();
        Ok(playground)
    }

    /// The cluster.
    #[must_use]
    pub const fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// What it was started with.
    #[must_use]
    pub const fn config(&self) -> &PlaygroundConfig {
        &self.config
    }

    /// URL of PD: `http://127.0.0.1:port`.
    #[must_use]
    pub fn pd_endpoint(&self) -> String {
        format!("http://{}", self.pd)
    }

    /// Stops everything and waits for it.
    pub async fn shutdown(self) {
        self.stop_all();
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        tasks.shutdown().await;
    }

    fn stop_all(&self) {
        self.pd_cut.cut();
        for store in self.stores.lock().values() {
            store.cut.cut();
            store.tasks.iter().for_each(AbortHandle::abort);
        }
        self.tasks.lock().abort_all();
    }

    fn serve_pd(&self, listener: Listener) {
        let service = PdServer::new(PdService::new(self.cluster.clone(), self.pd));
        let server = Server::builder().add_service(service);
        let incoming = listener.incoming(self.pd_cut.clone());
        self.spawn(async move {
            if let Err(error) = server.serve_with_incoming(incoming).await {
                tracing::warn!(%error, "the playground's PD ended");
            }
        });
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.tasks.lock().spawn(task)
    }

    /// Starts a store, or starts it again: at its old address if that is still free.
    ///
    /// # Errors
    /// The listener cannot be opened.
    pub async fn start_store(&self, store: u64) -> Result<(), PlaygroundError> {
        let before = self.stores.lock().get(&store).map(|s| s.address);
        let listener = Listener::bind(before).await?;
        let (address, cut) = (listener.address(), Arc::new(Cut::default()));
        let server = Server::builder()
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .max_frame_size(FRAME_MAX_BYTES)
            .add_service(TikvServer::new(TikvService { cluster: self.cluster.clone(), store }))
            .add_service(FeedServer(Arc::new(FeedService::new(self.cluster.clone(), store))));
        let incoming = listener.incoming(cut.clone());
        let serve = self.spawn(async move {
            if let Err(error) = server.serve_with_incoming(incoming).await {
                tracing::warn!(store, %error, "a store of the playground ended");
            }
        });
        let resolve = self.spawn_resolver(store);
        let info = StoreInfo { address: address.to_string(), up: true };
        self.cluster.lock().stores.insert(store, info);
        self.stores.lock().insert(store, RunningStore { cut, tasks: vec![serve, resolve], address });
        self.cluster.lead_orphans(store);
        Ok(())
    }

    fn spawn_resolver(&self, store: u64) -> AbortHandle {
        let cluster = self.cluster.clone();
        let interval = Duration::from_millis(self.config.resolved_interval_ms.max(1));
        self.spawn(async move {
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                cluster.resolved_round(store);
            }
        })
    }

    fn spawn_sweeper(&self) {
        let cluster = self.cluster.clone();
        self.spawn(async move {
            let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                cluster.sweep(SWEEP_KEYS);
            }
        });
    }

    /// Stops a store: its connections break at once, its leaders move to stores that are up.
    ///
    /// # Errors
    /// There is no such store.
    pub fn stop_store(&self, store: u64) -> Result<(), PlaygroundError> {
        let stores = self.stores.lock();
        let running = stores.get(&store).ok_or(PlaygroundError::UnknownStore { store })?;
        running.tasks.iter().for_each(AbortHandle::abort);
        running.cut.cut();
        drop(stores);
        self.cluster.evict_leaders(store);
        Ok(())
    }

    /// Breaks all connections to a store; it goes on and new ones may come.
    ///
    /// # Errors
    /// There is no such store.
    pub fn cut_streams(&self, store: u64) -> Result<(), PlaygroundError> {
        let stores = self.stores.lock();
        stores.get(&store).ok_or(PlaygroundError::UnknownStore { store })?.cut.cut();
        Ok(())
    }

    /// Breaks all connections to PD; new ones may come.
    pub fn cut_pd(&self) {
        self.pd_cut.cut();
    }

    /// Takes PD's leader away, or gives it back: calls fail, streams break.
    pub fn set_pd_leaderless(&self, leaderless: bool) {
        self.cluster.faults.set_pd_leaderless(leaderless);
    }

    /// Refuses the next `times` registrations of change feeds.
    pub fn refuse_registrations(&self, refusal: Refusal, times: usize) {
        self.cluster.faults.refuse(refusal, times);
    }

    /// Pauses scans before every step (zero: no more).
    pub fn set_scan_pause(&self, pause: Duration) {
        self.cluster.faults.set_scan_pause(pause);
    }

    /// Stops sending resolved timestamps, or starts again.
    pub fn set_resolved_frozen(&self, frozen: bool) {
        self.cluster.faults.set_resolved_frozen(frozen);
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        self.stop_all();
    }
}
