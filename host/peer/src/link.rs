//! The ends of streams that speak: one task per peer and class.

use crate::PeerError;
use crate::dial::Dial;
use crate::queue::Queue;
use crate::transport::Arrival;
use crate::wire;
use futures::{StreamExt, stream};
use std::sync::Arc;
use std::time::Duration;
use tg_cluster::Message;
use tg_model::Coded;
use tg_proto::tgpeer as pb;
use tg_proto::tgpeer::peer_client::PeerClient;
use tokio::sync::{mpsc, oneshot};
use tonic::Streaming;
use tonic::transport::Channel;

/// Pauses between tries: the first, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Which of the two streams of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    Control,
    Bulk,
}

/// A stream that is kept open towards a peer.
pub(crate) struct Link {
    pub(crate) dial: Dial,
    pub(crate) class: Class,
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
                tracing::warn!(peer = %self.dial.peer, code = %error.code(), error = %error, "no stream to a node");
                shown = Some(error.code());
            }
            if error.is_gone() && !told_gone {
                told_gone = true;
                if self.inbox.send(Arrival::Down(self.dial.peer)).await.is_err() {
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
        let channel = self.dial.channel().await?;
        let mut client = PeerClient::new(channel.clone()).max_decoding_message_size(wire::MESSAGE_MAX_BYTES);
        let hello = self.dial.hello();
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
            match self.class {
                Class::Control => client.control(frames).await,
                Class::Bulk => client.bulk(frames).await,
            }
        };
        let answers = self.dial.greeted(opening).await?;
        Ok(Open { answers, _speaks: speaks, _channel: channel })
    }

    /// Waits for the end of the stream.
    async fn watch(&self, mut open: Open) -> PeerError {
        loop {
            match open.answers.message().await {
                Ok(Some(_)) => {}
                Ok(None) => return self.dial.unreachable(false, "it ended the stream"),
                Err(e) => return self.dial.broken(&e),
            }
        }
    }
}

/// Between half and all of a pause, so that many do not come at once.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.5..=1.0))
}
