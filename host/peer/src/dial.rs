//! Calling another node: a connection, and the greeting at the beginning of a stream.

use crate::PeerError;
use crate::greeting::{Me, told};
use std::time::Duration;
use tg_cluster::Peer;
use tg_proto::tgpeer as pb;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Response, Status, Streaming};

/// Longest wait for a connection and its greeting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// A connection on which nothing comes is asked for a sign of life, and is broken when none comes.
const PING_EVERY: Duration = Duration::from_secs(2);
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Who calls, and who is called.
#[derive(Clone)]
pub(crate) struct Dial {
    pub(crate) me: Me,
    pub(crate) peer: Peer,
    pub(crate) address: String,
    pub(crate) tls: Option<ClientTlsConfig>,
}

impl Dial {
    pub(crate) fn hello(&self) -> pb::Hello {
        self.me.hello(self.peer.capture)
    }

    /// The answers of a stream whose other end has greeted.
    pub(crate) async fn greeted(
        &self,
        opening: impl Future<Output = Result<Response<Streaming<pb::Answer>>, Status>>,
    ) -> Result<Streaming<pb::Answer>, PeerError> {
        let greeting = async {
            let mut answers = opening.await?.into_inner();
            let greeted = answers.message().await?;
            Ok::<_, Status>((answers, greeted.and_then(|a| a.what)))
        };
        let greeted = tokio::time::timeout(CONNECT_TIMEOUT, greeting).await;
        let (answers, greeted) =
            greeted.map_err(|_| self.unreachable(false, "no greeting came"))?.map_err(|e| self.broken(&e))?;
        match greeted {
            Some(pb::answer::What::Welcome(_)) => Ok(answers),
            Some(pb::answer::What::Refusal(refusal)) => Err(self.refused(&refusal)),
            Some(pb::answer::What::Body(_)) | None => Err(self.unreachable(false, "it did not greet")),
        }
    }

    pub(crate) async fn channel(&self) -> Result<Channel, PeerError> {
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

    pub(crate) fn broken(&self, status: &Status) -> PeerError {
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

    pub(crate) fn unreachable(&self, refused: bool, cause: &str) -> PeerError {
        PeerError::Unreachable { address: self.address.clone(), refused, cause: cause.to_owned() }
    }
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
