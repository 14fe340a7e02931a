//! An upstream, an etcd, several nodes and a MariaDB.

use serde_json::Value;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tg_test_servers::Etcd;
use tg_testkit::{Api, MariaDb, Sql, Tidegate, UpstreamTidb};
use tokio::sync::{Mutex, MutexGuard};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(30);

/// Held by the cluster that runs. Nodes find each other dead after a fraction of a second: a dozen servers of another test beside
/// them, on two cores, would be what is tested.
static ALONE: Mutex<()> = Mutex::const_new(());

/// All of it. The order is that of the end.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Tidegate>,
    pub(crate) upstream: UpstreamTidb,
    pub(crate) downstream: MariaDb,
    pub(crate) etcd: Etcd,
    pub(crate) folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

fn members() -> usize {
    std::env::var("TIDEGATE_ETCD_MEMBERS").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}

impl Cluster {
    /// Starts so many nodes and waits until they know each other and have an owner.
    pub(crate) async fn start(nodes: usize) -> Self {
        let mut cluster = Self::without_nodes().await;
        for n in 0..nodes {
            let node = cluster.node(&format!("n{n}"), &[]).unwrap();
            cluster.nodes.push(node);
        }
        cluster.complete().await;
        cluster
    }

    /// What nodes need.
    pub(crate) async fn without_nodes() -> Self {
        Self::upon(Etcd::start).await
    }

    /// What nodes need, with an etcd that wants certificates.
    pub(crate) async fn with_secured_etcd() -> Self {
        Self::upon(Etcd::start_tls).await
    }

    async fn upon(etcd: fn(usize) -> anyhow::Result<Etcd>) -> Self {
        let alone = ALONE.lock().await;
        let folder = TempDir::with_prefix("tidegate-cluster-").unwrap();
        let etcd = etcd(members()).unwrap();
        let downstream = MariaDb::start_with(&["--max-connections=2000"]).unwrap();
        let upstream = UpstreamTidb::start().unwrap();
        Self { nodes: Vec::new(), upstream, downstream, etcd, folder, _alone: alone }
    }

    /// Waits until the nodes know each other and have an owner.
    pub(crate) async fn complete(&self) {
        self.until("every node is registered and one is the owner", |captures| {
            captures.len() == self.nodes.len() && captures.iter().any(|c| c["is_owner"] == true)
        })
        .await;
    }

    pub(crate) fn metastore(&self) -> String {
        let endpoints = self.etcd.endpoints();
        let hosts: Vec<_> = endpoints.iter().filter_map(|e| e.split("://").nth(1)).collect();
        let scheme = if self.etcd.tls().is_some() { "etcds" } else { "etcd" };
        format!("{scheme}://{}", hosts.join(","))
    }

    /// Starts a node in a folder of its own.
    pub(crate) fn node(&self, name: &str, flags: &[&str]) -> anyhow::Result<Tidegate> {
        let metastore = self.metastore();
        let flags = [&["--metastore", &metastore], flags].concat();
        Tidegate::start_with(&self.upstream.pd(), &self.folder.path().join(name), &flags)
    }

    pub(crate) fn api(&self, node: usize) -> Api {
        self.nodes[node].api()
    }

    pub(crate) fn logs(&self) -> String {
        let log = |(i, n): (usize, &Tidegate)| format!("--- node {i}, {}\n{}", n.address(), n.log_tail());
        self.nodes.iter().enumerate().map(log).collect()
    }

    /// The captures as some node that answers lists them.
    pub(crate) async fn captures(&self) -> Vec<Value> {
        for node in &self.nodes {
            let asked = node.api();
            let call = asked.call(reqwest::Method::GET, "/captures", None);
            if let Ok(Ok(found)) = tokio::time::timeout(Duration::from_secs(2), call).await {
                return found["items"].as_array().cloned().unwrap_or_default();
            }
        }
        Vec::new()
    }

    pub(crate) async fn until(&self, what: &str, is: impl Fn(&[Value]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is(&self.captures().await) {
            assert!(Instant::now() < deadline, "waited for: {what}\n{}", self.logs());
            tokio::time::sleep(POLL).await;
        }
    }

    fn at(&self, address: &str) -> Option<usize> {
        self.nodes.iter().position(|n| n.address() == address)
    }

    /// The node that is the owner.
    pub(crate) async fn owner(&self) -> usize {
        self.until("there is an owner", |c| c.iter().any(|c| c["is_owner"] == true)).await;
        let captures = self.captures().await;
        let owner = captures.iter().find(|c| c["is_owner"] == true).expect("an owner");
        self.at(owner["address"].as_str().unwrap()).expect("one of the nodes")
    }

    /// The id of a node.
    pub(crate) async fn capture(&self, node: usize) -> String {
        let address = self.nodes[node].address();
        let captures = self.captures().await;
        let found = captures.iter().find(|c| c["address"] == address.as_str()).expect("it is registered");
        found["id"].as_str().unwrap().to_owned()
    }

    /// A node that answers, other than this one.
    pub(crate) fn other(&self, than: usize) -> usize {
        (than + 1) % self.nodes.len()
    }

    /// The node that runs a changefeed, as `asked` says, once it is none of `not`.
    pub(crate) async fn runner(&self, asked: usize, feed: &str, not: &[usize]) -> usize {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.api(asked).changefeed(feed).await.unwrap_or_default();
            let at = shown["maintainer_addr"].as_str().and_then(|a| self.at(a));
            if let Some(at) = at.filter(|at| !not.contains(at)) {
                return at;
            }
            assert!(Instant::now() < deadline, "{feed} runs nowhere else: {shown}\n{}", self.logs());
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until everything that is committed upstream now is downstream, as the first node that answers says.
    pub(crate) async fn catch_up(&self, feed: &str) {
        let mut up = Sql::connect(&self.upstream.url()).await.unwrap();
        let now = up.now_ts().await.unwrap();
        let (begin, deadline) = (Instant::now(), Instant::now() + PATIENCE);
        let mut last = Value::Null;
        while Instant::now() < deadline {
            for node in &self.nodes {
                let api = node.api();
                let call = api.changefeed(feed);
                let Ok(Ok(shown)) = tokio::time::timeout(Duration::from_secs(2), call).await else { continue };
                if shown["checkpoint_ts"].as_u64().is_some_and(|ts| ts >= now) {
                    println!("{feed} caught up after {:.1?}", begin.elapsed());
                    return;
                }
                last = shown;
            }
            tokio::time::sleep(POLL).await;
        }
        panic!("{feed} does not catch up: {last}\n{}", self.logs());
    }
}
