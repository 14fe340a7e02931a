//! What the demo runs on: upstream, downstream and node, all in this process or started by it.

use super::error::DemoError;
use super::target::Target;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tg_api::{ApiOptions, Control, FeedState, NewChangefeed, Progress};
use tg_config::{ChangefeedConfig, SinkUri};
use tg_model::{ChangefeedId, Ts};
use tg_playground::{Playground, PlaygroundConfig};
use tg_scratch_mariadb::MariaDb;
use tg_server::{Node, NodeOptions, PluginOptions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where the API listens unless told otherwise.
const ADDR: &str = "127.0.0.1:8300";
/// Where it listens when that is taken.
const ADDR_ANY: &str = "127.0.0.1:0";
/// Bound of the node's memory.
const MEMORY_LIMIT_BYTES: usize = 1 << 30;
/// How long old versions can be read upstream.
const HISTORY_MS: u64 = 60_000;
/// How long the upstream keeps what a changefeed that is gone needs.
const GC_TTL: Duration = Duration::from_secs(3600);

/// Everything that runs. [`Stage::close`] ends it in order; dropping it ends it at once.
#[derive(Default)]
pub(super) struct Stage {
    // In this order: who writes goes before what it writes to.
    api: Option<JoinHandle<()>>,
    node: Option<Arc<Node>>,
    playground: Option<Arc<Playground>>,
    mariadb: Option<MariaDb>,
    folder: Option<TempDir>,
}

/// The changefeed of the demo.
pub(super) struct Feed {
    node: Arc<Node>,
    id: ChangefeedId,
}

/// How the changefeed is.
pub(super) struct FeedStatus {
    pub(super) checkpoint: Ts,
    pub(super) state: FeedState,
    /// Code and message of the error it met last, while it matters.
    pub(super) error: Option<(String, String)>,
    pub(super) progress: Progress,
}

impl Stage {
    /// Starts the scratch server and gives its sink URI.
    pub(super) async fn start_mariadb(&mut self) -> Result<String, DemoError> {
        let started = tokio::task::spawn_blocking(MariaDb::start).await;
        let server = started.map_err(|e| DemoError::System { what: "starting MariaDB", error: e.into() })??;
        let uri = server.url();
        self.mariadb = Some(server);
        Ok(uri)
    }

    /// Starts the upstream.
    pub(super) async fn start_upstream(&mut self, seed: u64) -> Result<Arc<Playground>, DemoError> {
        let config = PlaygroundConfig { history_ms: Some(HISTORY_MS), seed, ..PlaygroundConfig::default() };
        let playground = Arc::new(Playground::start(config).await?);
        self.playground = Some(Arc::clone(&playground));
        Ok(playground)
    }

    /// Starts the node and its API; gives the address of the API.
    pub(super) async fn start_node(
        &mut self,
        pd: String,
        addr: Option<&str>,
    ) -> Result<(Arc<Node>, SocketAddr), DemoError> {
        let folder = TempDir::with_prefix("tidegate-demo-")
            .map_err(|error| DemoError::System { what: "a temporary folder cannot be made", error })?;
        let (listener, addr) = listen(addr).await?;
        let node = Node::start(options(pd, folder.path(), addr)).await?;
        self.folder = Some(folder);
        self.node = Some(Arc::clone(&node));
        let api = tg_api::router(Arc::new(node.control()), ApiOptions::default());
        self.api = Some(tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, api).await {
                tracing::warn!(%error, "the API ended");
            }
        }));
        Ok((node, addr))
    }

    /// Ends everything in order: no server, no connection and no folder stays.
    pub(super) async fn close(mut self) {
        if let Some(api) = self.api.take() {
            api.abort();
        }
        if let Some(node) = self.node.take() {
            node.shut_down().await;
        }
        if let Some(playground) = self.playground.take().and_then(Arc::into_inner) {
            playground.shutdown().await;
        }
    }
}

async fn listen(addr: Option<&str>) -> Result<(TcpListener, SocketAddr), DemoError> {
    let wanted = addr.unwrap_or(ADDR);
    let mut bound = TcpListener::bind(wanted).await;
    if addr.is_none() && bound.is_err() {
        bound = TcpListener::bind(ADDR_ANY).await;
    }
    let bound = bound.and_then(|l| l.local_addr().map(|a| (l, a)));
    bound.map_err(|error| DemoError::Listen { addr: wanted.to_owned(), error })
}

fn options(pd: String, folder: &Path, addr: SocketAddr) -> NodeOptions {
    NodeOptions {
        address: addr.to_string(),
        cluster: "demo".to_owned(),
        pd: vec![pd],
        tls: None,
        data_dir: folder.to_owned(),
        memory_limit_bytes: MEMORY_LIMIT_BYTES,
        gc_ttl: GC_TTL,
        set_log_level: |_| {},
        plugins: PluginOptions::default(),
        cluster_of: None,
    }
}

impl Feed {
    /// Creates the changefeed, from `start` on.
    pub(super) async fn create(
        node: Arc<Node>,
        sink_uri: SinkUri,
        config: ChangefeedConfig,
        start: u64,
    ) -> Result<Self, DemoError> {
        let id = ChangefeedId { namespace: ChangefeedId::DEFAULT_NAMESPACE.to_owned(), name: "demo".to_owned() };
        let new = NewChangefeed { id: id.clone(), start_ts: Some(Ts::new(start)), target_ts: None, sink_uri, config };
        node.control().create(new).await?;
        Ok(Self { node, id })
    }

    /// How it is.
    pub(super) async fn status(&self) -> Result<FeedStatus, DemoError> {
        let control = self.node.control();
        let feed = control.get(&self.id).await?;
        let progress = control.progress(&self.id).await?;
        let error = feed.error.map(|e| (e.code, e.message));
        Ok(FeedStatus { checkpoint: feed.checkpoint_ts, state: feed.state, error, progress })
    }
}

/// A description of the downstream, and a connection to read it with if it is a database.
pub(super) async fn meet(uri: &SinkUri, config: &ChangefeedConfig) -> Result<(String, Option<Target>), DemoError> {
    let mut target = Target::connect(uri, config).await?;
    let what = match &mut target {
        Some(target) => target.version().await?,
        None => "no database: rows are not compared".to_owned(),
    };
    Ok((what, target))
}
