//! A pipe: pieces of bytes both ways between two processes, in order and without a gap, until one of them lets go.

use crate::PeerError;
use crate::dial::Dial;
use crate::wire::MESSAGE_MAX_BYTES;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use tg_cluster::CaptureId;
use tg_proto::tgpeer as pb;
use tg_proto::tgpeer::peer_client::PeerClient;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// Largest piece.
pub const BODY_MAX_BYTES: usize = MESSAGE_MAX_BYTES - 1_024;
/// Pieces that wait in one direction; beyond it the sender waits.
const BODIES_MAX: usize = 256;

/// The pipe has ended: nothing more goes through it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the other node let go, or cannot be reached any more")]
pub struct PipeEnded;

/// One end of a pipe. Ends the pipe when dropped.
#[derive(Debug)]
pub struct Pipe {
    /// Who is at the other end.
    pub with: CaptureId,
    /// What goes there.
    pub out: PipeOut,
    /// What comes from there.
    pub into: PipeIn,
}

/// What one end says.
#[derive(Clone, Debug)]
pub struct PipeOut(mpsc::Sender<Bytes>);

/// What one end hears.
#[derive(Debug)]
pub struct PipeIn(mpsc::Receiver<Bytes>);

impl PipeOut {
    /// Sends a piece of at most [`BODY_MAX_BYTES`]; waits while too many are under way.
    ///
    /// # Errors
    /// When the pipe has ended. What was sent shortly before may not have arrived.
    pub async fn send(&self, body: Bytes) -> Result<(), PipeEnded> {
        assert!(body.len() <= BODY_MAX_BYTES, "a piece of {} bytes", body.len());
        self.0.send(body).await.map_err(|_| PipeEnded)
    }
}

impl PipeIn {
    /// The next piece.
    ///
    /// # Errors
    /// When the pipe has ended and everything that arrived was taken.
    pub async fn next(&mut self) -> Result<Bytes, PipeEnded> {
        self.0.recv().await.ok_or(PipeEnded)
    }
}

/// Calls the other node.
pub(crate) async fn open(dial: &Dial, closed: watch::Receiver<bool>) -> Result<Pipe, PeerError> {
    let channel = dial.channel().await?;
    let mut client = PeerClient::new(channel.clone()).max_decoding_message_size(MESSAGE_MAX_BYTES);
    let (out, bodies) = mpsc::channel(BODIES_MAX);
    let (heard, into) = mpsc::channel(BODIES_MAX);
    let hello = pb::frame::What::Hello(dial.hello());
    let frames = stream::once(async move { hello }).chain(ReceiverStream::new(bodies).map(pb::frame::What::Body));
    let frames = frames.map(|what| pb::Frame { what: Some(what) });
    let answers = dial.greeted(async { client.pipe(frames).await }).await?;
    tokio::spawn(async move {
        hear(answers, heard, closed, |answer| match answer.what {
            Some(pb::answer::What::Body(body)) => Some(body),
            _ => None,
        })
        .await;
        drop(channel);
    });
    Ok(Pipe { with: dial.peer.capture, out: PipeOut(out), into: PipeIn(into) })
}

/// The end of a pipe that another node has opened, and what this node says through it.
pub(crate) fn taken(
    from: CaptureId,
    frames: Streaming<pb::Frame>,
    closed: watch::Receiver<bool>,
) -> (Pipe, impl Stream<Item = Result<pb::Answer, Status>> + Send + use<>) {
    let (out, bodies) = mpsc::channel(BODIES_MAX);
    let (heard, into) = mpsc::channel(BODIES_MAX);
    tokio::spawn(hear(frames, heard, closed, |frame| match frame.what {
        Some(pb::frame::What::Body(body)) => Some(body),
        _ => None,
    }));
    let said = ReceiverStream::new(bodies).map(|body| Ok(pb::Answer { what: Some(pb::answer::What::Body(body)) }));
    (Pipe { with: from, out: PipeOut(out), into: PipeIn(into) }, said)
}

/// Hands pieces in until the stream, or who listens, is gone. Frames of later versions are passed over.
async fn hear<T>(
    mut from: Streaming<T>,
    to: mpsc::Sender<Bytes>,
    mut closed: watch::Receiver<bool>,
    body: impl Fn(T) -> Option<Bytes>,
) {
    loop {
        let next = tokio::select! {
            next = from.message() => next,
            () = to.closed() => return,
            _ = closed.wait_for(|closed| *closed) => return,
        };
        match next {
            Ok(Some(next)) => {
                if let Some(body) = body(next)
                    && to.send(body).await.is_err()
                {
                    return;
                }
            }
            Ok(None) => return,
            Err(status) => {
                tracing::debug!(error = %status, "a pipe broke");
                return;
            }
        }
    }
}
