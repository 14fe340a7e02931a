//! The end of a stream that listens.

use crate::greeting::{Me, told};
use crate::pipe::{self, Pipe};
use crate::transport::Arrival;
use crate::wire::{self, MESSAGE_MAX_BYTES};
use futures::{Stream, StreamExt, stream};
use std::pin::Pin;
use std::time::Duration;
use tg_cluster::{Body, CaptureId, Message};
use tg_proto::tgpeer as pb;
use tg_proto::tgpeer::peer_server::{Peer, PeerServer};
use tokio::sync::{mpsc, watch};
use tonic::{Request, Response, Status, Streaming};

/// Under which path the service is found by a router of HTTP requests.
pub const PATH: &str = "/tgpeer.Peer/{*method}";

/// Longest wait for a greeting.
const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// Takes messages of peers.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) me: Me,
    pub(crate) inbox: mpsc::Sender<Arrival>,
    pub(crate) piped: mpsc::Sender<Pipe>,
    /// True: streams are to end.
    pub(crate) closed: watch::Receiver<bool>,
}

/// What hands messages in, until the stream ends.
type Taking = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;
type Answers = Pin<Box<dyn Stream<Item = Result<pb::Answer, Status>> + Send>>;

impl Service {
    pub(crate) fn server(self) -> PeerServer<Self> {
        PeerServer::new(self).max_decoding_message_size(MESSAGE_MAX_BYTES)
    }

    /// Who opens a stream, and the version that is spoken on it; or why it is refused.
    async fn greeted(
        &self,
        frames: &mut Streaming<pb::Frame>,
    ) -> Result<Result<(pb::Hello, CaptureId, u32), pb::Refusal>, Status> {
        let first = tokio::time::timeout(GREETING_TIMEOUT, frames.message()).await;
        let first = first.map_err(|_| Status::deadline_exceeded("no greeting came"))??;
        let Some(pb::frame::What::Hello(hello)) = first.and_then(|f| f.what) else {
            return Err(Status::invalid_argument("the first frame is no greeting"));
        };
        Ok(match self.me.greet(&hello) {
            Ok((from, proto)) => Ok((hello, from, proto)),
            Err(refusal) => {
                tracing::warn!(from = told(&hello.address), why = refusal.text, "a node was refused");
                Err(refusal)
            }
        })
    }

    async fn open(&self, mut frames: Streaming<pb::Frame>) -> Result<Response<Answers>, Status> {
        let (hello, from, proto) = match self.greeted(&mut frames).await? {
            Ok(greeted) => greeted,
            Err(refusal) => return Ok(answers(pb::answer::What::Refusal(refusal), None)),
        };
        let (service, address) = (self.clone(), told(&hello.address));
        let taking = async move {
            let taken = service.take(frames, from).await;
            if let Err(status) = &taken {
                tracing::debug!(from = address, error = %status, "the stream of a node ended");
            }
            taken
        };
        Ok(answers(pb::answer::What::Welcome(pb::Welcome { proto }), Some(Box::pin(taking))))
    }

    /// Hands messages in until the stream ends.
    async fn take(mut self, mut frames: Streaming<pb::Frame>, from: CaptureId) -> Result<(), Status> {
        loop {
            let frame = tokio::select! {
                frame = frames.message() => frame?,
                _ = self.closed.wait_for(|closed| *closed) => return Ok(()),
            };
            let Some(frame) = frame else { return Ok(()) };
            let message = match frame.what {
                Some(pb::frame::What::Message(message)) => wire::from_proto(message),
                Some(pb::frame::What::Hello(_)) => return Err(Status::invalid_argument("a second greeting")),
                Some(pb::frame::What::Body(_)) => return Err(Status::invalid_argument("this stream is no pipe")),
                // A frame of a later version.
                None => continue,
            };
            let message = message.map_err(|e| Status::invalid_argument(format!("TG-5305: {e}")))?;
            if !self.is_of(&message, from) {
                return Err(Status::permission_denied("the message is of, or for, somebody else"));
            }
            if self.inbox.send(Arrival::Message(message)).await.is_err() {
                return Ok(());
            }
        }
    }

    /// Whether a message is what the sender may say to this process.
    fn is_of(&self, message: &Message, from: CaptureId) -> bool {
        let outer = message.head.cluster == self.me.cluster
            && message.head.from.capture == from
            && message.head.to.capture == self.me.capture;
        let inner = match &message.body {
            Body::Relay(inner) => inner.head.cluster == self.me.cluster,
            _ => true,
        };
        outer && inner
    }
}

/// One answer, then what happens until the end.
fn answers(first: pb::answer::What, then: Option<Taking>) -> Response<Answers> {
    let first = stream::once(async move { Ok(pb::Answer { what: Some(first) }) });
    let rest = stream::iter(then).filter_map(|taking| async move { taking.await.err().map(Err) });
    Response::new(Box::pin(first.chain(rest)))
}

#[tonic::async_trait]
impl Peer for Service {
    type ControlStream = Answers;
    type BulkStream = Answers;
    type PipeStream = Answers;

    async fn control(&self, request: Request<Streaming<pb::Frame>>) -> Result<Response<Answers>, Status> {
        self.open(request.into_inner()).await
    }

    async fn bulk(&self, request: Request<Streaming<pb::Frame>>) -> Result<Response<Answers>, Status> {
        self.open(request.into_inner()).await
    }
    async fn pipe(&self, request: Request<Streaming<pb::Frame>>) -> Result<Response<Answers>, Status> {
        let mut frames = request.into_inner();
        let (_, from, proto) = match self.greeted(&mut frames).await? {
            Ok(greeted) => greeted,
            Err(refusal) => return Ok(answers(pb::answer::What::Refusal(refusal), None)),
        };
        let (end, bodies) = pipe::taken(from, frames, self.closed.clone());
        if self.piped.send(end).await.is_err() {
            return Err(Status::unavailable("this node takes no pipes"));
        }
        let welcome =
            stream::once(
                async move { Ok(pb::Answer { what: Some(pb::answer::What::Welcome(pb::Welcome { proto })) }) },
            );
        Ok(Response::new(Box::pin(welcome.chain(bodies))))
    }
}
