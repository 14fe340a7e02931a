//! Connections of change feed clients, and their subscriptions.

use super::wire::{Rows, event_field, event_head};
use bytes::Bytes;
use prost::Message;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tg_proto::cdcpb;
use tokio::sync::{Notify, mpsc};

/// Fixed cost of a queued piece in the accounting.
const PIECE_OVERHEAD_BYTES: usize = 64;

/// A piece of output.
#[derive(Debug)]
pub(crate) enum Piece {
    /// An event: its head and its body.
    Event(Bytes, Bytes),
    /// A whole message of resolved timestamps.
    Resolved(Bytes),
}

impl Piece {
    pub(crate) fn len_bytes(&self) -> usize {
        PIECE_OVERHEAD_BYTES
            + match self {
                Self::Event(head, body) => head.len() + body.len(),
                Self::Resolved(message) => message.len(),
            }
    }
}

/// What is waiting to be sent, over all connections.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    bytes: AtomicUsize,
    drained: Notify,
}

impl Backlog {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until less than `limit_bytes` wait.
    pub(crate) async fn below(&self, limit_bytes: usize) {
        loop {
            let mut drained = std::pin::pin!(self.drained.notified());
            drained.as_mut().enable();
            if self.bytes() < limit_bytes {
                return;
            }
            drained.await;
        }
    }

    fn sub(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.drained.notify_waiters();
    }
}

/// One stream of a client to a store.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) id: u64,
    pub(crate) store: u64,
    /// Whether the client asked for multiplexing: several subscriptions of one region.
    pub(crate) multiplexing: bool,
    /// Version of the client, from its first request: (major, minor, patch).
    version: AtomicU64,
    queue: mpsc::UnboundedSender<Piece>,
    queued_bytes: AtomicUsize,
    backlog: Arc<Backlog>,
}

impl Conn {
    pub(crate) fn new(
        id: u64,
        store: u64,
        multiplexing: bool,
        backlog: Arc<Backlog>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Piece>) {
        let (queue, pieces) = mpsc::unbounded_channel();
        let (version, queued_bytes) = (AtomicU64::new(u64::MAX), AtomicUsize::new(0));
        (Arc::new(Self { id, store, multiplexing, version, queue, queued_bytes, backlog }), pieces)
    }

    /// Fixes the client's version by its first request.
    pub(crate) fn set_version(&self, text: &str) {
        let parsed = parse_version(text);
        let _ = self.version.compare_exchange(u64::MAX, parsed, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether the client is at least of this version.
    pub(crate) fn at_least(&self, major: u64, minor: u64, patch: u64) -> bool {
        let version = self.version.load(Ordering::Relaxed);
        version != u64::MAX && version >= (major << 32 | minor << 16 | patch)
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn send(&self, piece: Piece) {
        let bytes = piece.len_bytes();
        self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.backlog.bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.queue.send(piece).is_err() {
            self.sent(bytes);
        }
    }

    /// To be called for every piece that left the queue.
    pub(crate) fn sent(&self, bytes: usize) {
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.backlog.sub(bytes);
    }

    pub(crate) fn send_error(&self, region: u64, request: u64, error: cdcpb::Error) {
        let event = Some(cdcpb::event::Event::Error(error));
        let event = cdcpb::Event { region_id: region, index: 0, request_id: request, event };
        self.send(Piece::Event(event_field(event), Bytes::new()));
    }

    /// Sends resolved timestamps of regions in the form the client's version knows.
    pub(crate) fn send_resolved(&self, regions: Vec<u64>, ts: u64, request: u64) {
        if self.at_least(4, 0, 8) {
            let request_id = if self.multiplexing { request } else { 0 };
            let resolved_ts = Some(cdcpb::ResolvedTs { regions, ts, request_id });
            let message = cdcpb::ChangeDataEvent { events: Vec::new(), resolved_ts };
            self.send(Piece::Resolved(message.encode_to_vec().into()));
            return;
        }
        for region_id in regions {
            let event = Some(cdcpb::event::Event::ResolvedTs(ts));
            let event = cdcpb::Event { region_id, index: 0, request_id: request, event };
            self.send(Piece::Event(event_field(event), Bytes::new()));
        }
    }
}

/// Major, minor and patch in one number; zero when unparsable, as the servers take it.
fn parse_version(text: &str) -> u64 {
    let plain = text.split(['-', '+']).next().unwrap_or("");
    let parts: Vec<_> = plain.split('.').map(|p| p.parse::<u16>().ok()).collect();
    match parts[..] {
        [Some(major), Some(minor), Some(patch)] => u64::from(major) << 32 | u64::from(minor) << 16 | u64::from(patch),
        _ => 0,
    }
}

/// One registered region of a stream.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// Unique in the cluster.
    pub(crate) serial: u64,
    pub(crate) conn: Arc<Conn>,
    pub(crate) request: u64,
    /// Raw bounds, cut to the region's.
    pub(crate) start: Vec<u8>,
    pub(crate) end: Vec<u8>,
    /// Leave out what change data capture wrote.
    pub(crate) filter_loop: bool,
    /// The scan is complete and was said to be.
    pub(crate) initialized: bool,
}

impl Subscription {
    /// Sends the part of the rows that lies in the observed range.
    pub(crate) fn send_rows(&self, region: u64, rows: &Rows) {
        if let Some(body) = rows.within(&self.start, &self.end) {
            self.conn.send(Piece::Event(event_head(region, self.request, body.len()), body));
        }
    }
}
