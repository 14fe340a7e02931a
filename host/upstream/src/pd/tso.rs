//! Timestamps: one stream to the leader; callers that come while a request is under way share the next.

use super::members::Members;
use crate::net::status_text;
use crate::{Ts, UpstreamError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tg_proto::pdpb;
use tg_proto::pdpb::pd_client::PdClient;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

/// Most callers served by one request, and most that wait.
const BATCH_MAX: usize = 4096;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// Tries before the waiting callers are told.
const TRIES_MAX: u32 = 60;

type Waiter = oneshot::Sender<Result<Ts, UpstreamError>>;

/// Handle of the task that talks to the oracle.
pub(super) struct Tso(mpsc::Sender<Waiter>);

struct Stream {
    url: String,
    requests: mpsc::Sender<pdpb::TsoRequest>,
    answers: Streaming<pdpb::TsoResponse>,
}

impl Tso {
    pub(super) fn start(members: Members, seen: Arc<AtomicU64>, stop: CancellationToken) -> Self {
        let (tx, mut rx) = mpsc::channel::<Waiter>(BATCH_MAX);
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            let mut stream = None;
            let mut waiters = Vec::with_capacity(BATCH_MAX);
            while rx.recv_many(&mut waiters, BATCH_MAX).await > 0 {
                waiters.retain(|w| !w.is_closed());
                if !waiters.is_empty() {
                    serve(&members, &mut stream, &seen, &mut waiters).await;
                }
            }
        }));
        Self(tx)
    }

    pub(super) async fn next(&self) -> Result<Ts, UpstreamError> {
        let (tx, rx) = oneshot::channel();
        self.0.send(tx).await.map_err(|_| UpstreamError::Closed)?;
        rx.await.map_err(|_| UpstreamError::Closed)?
    }
}

/// Gives each waiter a timestamp, on a new stream as often as needed.
async fn serve(members: &Members, stream: &mut Option<Stream>, seen: &AtomicU64, waiters: &mut Vec<Waiter>) {
    for attempt in 1..=TRIES_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "at most BATCH_MAX")]
        let error = match ask(members, stream, waiters.len() as u32).await {
            Ok(last) => {
                seen.fetch_max(last.get(), Ordering::AcqRel);
                let first = last.get() + 1 - waiters.len() as u64;
                for (n, waiter) in waiters.drain(..).enumerate() {
                    // A caller that has gone away needs none.
                    let _ = waiter.send(Ok(Ts::new(first + n as u64)));
                }
                return;
            }
            Err(error) => error,
        };
        if let Some(broken) = stream.take() {
            members.suspect(&broken.url);
        }
        tracing::debug!(%error, attempt, "no timestamp from PD");
        if attempt == TRIES_MAX {
            let detail = error.to_string();
            for waiter in waiters.drain(..) {
                let error = UpstreamError::PdUnreachable { endpoint: "tso".to_owned(), detail: detail.clone() };
                let _ = waiter.send(Err(error));
            }
            return;
        }
        tokio::time::sleep(RETRY_PAUSE * attempt.min(10)).await;
    }
}

/// The last of `count` consecutive timestamps.
async fn ask(members: &Members, stream: &mut Option<Stream>, count: u32) -> Result<Ts, UpstreamError> {
    let request = pdpb::TsoRequest { header: Some(members.header()), count, dc_location: String::new() };
    if let Some(stream) = stream {
        let refused = |detail: &str| unreachable(&stream.url, detail);
        stream.requests.send(request).await.map_err(|_| refused("the stream is closed"))?;
    } else {
        *stream = Some(open(members, request).await?);
    }
    let Some(stream) = stream else {
        return Err(UpstreamError::Closed);
    };
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, stream.answers.message()).await;
    let answer = match answer {
        Ok(Ok(Some(answer))) => answer,
        Ok(Ok(None)) => return Err(unreachable(&stream.url, "the stream ended")),
        Ok(Err(status)) => return Err(unreachable(&stream.url, &status_text(&status))),
        Err(_) => return Err(unreachable(&stream.url, "no answer in time")),
    };
    let ts = answer.timestamp.unwrap_or_default();
    if answer.count != count || ts.logical + 1 < i64::from(count) || ts.physical <= 0 {
        return Err(unreachable(&stream.url, "the answer makes no sense"));
    }
    Ok(Ts::compose(ts.physical.cast_unsigned(), ts.logical.cast_unsigned()))
}

/// The first request goes with the opening: some servers answer the call only when they answer it.
async fn open(members: &Members, first: pdpb::TsoRequest) -> Result<Stream, UpstreamError> {
    let leader = members.leader().await?;
    let fail = |detail: &str| {
        members.suspect(&leader.url);
        unreachable(&leader.url, detail)
    };
    let (requests, rx) = mpsc::channel(1);
    requests.send(first).await.map_err(|_| UpstreamError::Closed)?;
    let mut client = PdClient::new(leader.channel.clone());
    match tokio::time::timeout(ANSWER_TIMEOUT, client.tso(ReceiverStream::new(rx))).await {
        Ok(Ok(answers)) => Ok(Stream { url: leader.url, requests, answers: answers.into_inner() }),
        Ok(Err(status)) => Err(fail(&status_text(&status))),
        Err(_) => Err(fail("no answer in time")),
    }
}

fn unreachable(endpoint: &str, detail: &str) -> UpstreamError {
    UpstreamError::PdUnreachable { endpoint: endpoint.to_owned(), detail: detail.to_owned() }
}
