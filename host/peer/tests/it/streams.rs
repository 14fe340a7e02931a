//! Nodes on loopback: they talk, refuse strangers, notice each other's end, and find each other again.

use std::net::SocketAddr;
use std::time::Duration;
use tg_cluster::{
    Body, CaptureId, ClusterId, CommandKind, Epoch, FeedId, Header, Incarnation, Members, Message, OwnerRev, Peer,
    Publish, RunId, SlotCommand, slot_key,
};
use tg_model::{Position, TableId, Ts};
use tg_peer::{Arrival, Me, PeerError, PeerTls, Route, Transport};
use tokio::net::TcpListener;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const CLUSTER: ClusterId = ClusterId(77);

struct Node {
    peer: Peer,
    address: SocketAddr,
    transport: Transport,
    arrivals: Receiver<Arrival>,
    server: JoinHandle<()>,
}

fn peer(n: u128) -> Peer {
    Peer { capture: CaptureId(n), inc: Incarnation(n as u64) }
}

fn me(cluster: ClusterId, n: u128, address: SocketAddr) -> Me {
    Me { cluster, capture: CaptureId(n), address: address.to_string(), version: "test".to_owned() }
}

async fn node(cluster: ClusterId, n: u128, at: Option<SocketAddr>) -> Node {
    let listener = TcpListener::bind(at.unwrap_or(([127, 0, 0, 1], 0).into())).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (transport, arrivals) = Transport::new(me(cluster, n, address), None).unwrap();
    let router = transport.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Node { peer: peer(n), address, transport, arrivals, server }
}

impl Node {
    fn knows(&self, others: &[&Self]) {
        let routes: Vec<_> = others.iter().map(|o| Route { peer: o.peer, address: o.address.to_string() }).collect();
        self.transport.route(&routes);
    }

    fn says(&self, to: &Self, body: Body) -> Message {
        let head = Header { cluster: CLUSTER, from: self.peer, to: to.peer, owner_rev: OwnerRev(1), proto: 1 };
        let message = Message { head, body };
        self.transport.send(to.peer, message.clone());
        message
    }

    async fn next(&mut self) -> Arrival {
        tokio::time::timeout(PATIENCE, self.arrivals.recv()).await.expect("nothing came").unwrap()
    }

    /// Says it until it arrives: a stream that is just being opened may lose what was said before.
    async fn reaches(&self, to: &mut Self, body: Body) {
        for _ in 0..300 {
            let said = self.says(to, body.clone());
            if let Ok(Some(got)) = tokio::time::timeout(Duration::from_millis(100), to.arrivals.recv()).await {
                assert_eq!(got, Arrival::Message(said));
                return;
            }
        }
        panic!("it never arrived");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_both_ways_small_and_large() {
    let (mut a, mut b) = (node(CLUSTER, 1, None).await, node(CLUSTER, 2, None).await);
    a.knows(&[&a, &b]);
    b.knows(&[&a, &b]);
    a.reaches(&mut b, Body::Announce).await;
    b.reaches(&mut a, Body::PreVote).await;
    let members: Members = (0..50_000).map(|t| (TableId(t), Ts::new(9))).collect();
    let kind = CommandKind::Prepare { start: Position::ZERO, members: members.into() };
    let command = SlotCommand { key: slot_key(FeedId(1), 0), run: RunId(1), epoch: Epoch::new(OwnerRev(1), 1), kind };
    let large = Body::Publish(Publish { seq: 1, commands: vec![command], ..Publish::default() });
    a.reaches(&mut b, large).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_is_noticed_and_found_again() {
    let (mut a, mut b) = (node(CLUSTER, 1, None).await, node(CLUSTER, 2, None).await);
    a.knows(&[&b]);
    a.reaches(&mut b, Body::Announce).await;
    let address = b.address;
    b.server.abort();
    b.transport.close();
    drop(b);
    assert_eq!(a.next().await, Arrival::Down(peer(2)), "its address refuses");
    // Another process at the same address: what is meant for the old one is not for it.
    let mut c = node(CLUSTER, 3, Some(address)).await;
    for _ in 0..5 {
        a.transport.send(peer(2), a.says(&c, Body::Announce));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    a.knows(&[&c]);
    a.reaches(&mut c, Body::Stale).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_meant_is_told_to_be_gone() {
    let mut a = node(CLUSTER, 1, None).await;
    let other = node(CLUSTER, 9, None).await;
    a.transport.route(&[Route { peer: peer(2), address: other.address.to_string() }]);
    assert_eq!(a.next().await, Arrival::Down(peer(2)), "another process answers there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_cluster_hears_nothing() {
    let a = node(CLUSTER, 1, None).await;
    let mut stranger = node(ClusterId(78), 2, None).await;
    a.knows(&[&stranger]);
    for _ in 0..20 {
        a.says(&stranger, Body::Announce);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(stranger.arrivals.try_recv().is_err(), "no message passes between clusters");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_speaks_for_another() {
    let (a, mut b) = (node(CLUSTER, 1, None).await, node(CLUSTER, 2, None).await);
    a.knows(&[&b]);
    let forged = Header { cluster: CLUSTER, from: peer(5), to: b.peer, owner_rev: OwnerRev(9), proto: 1 };
    for _ in 0..20 {
        a.transport.send(b.peer, Message { head: forged, body: Body::Announce });
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(b.arrivals.try_recv().is_err(), "a message in another's name is not handed in");
    a.reaches(&mut b, Body::Announce).await;
}

/// Certificates of one CA, as files.
struct Pki {
    _folder: tempfile::TempDir,
    ca: tg_test_servers::Pki,
}

impl Pki {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let ca = tg_test_servers::Pki::new(folder.path()).unwrap();
        Self { _folder: folder, ca }
    }

    fn identity(&self, name: &str) -> PeerTls {
        let signed = self.ca.identity(name).unwrap();
        PeerTls { ca: Some(signed.ca), identity: Some((signed.cert, signed.key)) }
    }
}

/// A node that asks for certificates of its CA.
async fn secured(n: u128, tls: &PeerTls) -> Node {
    use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig, server::TcpIncoming};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (transport, arrivals) = Transport::new(me(CLUSTER, n, address), Some(tls)).unwrap();
    let (cert, key) = tls.identity.as_ref().unwrap();
    let read = |p: &std::path::Path| std::fs::read(p).unwrap();
    let config = ServerTlsConfig::new()
        .identity(Identity::from_pem(read(cert), read(key)))
        .client_ca_root(Certificate::from_pem(read(tls.ca.as_ref().unwrap())));
    let routes = tonic::service::Routes::from(transport.router());
    let server = Server::builder().tls_config(config).unwrap().add_routes(routes);
    let incoming = TcpIncoming::from(listener);
    let server = tokio::spawn(async move { server.serve_with_incoming(incoming).await.unwrap() });
    Node { peer: peer(n), address, transport, arrivals, server }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_shown_and_asked_for() {
    let (pki, foreign) = (Pki::new(), Pki::new());
    let mut a = secured(1, &pki.identity("a")).await;
    let b = secured(2, &pki.identity("b")).await;
    b.knows(&[&a]);
    b.reaches(&mut a, Body::Announce).await;
    let stranger = PeerTls { identity: foreign.identity("s").identity, ca: pki.identity("x").ca };
    let stranger = secured(3, &stranger).await;
    stranger.knows(&[&a]);
    for _ in 0..20 {
        stranger.says(&a, Body::Announce);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(a.arrivals.try_recv().is_err(), "a certificate of another CA opens nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_keeps_order_waits_and_ends_with_either_end() {
    let (a, b) = (node(CLUSTER, 1, None).await, node(CLUSTER, 2, None).await);
    a.knows(&[&b]);
    let mut taken = b.transport.pipes().unwrap();
    assert!(b.transport.pipes().is_none(), "there is one who takes them");
    let mut here = a.transport.pipe(peer(2)).await.unwrap();
    let mut there = taken.recv().await.unwrap();
    assert_eq!((here.with, there.with), (CaptureId(2), CaptureId(1)));
    let out = here.out.clone();
    let said = tokio::spawn(async move {
        for n in 0..5_000_u32 {
            out.send(n.to_be_bytes().to_vec().into()).await.unwrap();
        }
    });
    for n in 0..5_000_u32 {
        assert_eq!(there.into.next().await.unwrap(), n.to_be_bytes().to_vec());
    }
    said.await.unwrap();
    there.out.send(vec![7; tg_peer::BODY_MAX_BYTES].into()).await.unwrap();
    assert_eq!(here.into.next().await.unwrap().len(), tg_peer::BODY_MAX_BYTES);
    drop(there);
    let ended = tokio::time::timeout(PATIENCE, here.into.next()).await.expect("nobody noticed");
    assert_eq!(ended, Err(tg_peer::PipeEnded));
    // And the other way round.
    let here = a.transport.pipe(peer(2)).await.unwrap();
    let mut there = taken.recv().await.unwrap();
    drop(here);
    let ended = tokio::time::timeout(PATIENCE, there.into.next()).await.expect("nobody noticed");
    assert_eq!(ended, Err(tg_peer::PipeEnded));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_is_opened_to_who_is_meant_only() {
    let a = node(CLUSTER, 1, None).await;
    let (stranger, other) = (node(ClusterId(78), 2, None).await, node(CLUSTER, 9, None).await);
    assert!(matches!(a.transport.pipe(peer(2)).await, Err(PeerError::Unreachable { .. })), "nobody said where it is");
    a.transport.route(&[Route { peer: peer(2), address: stranger.address.to_string() }]);
    assert!(matches!(a.transport.pipe(peer(2)).await, Err(PeerError::OtherCluster { .. })));
    a.transport.route(&[Route { peer: peer(2), address: other.address.to_string() }]);
    assert!(matches!(a.transport.pipe(peer(2)).await, Err(PeerError::OtherProcess { .. })));
}
