//! The ends of streams that speak: one task per peer and class.

use crate::PeerError;
use crate::greeting::{Me, told};
use crate::queue::Queue;
use crate::transport::Arrival;
use crate::wire;
use futures::{StreamExt, stream};
use std::sync::Arc;
use std::time::Duration;
use tg_cluster::{Message, Peer};
use tg_model::Coded;
use tg_proto::tgpeer as pb;
use tg_proto::tgpeer::peer_client::PeerClient;
use tokio::sync::{mpsc, oneshot};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Status, Streaming};

/// Longest wait for a connection and its greeting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Pauses between tries: the first, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// A connection on which nothing comes is asked for a sign of life, and is broken when none comes.
const PING_EVERY: Duration = Duration::from_secs(2);
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Which of the two streams of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    Control,
    Bulk,
}

/// A stream that is kept open towards a peer.
pub(crate) struct Link {
    pub(crate) me: Me,
    pub(crate) peer: Peer,
    pub(crate) address: String,
    pub(crate) class: Class,
    pub(crate) tls: Option<ClientTlsConfig>,
    pub(crate) queue: Arc<Queue<Message>>,
    pub(crate) inbox: mpsc::Sender<Arrival>,
}

/// A stream that is open; closed when dropped.
struct Open {
    answers: Streaming<pb::Answer>,
    _speaks: oneshot::Sender<()>,
    _channel: Channel,
}

impl Link {
    /// Connects, and connects again, until it is dropped.
    pub(crate) async fn run(self) {
        if self.class == Class::Bulk {
            // Opened when there is something to carry.
            self.queue.filled().await;
        }
        let (mut pause, mut told_gone, mut shown) = (PAUSE_MIN, false, None);
        loop {
            let error = match self.connect().await {
                Ok(open) => {
                    (pause, told_gone, shown) = (PAUSE_MIN, false, None);
                    self.watch(open).await
                }
                Err(error) => error,
            };
            if shown != Some(error.code()) {
                tracing::warn!(peer = %self.peer, code = %error.code(), error = %error, "no stream to a node");
                shown = Some(error.code());
            }
            if error.is_gone() && !told_gone {
                told_gone = true;
                if self.inbox.send(Arrival::Down(self.peer)).await.is_err() {
                    return;
                }
            }
            // What waited is old by now, and whoever is there next has not asked for it.
            self.queue.clear();
            tokio::time::sleep(jittered(pause)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn connect(&self) -> Result<Open, PeerError> {
        let channel = self.channel().await?;
        let mut client = PeerClient::new(channel.clone()).max_decoding_message_size(wire::MESSAGE_MAX_BYTES);
        let hello = self.me.hello(self.peer.capture);
        let first = stream::once(async move { pb::Frame { what: Some(pb::frame::What::Hello(hello)) } });
        let queue = Arc::clone(&self.queue);
        let messages = stream::unfold(queue, |queue| async move {
            let message = queue.pop().await;
            Some((pb::Frame { what: Some(pb::frame::What::Message(wire::to_proto(&message))) }, queue))
        });
        // A stream that was given up takes nothing more out of the queue.
        let (speaks, given_up) = oneshot::channel::<()>();
        let frames = first.chain(messages).take_until(given_up);
        let opening = async {
            let mut answers = match self.class {
                Class::Control => client.control(frames).await,
                Class::Bulk => client.bulk(frames).await,
            }?
            .into_inner();
            let greeted = answers.message().await?;
            Ok::<_, Status>((answers, greeted.and_then(|a| a.what)))
        };
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, opening).await;
        let (answers, greeted) =
            opened.map_err(|_| self.unreachable(false, "no greeting came"))?.map_err(|e| self.broken(&e))?;
        match greeted {
            Some(pb::answer::What::Welcome(_)) => Ok(Open { answers, _speaks: speaks, _channel: channel }),
            Some(pb::answer::What::Refusal(refusal)) => Err(self.refused(&refusal)),
            None => Err(self.unreachable(false, "it did not greet")),
        }
    }

    async fn channel(&self) -> Result<Channel, PeerError> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{}", self.address));
        let mut endpoint = endpoint
            .map_err(|e| self.unreachable(false, &e.to_string()))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT);
        if let Some(tls) = &self.tls {
            let with = endpoint.tls_config(tls.clone());
            endpoint = with.map_err(|e| PeerError::Tls { reason: causes(&e) })?;
        }
        endpoint.connect().await.map_err(|e| self.unreachable(is_refused(&e), &causes(&e)))
    }

    /// Waits for the end of the stream.
    async fn watch(&self, mut open: Open) -> PeerError {
        loop {
            match open.answers.message().await {
                Ok(Some(_)) => {}
                Ok(None) => return self.unreachable(false, "it ended the stream"),
                Err(e) => return self.broken(&e),
            }
        }
    }

    fn broken(&self, status: &Status) -> PeerError {
        match status.code() {
            Code::InvalidArgument | Code::PermissionDenied => {
                PeerError::BadMessage { address: self.address.clone(), cause: told(status.message()) }
            }
            _ => self.unreachable(false, &told(status.message())),
        }
    }

    fn refused(&self, refusal: &pb::Refusal) -> PeerError {
        let (address, detail) = (self.address.clone(), told(&refusal.text));
        match refusal.reason() {
            pb::Reason::Cluster => PeerError::OtherCluster { address, detail },
            pb::Reason::Capture => PeerError::OtherProcess { address, detail },
            pb::Reason::Proto => PeerError::NoCommonVersion { address, detail },
            pb::Reason::Hello | pb::Reason::Unknown => PeerError::BadMessage { address, cause: detail },
        }
    }

    fn unreachable(&self, refused: bool, cause: &str) -> PeerError {
        PeerError::Unreachable { address: self.address.clone(), refused, cause: cause.to_owned() }
    }
}

/// Between half and all of a pause, so that many do not come at once.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.5..=1.0))
}

/// Whether the address refused the connection.
fn is_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(e) = next {
        if e.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused) {
            return true;
        }
        next = e.source();
    }
    false
}

fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(e) = next {
        text = format!("{text}: {e}");
        next = e.source();
    }
    text
}
