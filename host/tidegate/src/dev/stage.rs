//! What a plugin is tried on: upstream, node, and what the plugin writes to.

use super::DevError;
use super::catcher::Catcher;
use super::feed::Feed;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tg_api::{ApiOptions, PluginChange};
use tg_kit::Settings;
use tg_playground::{Playground, PlaygroundConfig};
use tg_scratch_mariadb::MariaDb;
use tg_server::{GuestLog, Node, NodeOptions, PluginOptions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where the API listens unless told otherwise.
const ADDR: &str = "127.0.0.1:0";
/// Bound of the node's memory.
const MEMORY_LIMIT_BYTES: usize = 512 << 20;
/// How long old versions can be read upstream.
const HISTORY_MS: u64 = 60_000;
/// How long the upstream keeps what a changefeed that is gone needs.
const GC_TTL: Duration = Duration::from_secs(3600);
/// Name that stands for what the sink URI describes, so that nothing else may have it. The kit's grants have it.
const RESERVED: &str = "downstream";

/// Everything that runs. [`Stage::close`] ends it in order; dropping it ends it at once.
#[derive(Default)]
pub(super) struct Stage {
    // In this order: who writes goes before what it writes to.
    api: Option<JoinHandle<()>>,
    node: Option<Arc<Node>>,
    playground: Option<Arc<Playground>>,
    catcher: Option<Catcher>,
    mariadb: Option<MariaDb>,
    folder: Option<TempDir>,
}

/// What stands around the plugin, as part of a changefeed's file.
#[derive(Default)]
pub(super) struct Surroundings {
    /// `[tidegate.grants…]` tables.
    pub(super) grants: String,
    /// What is granted, by name; the first is what the plugin is told to use.
    pub(super) names: Vec<String>,
    notes: Vec<String>,
}

impl Surroundings {
    pub(super) fn notes(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().map(String::as_str)
    }

    /// Under the name that the settings give, if it is free, or the kind's.
    fn grant(&mut self, kind: &str, name: &str, url: &str) {
        let taken = name == RESERVED || self.names.iter().any(|n| n == name);
        let name = if taken { kind } else { name };
        self.names.push(name.to_owned());
        // Writing to a string cannot fail.
        let _ = write!(self.grants, "[tidegate.grants.{kind}.{name:?}]\nurl = {url:?}\n");
    }
}

impl Stage {
    pub(super) async fn start_upstream(&mut self, seed: u64) -> Result<Arc<Playground>, DevError> {
        let config = PlaygroundConfig { history_ms: Some(HISTORY_MS), seed, stores: 1, ..PlaygroundConfig::default() };
        let playground = Arc::new(Playground::start(config).await?);
        self.playground = Some(Arc::clone(&playground));
        Ok(playground)
    }

    /// Starts the node and its API; gives the address of the API.
    pub(super) async fn start_node(
        &mut self,
        pd: String,
        addr: Option<&str>,
        log: GuestLog,
    ) -> Result<(Arc<Node>, SocketAddr), DevError> {
        let listen = |e| DevError::system("the API cannot listen", e);
        let folder = self.folder()?.to_owned();
        let listener = TcpListener::bind(addr.unwrap_or(ADDR)).await.map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let options = NodeOptions {
            address: addr.to_string(),
            cluster: "dev".to_owned(),
            pd: vec![pd],
            tls: None,
            data_dir: folder.join("data"),
            memory_limit_bytes: MEMORY_LIMIT_BYTES,
            gc_ttl: GC_TTL,
            set_log_level: |_| {},
            plugins: PluginOptions { log, ..PluginOptions::default() },
            cluster_of: None,
        };
        let node = Node::start(options).await?;
        self.node = Some(Arc::clone(&node));
        let api = tg_api::router(Arc::new(node.control()), ApiOptions::default());
        self.api = Some(tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, api).await {
                tracing::warn!(%error, "the API ended");
            }
        }));
        Ok((node, addr))
    }

    /// The temporary folder of everything.
    fn folder(&mut self) -> Result<&Path, DevError> {
        if self.folder.is_none() {
            let made = TempDir::with_prefix("tidegate-dev-");
            self.folder = Some(made.map_err(|e| DevError::system("a temporary folder cannot be made", e))?);
        }
        Ok(self.folder.as_ref().map_or(Path::new("."), TempDir::path))
    }

    /// Starts what the plugin asks for.
    pub(super) async fn surround(
        &mut self,
        feed: &Feed,
        plugin: &PluginChange,
        settings: &Settings,
    ) -> Result<Surroundings, DevError> {
        let mut out = Surroundings::default();
        for (name, value) in settings.grants.iter().flat_map(|g| &g.secret) {
            let _ = write!(out.grants, "[tidegate.grants.secret.{name:?}]\nvalue = {value:?}\n");
        }
        for (capability, required) in feed.capabilities(plugin).await? {
            let named = settings.grants.as_ref().map(|g| match capability.as_str() {
                "http" => g.http.clone(),
                "sql" => g.sql.clone(),
                "object-store" => g.object_store.clone(),
                _ => Vec::new(),
            });
            let names = named.filter(|n| !n.is_empty()).unwrap_or_else(|| vec![RESERVED.to_owned()]);
            match capability.as_str() {
                "http" => {
                    let url = self.catch().await?;
                    names.iter().for_each(|n| out.grant("http", n, &url));
                    out.notes.push(format!("what it sends by HTTP comes to {url} and is shown"));
                }
                "sql" if required || settings.grants.as_ref().is_some_and(|g| !g.sql.is_empty()) => {
                    let url = self.start_mariadb().await?;
                    names.iter().for_each(|n| out.grant("sql", n, &url));
                    out.notes.push(format!("its database is {url}"));
                }
                "object-store" => {
                    let folder = self.folder()?.join("objects");
                    let url = format!("file://{}", folder.display());
                    names.iter().for_each(|n| out.grant("object-store", n, &url));
                    out.notes.push(format!("its objects are files below {}", folder.display()));
                }
                "producer" if required => {
                    let reason = "there is no message queue that could be started here";
                    return Err(DevError::Surroundings { capability, reason });
                }
                _ => {}
            }
        }
        Ok(out)
    }

    async fn catch(&mut self) -> Result<String, DevError> {
        let catcher = Catcher::start().await.map_err(|e| DevError::system("no HTTP receiver can be started", e))?;
        let url = format!("http://{}", catcher.addr);
        self.catcher = Some(catcher);
        Ok(url)
    }

    async fn start_mariadb(&mut self) -> Result<String, DevError> {
        let started = tokio::task::spawn_blocking(MariaDb::start).await;
        let server = started.map_err(|e| DevError::system("MariaDB was not started", e.into()))??;
        let url = server.url();
        self.mariadb = Some(server);
        Ok(url)
    }

    /// What the plugin sent since the last time.
    pub(super) fn caught(&self) -> Vec<String> {
        self.catcher.as_ref().map(Catcher::lines).unwrap_or_default()
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
