//! Client of the placement driver: follows the leader, retries.

mod gc;
mod header;
mod members;
mod regions;
mod tso;

use crate::net::{Dialer, status_text};
use crate::{TlsPaths, Ts, UpstreamError};
use header::Response;
use members::Members;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tg_proto::pdpb;
use tg_proto::pdpb::pd_client::PdClient;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// Tries of a request; with the pauses between them they outlast an election.
const TRIES_MAX: u32 = 12;
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// For one try.
const TRY_TIMEOUT: Duration = Duration::from_secs(5);
const CALLER: &str = "tidegate";

/// Shared by everything that needs PD.
pub(crate) struct Pd {
    pub(crate) dialer: Arc<Dialer>,
    members: Members,
    tso: tso::Tso,
    /// The greatest timestamp seen from TSO: reads at or below it are safe.
    tso_seen: Arc<AtomicU64>,
    no_batch_scan: AtomicBool,
    no_classic_gc: AtomicBool,
    keyspace: std::sync::OnceLock<u32>,
}

impl Pd {
    /// Finds the cluster behind the endpoints.
    pub(crate) async fn connect(
        endpoints: &[String],
        tls: Option<&TlsPaths>,
        stop: &CancellationToken,
    ) -> Result<Arc<Self>, UpstreamError> {
        let dialer = Arc::new(Dialer::new(tls)?);
        let members = Members::discover(Arc::clone(&dialer), endpoints).await?;
        members.keep_fresh(stop.clone());
        let tso_seen = Arc::new(AtomicU64::new(0));
        let tso = tso::Tso::start(members.clone(), Arc::clone(&tso_seen), stop.clone());
        Ok(Arc::new(Self {
            dialer,
            members,
            tso,
            tso_seen,
            no_batch_scan: AtomicBool::new(false),
            no_classic_gc: AtomicBool::new(false),
            keyspace: std::sync::OnceLock::new(),
        }))
    }

    pub(crate) fn cluster_id(&self) -> u64 {
        self.members.cluster_id()
    }

    /// A timestamp above all that were given out before.
    pub(crate) async fn tso(&self) -> Result<Ts, UpstreamError> {
        self.tso.next().await
    }

    /// Makes sure that the cluster's clock has passed `ts`.
    pub(crate) async fn require_past(&self, ts: Ts) -> Result<(), UpstreamError> {
        if ts.get() <= self.tso_seen.load(Ordering::Acquire) {
            return Ok(());
        }
        let now = self.tso().await?;
        if ts <= now { Ok(()) } else { Err(UpstreamError::TsInFuture { ts, now }) }
    }

    /// Sends a request to the leader until it is answered.
    async fn call<R: Response, F>(
        &self,
        request: &'static str,
        send: impl Fn(PdClient<Channel>, pdpb::RequestHeader) -> F,
    ) -> Result<R, CallError>
    where
        F: Future<Output = Result<tonic::Response<R>, Status>>,
    {
        let mut pause = PAUSE_MIN;
        let mut last = CallError::Other(UpstreamError::Closed);
        for attempt in 0..TRIES_MAX {
            if attempt > 0 {
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(PAUSE_MAX);
            }
            let leader = match self.members.leader().await {
                Ok(leader) => leader,
                Err(error @ UpstreamError::ClusterId { .. }) => {
                    return Err(CallError::Other(error));
                }
                Err(error) => {
                    last = CallError::Other(error);
                    continue;
                }
            };
            let client = PdClient::new(leader.channel).max_decoding_message_size(crate::net::MESSAGE_MAX_BYTES);
            let answer = tokio::time::timeout(TRY_TIMEOUT, send(client, self.members.header())).await;
            let status = match answer {
                Ok(Ok(response)) => return checked(request, response.into_inner()),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded("no answer in time"),
            };
            if status.code() == Code::Unimplemented {
                return Err(CallError::Unimplemented);
            }
            self.members.suspect(&leader.url);
            last = CallError::Other(match status.code() {
                Code::FailedPrecondition => {
                    return Err(CallError::Other(UpstreamError::PdRefused { request, message: status_text(&status) }));
                }
                _ => UpstreamError::PdUnreachable { endpoint: leader.url, detail: status_text(&status) },
            });
        }
        Err(last)
    }
}

/// How a call failed.
enum CallError {
    /// The server is too old, or too new, for it.
    Unimplemented,
    Other(UpstreamError),
}

impl CallError {
    fn into_error(self, request: &'static str) -> UpstreamError {
        match self {
            Self::Unimplemented => UpstreamError::PdRefused { request, message: "not implemented there".to_owned() },
            Self::Other(error) => error,
        }
    }
}

fn checked<R: Response>(request: &'static str, response: R) -> Result<R, CallError> {
    match response.header().and_then(|h| h.error.as_ref()) {
        Some(error) if error.r#type != pdpb::ErrorType::Ok as i32 => {
            let message = format!("{:?}: {}", error.r#type(), error.message);
            Err(CallError::Other(UpstreamError::PdRefused { request, message }))
        }
        _ => Ok(response),
    }
}
