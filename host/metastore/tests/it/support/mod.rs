//! Stores to test, and an etcd server of one node.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tg_metastore::{EmbeddedStore, EtcdStore, MetaStore};

const ETCD: &str = "/usr/bin/etcd";
/// Starts that are tried, since a free port may be taken before etcd takes it.
const STARTS_MAX: usize = 5;

/// A store with what keeps it alive.
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    pub(crate) store: Arc<dyn MetaStore>,
    _dir: tempfile::TempDir,
    _server: Option<Server>,
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn embedded() -> Backend {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(EmbeddedStore::open(dir.path()).unwrap());
    Backend { name: "embedded", store, _dir: dir, _server: None }
}

/// `None`, said on stderr, when etcd is not installed.
pub(crate) async fn etcd() -> Option<Backend> {
    if !std::path::Path::new(ETCD).exists() {
        eprintln!("passed over: there is no {ETCD}");
        return None;
    }
    for _ in 0..STARTS_MAX {
        if let Some(backend) = try_etcd().await {
            return Some(backend);
        }
    }
    panic!("etcd does not start");
}

async fn try_etcd() -> Option<Backend> {
    let dir = tempfile::tempdir().unwrap();
    let client = format!("http://127.0.0.1:{}", free_port());
    let peer = format!("http://127.0.0.1:{}", free_port());
    let child = Command::new(ETCD)
        .args(["--name", "one", "--unsafe-no-fsync", "--log-level", "error", "--data-dir"])
        .arg(dir.path().join("data"))
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .arg(format!("--initial-cluster=one={peer}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut server = Server(child);
    while server.0.try_wait().unwrap().is_none() {
        if let Ok(store) = EtcdStore::connect(std::slice::from_ref(&client), None).await {
            return Some(Backend { name: "etcd", store: Arc::new(store), _dir: dir, _server: Some(server) });
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    None
}
