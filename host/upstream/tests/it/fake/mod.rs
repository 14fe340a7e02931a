//! A PD and stores whose answers the test decides.
#![allow(dead_code, unused_imports, reason = "each test uses a part")]

mod pd;
mod store;

pub(crate) use store::{Feed, committed};

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tg_proto::cdcpb::change_data_server::ChangeDataServer;
use tg_proto::pdpb::pd_server::PdServer;
use tg_proto::tikvpb::tikv_server::TikvServer;
use tg_proto::{metapb, pdpb};
use tg_upstream::{FeedLimits, Upstream, UpstreamConfig};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::transport::{Server, ServerTlsConfig};

pub(crate) const CLUSTER: u64 = 4711;
/// Longest wait for something that comes at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What all servers of the fake know.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) pd_urls: Vec<String>,
    /// Index of the leading PD; none: election.
    pub(crate) leader: Option<usize>,
    pub(crate) cluster_ids: HashMap<usize, u64>,
    pub(crate) clock: u64,
    /// Sizes of the TSO requests answered.
    pub(crate) tso_counts: Vec<u32>,
    pub(crate) tso_delay: Duration,
    pub(crate) regions: Vec<pdpb::Region>,
    pub(crate) no_batch_scan: bool,
    pub(crate) no_classic_gc: bool,
    pub(crate) safe_point: u64,
    pub(crate) holds: HashMap<String, (u64, i64)>,
    pub(crate) calls: Vec<&'static str>,
    pub(crate) stores: HashMap<u64, SocketAddr>,
    pub(crate) old_stores: bool,
}

pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    feeds: mpsc::UnboundedReceiver<Feed>,
}

impl Fake {
    /// PD members (the first leads) and stores 1..=n.
    pub(crate) async fn start(pds: usize, stores: u64) -> Self {
        Self::start_with(pds, stores, None).await
    }

    /// With TLS if asked.
    pub(crate) async fn start_with(pds: usize, stores: u64, tls: Option<ServerTlsConfig>) -> Self {
        let server = || match &tls {
            Some(tls) => Server::builder().tls_config(tls.clone()).unwrap(),
            None => Server::builder(),
        };
        let state = Arc::new(Mutex::new(State { clock: 1 << 40, leader: Some(0), ..State::default() }));
        let (tx, feeds) = mpsc::unbounded_channel();
        for index in 0..pds {
            let (listener, address) = listen().await;
            state.lock().unwrap().pd_urls.push(format!("http://{address}"));
            let service = PdServer::new(pd::FakePd { index, state: Arc::clone(&state) });
            serve(server().add_service(service), listener);
        }
        for store in 1..=stores {
            let (listener, address) = listen().await;
            state.lock().unwrap().stores.insert(store, address);
            let service = store::FakeStore { store, state: Arc::clone(&state), feeds: tx.clone() };
            let router =
                server().add_service(ChangeDataServer::new(service.clone())).add_service(TikvServer::new(service));
            serve(router, listener);
        }
        Self { state, feeds }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) async fn connect(&self) -> Upstream {
        self.connect_with(FeedLimits { streams_per_store: 1, reconnect_ms: 50, ..FeedLimits::default() }).await
    }

    pub(crate) async fn connect_with(&self, limits: FeedLimits) -> Upstream {
        let pd_endpoints = vec![self.state().pd_urls[0].clone()];
        Upstream::connect(UpstreamConfig { pd_endpoints, limits, ..UpstreamConfig::default() }).await.unwrap()
    }

    /// The next change feed that a store is called for.
    pub(crate) async fn feed(&mut self) -> Feed {
        tokio::time::timeout(PATIENCE, self.feeds.recv()).await.expect("no feed is asked for").unwrap()
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn serve(router: tonic::transport::server::Router, listener: TcpListener) {
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    tokio::spawn(async move { router.serve_with_incoming(incoming).await });
}

pub(crate) fn peer(store: u64) -> metapb::Peer {
    metapb::Peer { id: store * 100, store_id: store, ..Default::default() }
}

/// A region with peers on stores 1 and 2; bounds are raw keys.
pub(crate) fn region(id: u64, version: u64, start: &str, end: &str, leader: u64) -> pdpb::Region {
    let meta = metapb::Region {
        id,
        start_key: comparable(start),
        end_key: comparable(end),
        region_epoch: Some(metapb::RegionEpoch { conf_ver: 1, version }),
        peers: vec![peer(1), peer(2)],
        ..Default::default()
    };
    pdpb::Region { region: Some(meta), leader: Some(peer(leader)), ..Default::default() }
}

/// Region-key form of short keys; empty stays empty.
pub(crate) fn comparable(key: &str) -> bytes::Bytes {
    assert!(key.len() < 8);
    if key.is_empty() {
        return bytes::Bytes::new();
    }
    let mut out = key.as_bytes().to_vec();
    out.resize(8, 0);
    out.push(0xff - (8 - key.len() as u8));
    out.into()
}
