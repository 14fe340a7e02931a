//! All streams of a node.

use crate::PeerError;
use crate::dial::Dial;
use crate::greeting::Me;
use crate::link::{Class, Link};
use crate::pipe::{self, Pipe};
use crate::queue::Queue;
use crate::service::{PATH, Service};
use crate::tls::PeerTls;
use crate::wire;
use parking_lot::Mutex;
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_cluster::{Message, Peer};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tonic::transport::ClientTlsConfig;

/// Messages that have come and were not taken yet; beyond it, streams wait.
const INBOX_MAX: usize = 1_024;
/// Messages that wait for one peer.
const CONTROL_QUEUE_MAX: usize = 64;
const BULK_QUEUE_MAX: usize = 8;
/// Pipes that others have opened and nobody has taken yet; beyond it, those who open more wait.
const PIPES_MAX: usize = 64;
/// Larger messages take the other stream.
const CONTROL_MESSAGE_MAX_BYTES: usize = 64 << 10;

/// What comes from other nodes.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all of them are messages, and each is looked at once")]
pub enum Arrival {
    /// A message.
    Message(Message),
    /// The peer's process is gone: its address refuses connections, or another process answers there.
    Down(Peer),
}

/// Where a peer is reached.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Route {
    /// The peer.
    pub peer: Peer,
    /// `host:port`.
    pub address: String,
}

/// Streams to and from other nodes. Ends them when dropped.
pub struct Transport {
    me: Me,
    tls: Option<ClientTlsConfig>,
    links: Mutex<BTreeMap<Route, Links>>,
    inbox: mpsc::Sender<Arrival>,
    piped: mpsc::Sender<Pipe>,
    pipes: Mutex<Option<mpsc::Receiver<Pipe>>>,
    closing: watch::Sender<bool>,
}

struct Links {
    control: (Arc<Queue<Message>>, JoinHandle<()>),
    bulk: (Arc<Queue<Message>>, JoinHandle<()>),
}

impl Drop for Links {
    fn drop(&mut self) {
        self.control.1.abort();
        self.bulk.1.abort();
    }
}

impl Transport {
    /// For this process; with TLS when certificates are given. What comes is taken from the receiver.
    ///
    /// # Errors
    /// [`PeerError::Tls`]. Blocks on the disk.
    pub fn new(me: Me, tls: Option<&PeerTls>) -> Result<(Self, mpsc::Receiver<Arrival>), PeerError> {
        let tls = tls.map(PeerTls::client).transpose()?;
        let (inbox, arrivals) = mpsc::channel(INBOX_MAX);
        let (piped, pipes) = mpsc::channel(PIPES_MAX);
        let (links, pipes, closing) = (Mutex::default(), Mutex::new(Some(pipes)), watch::Sender::new(false));
        let transport = Self { me, tls, links, inbox, piped, pipes, closing };
        Ok((transport, arrivals))
    }

    /// The listening side, to be merged into a router of HTTP requests; it needs HTTP/2.
    pub fn router(&self) -> axum::Router {
        let service = Service {
            me: self.me.clone(),
            inbox: self.inbox.clone(),
            piped: self.piped.clone(),
            closed: self.closing.subscribe(),
        };
        axum::Router::new().route_service(PATH, service.server())
    }

    /// What others open to this node; for the first who asks.
    pub fn pipes(&self) -> Option<mpsc::Receiver<Pipe>> {
        self.pipes.lock().take()
    }

    /// Opens a pipe to a peer.
    ///
    /// # Errors
    /// When the peer is not known, cannot be reached, is another process than was meant, or knows no pipes.
    pub async fn pipe(&self, to: Peer) -> Result<Pipe, PeerError> {
        let route = self.links.lock().keys().find(|route| route.peer == to).cloned();
        let Some(route) = route else {
            return Err(PeerError::Unreachable {
                address: to.to_string(),
                refused: false,
                cause: "it is not registered".to_owned(),
            });
        };
        pipe::open(&self.dial(&route), self.closing.subscribe()).await
    }

    /// Keeps streams to exactly these peers.
    pub fn route(&self, peers: &[Route]) {
        let mut links = self.links.lock();
        links.retain(|route, _| peers.contains(route));
        for route in peers.iter().filter(|r| r.peer.capture != self.me.capture) {
            links.entry(route.clone()).or_insert_with(|| Links {
                control: self.link(route, Class::Control, CONTROL_QUEUE_MAX),
                bulk: self.link(route, Class::Bulk, BULK_QUEUE_MAX),
            });
        }
    }

    /// Sends to a peer as well as it can; to one that has no route nothing is sent.
    pub fn send(&self, to: Peer, message: Message) {
        let links = self.links.lock();
        let Some((_, link)) = links.iter().find(|(route, _)| route.peer == to) else { return };
        let large = wire::to_proto(&message).encoded_len() > CONTROL_MESSAGE_MAX_BYTES;
        let (queue, _) = if large { &link.bulk } else { &link.control };
        if !queue.push(message) {
            tracing::debug!(peer = %to, "a message gave way to a newer one");
        }
    }

    /// Ends every stream, in and out.
    pub fn close(&self) {
        self.closing.send_replace(true);
        self.links.lock().clear();
    }

    fn link(&self, route: &Route, class: Class, max: usize) -> (Arc<Queue<Message>>, JoinHandle<()>) {
        let queue = Arc::new(Queue::new(max));
        let (dial, inbox) = (self.dial(route), self.inbox.clone());
        let link = Link { dial, class, queue: Arc::clone(&queue), inbox };
        (queue, tokio::spawn(link.run()))
    }

    fn dial(&self, route: &Route) -> Dial {
        Dial { me: self.me.clone(), peer: route.peer, address: route.address.clone(), tls: self.tls.clone() }
    }
}
