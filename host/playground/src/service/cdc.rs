//! The change feed service: streams of a store, and the loop of resolved timestamps.

use crate::store::{Cluster, Conn, Piece};
use futures::Stream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tg_proto::cdcpb::ChangeDataRequest;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tonic::{Request, Status, Streaming};

/// The only feature a client may ask for.
const MULTIPLEXING: &str = "stream-multiplexing";
/// Scans that run at once on a store.
const SCANS_MAX: usize = 6;
/// Most events put into one message.
const MESSAGE_EVENTS_MAX: usize = 64;
/// A message is closed when it has reached this size.
const MESSAGE_TARGET_BYTES: usize = 1 << 20;

/// The change feeds of one store.
pub(crate) struct FeedService {
    cluster: Arc<Cluster>,
    store: u64,
    scans: Arc<Semaphore>,
}

impl FeedService {
    pub(crate) fn new(cluster: Arc<Cluster>, store: u64) -> Self {
        Self { cluster, store, scans: Arc::new(Semaphore::new(SCANS_MAX)) }
    }

    /// Opens a stream.
    pub(crate) fn feed(&self, request: Request<Streaming<ChangeDataRequest>>, v2: bool) -> Result<Output, Status> {
        let multiplexing = v2 && multiplexing(&request)?;
        let id = self.cluster.next_serial();
        let (conn, pieces) = Conn::new(id, self.store, multiplexing, self.cluster.backlog.clone());
        let (closing, closed) = mpsc::channel(1);
        let reader = Reader {
            cluster: self.cluster.clone(),
            conn: conn.clone(),
            scans: self.scans.clone(),
            requests: request.into_inner(),
        };
        let reader = tokio::spawn(async move {
            let end = reader.run().await;
            let _ = closing.send(end).await;
        });
        Ok(Output { cluster: self.cluster.clone(), conn, pieces, closed, reader, held: None })
    }
}

/// Whether the client asks for multiplexing; unknown features end the stream.
fn multiplexing(request: &Request<Streaming<ChangeDataRequest>>) -> Result<bool, Status> {
    let Some(features) = request.metadata().get("features") else {
        return Ok(false);
    };
    let features = features.to_str().map_err(|e| Status::unimplemented(e.to_string()))?;
    let unknown: Vec<_> = features.split(',').filter(|f| *f != MULTIPLEXING).collect();
    if unknown.is_empty() { Ok(true) } else { Err(Status::unimplemented(unknown.join(","))) }
}

/// Reads a stream's requests.
struct Reader {
    cluster: Arc<Cluster>,
    conn: Arc<Conn>,
    scans: Arc<Semaphore>,
    requests: Streaming<ChangeDataRequest>,
}

impl Reader {
    /// Until the client closes its side; an error ends the stream with it.
    async fn run(mut self) -> Option<Status> {
        loop {
            let request = match self.requests.message().await {
                Ok(Some(request)) => request,
                Ok(None) => return None,
                Err(status) => return Some(status),
            };
            if let Some(scan) = self.cluster.feed_request(&self.conn, &request) {
                let (cluster, conn, scans) = (self.cluster.clone(), self.conn.clone(), self.scans.clone());
                tokio::spawn(async move {
                    let _permit = scans.acquire_owned().await;
                    scan.run(cluster, conn).await;
                });
            }
        }
    }
}

/// A stream's answers: pieces of the queue, put together into messages.
pub(crate) struct Output {
    cluster: Arc<Cluster>,
    conn: Arc<Conn>,
    pieces: mpsc::UnboundedReceiver<Piece>,
    closed: mpsc::Receiver<Option<Status>>,
    reader: JoinHandle<()>,
    /// A message of another kind that came after the events being gathered.
    held: Option<Piece>,
}

impl Stream for Output {
    type Item = Result<Vec<Piece>, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(end) = self.closed.poll_recv(cx) {
            return Poll::Ready(end.flatten().map(Err));
        }
        let first = match self.held.take() {
            Some(piece) => piece,
            None => match self.pieces.poll_recv(cx) {
                Poll::Ready(Some(piece)) => piece,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            },
        };
        let message = self.gather(first);
        self.conn.sent(message.iter().map(Piece::len_bytes).sum());
        Poll::Ready(Some(Ok(message)))
    }
}

impl Output {
    /// One message: a resolved timestamp alone, or as many events as are there and fit.
    fn gather(&mut self, first: Piece) -> Vec<Piece> {
        let mut bytes = first.len_bytes();
        let more = matches!(first, Piece::Event(..));
        let mut message = vec![first];
        while more && message.len() < MESSAGE_EVENTS_MAX && bytes < MESSAGE_TARGET_BYTES {
            match self.pieces.try_recv() {
                Ok(piece @ Piece::Event(..)) => {
                    bytes += piece.len_bytes();
                    message.push(piece);
                }
                Ok(other) => {
                    self.held = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        message
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.reader.abort();
        self.cluster.detach(self.conn.id);
        self.conn.sent(self.conn.queued_bytes());
    }
}
