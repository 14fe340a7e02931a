//! The store of a cluster: etcd, by features of version 3.4 and later.

use crate::{
    Compare, Event, EventKind, KeyValue, LeaseId, MetaError, MetaStore, Op, OpResult, Range, Revision, TxnOutcome,
    WatchStream,
};
use bytes::Bytes;
use etcd_client as etcd;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);
/// Pings of an idle connection, and how long one may stay unanswered.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_LIMIT: Duration = Duration::from_secs(3);
/// Pause after the first failure of a request, and the longest one. Members are asked in turn by chance, so one that is dead is met
/// again and again.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(320);
/// Tries of one request.
const TRIES_MAX: u32 = 16;
/// Statuses of gRPC that the client makes of a connection which fails or breaks.
const UNKNOWN: i32 = 2;
const UNAVAILABLE: i32 = 14;

/// Metadata in etcd.
#[derive(Clone)]
pub struct EtcdStore {
    client: etcd::Client,
}

/// Certificates for etcd, as PEM files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EtcdTls {
    /// CA that its certificate is checked with.
    pub ca: Option<PathBuf>,
    /// Certificate to show, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// How etcd is reached.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct EtcdOptions {
    /// User and password.
    pub credentials: Option<(String, String)>,
    /// Certificates; `None`: no TLS.
    pub tls: Option<EtcdTls>,
}

impl EtcdTls {
    async fn options(&self) -> Result<etcd::TlsOptions, MetaError> {
        let mut options = etcd::TlsOptions::new();
        if let Some(ca) = &self.ca {
            options = options.ca_certificate(etcd::Certificate::from_pem(read(ca).await?));
        }
        if let Some((cert, key)) = &self.identity {
            options = options.identity(etcd::Identity::from_pem(read(cert).await?, read(key).await?));
        }
        Ok(options)
    }
}

async fn read(file: &Path) -> Result<Vec<u8>, MetaError> {
    tokio::fs::read(file).await.map_err(|e| MetaError::Tls { reason: format!("{}: {e}", file.display()) })
}

impl EtcdStore {
    /// Connects and asks for one key, so that success means that etcd answers.
    ///
    /// # Errors
    /// [`MetaError::Unavailable`] or [`MetaError::Timeout`].
    pub async fn connect(endpoints: &[String], credentials: Option<(String, String)>) -> Result<Self, MetaError> {
        Self::connect_with(endpoints, EtcdOptions { credentials, tls: None }).await
    }

    /// Connects as [`Self::connect`] does, with TLS if that is said.
    ///
    /// # Errors
    /// [`MetaError::Unavailable`], [`MetaError::Timeout`] or [`MetaError::Tls`].
    pub async fn connect_with(endpoints: &[String], how: EtcdOptions) -> Result<Self, MetaError> {
        let mut options = etcd::ConnectOptions::new()
            .with_connect_timeout(REQUEST_LIMIT)
            .with_keep_alive(PING_INTERVAL, PING_LIMIT)
            .with_keep_alive_while_idle(true)
            .with_require_leader(true);
        if let Some((user, password)) = how.credentials {
            options = options.with_user(user, password);
        }
        if let Some(tls) = &how.tls {
            options = options.with_tls(tls.options().await?);
        }
        let client = limited("connect", etcd::Client::connect(endpoints, Some(options))).await?;
        // Connecting is lazy: only an answer shows that somebody is there.
        patient("answer", Again::Always, || {
            let mut kv = client.kv_client();
            async move { kv.get("health", None).await }
        })
        .await?;
        Ok(Self { client })
    }
}

async fn limited<T>(what: &'static str, call: impl Future<Output = Result<T, etcd::Error>>) -> Result<T, MetaError> {
    match tokio::time::timeout(REQUEST_LIMIT, call).await {
        Ok(done) => done.map_err(|e| MetaError::Unavailable { what, cause: e.to_string() }),
        Err(_) => Err(MetaError::Timeout { what, limit_ms: REQUEST_LIMIT.as_millis() }),
    }
}

/// When a request may be sent a second time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Whatever became of the first.
    Always,
    /// Only if the first reached nobody.
    IfUnsent,
}

/// Asks until somebody answers, within the limit of a request: one member may be down while the others have a leader.
async fn patient<T, F: Future<Output = Result<T, etcd::Error>>>(
    what: &'static str,
    again: Again,
    ask: impl Fn() -> F,
) -> Result<T, MetaError> {
    let tried = async {
        let mut pause = PAUSE_MIN;
        for _ in 1..TRIES_MAX {
            match ask().await {
                Err(e) if unsent(&e) || (again == Again::Always && broken(&e)) => {}
                done => return done,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        ask().await
    };
    limited(what, tried).await
}

/// Whether no connection came about, so that nobody has seen the request.
fn unsent(e: &etcd::Error) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    let etcd::Error::GRpcStatus(status) = e else { return false };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(status);
    while let Some(e) = cause {
        if let Some(io) = e.downcast_ref::<std::io::Error>() {
            return matches!(io.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable);
        }
        cause = e.source();
    }
    false
}

/// Whether the connection failed, or the member has no leader to ask.
fn broken(e: &etcd::Error) -> bool {
    matches!(e, etcd::Error::GRpcStatus(status) if [UNKNOWN, UNAVAILABLE].contains(&i32::from(status.code())))
}

fn revision(n: i64) -> Revision {
    n.max(0).cast_unsigned()
}

fn key_value(kv: &etcd::KeyValue) -> KeyValue {
    KeyValue {
        key: String::from_utf8_lossy(kv.key()).into_owned(),
        value: Bytes::copy_from_slice(kv.value()),
        create_rev: revision(kv.create_revision()),
        mod_rev: revision(kv.mod_revision()),
        lease: kv.lease().cast_unsigned(),
    }
}

fn compare(c: Compare) -> etcd::Compare {
    let equal = etcd::CompareOp::Equal;
    match c {
        Compare::Absent(key) => etcd::Compare::create_revision(key, equal, 0),
        Compare::CreateRev(key, rev) => etcd::Compare::create_revision(key, equal, signed(rev)),
        Compare::ModRev(key, rev) => etcd::Compare::mod_revision(key, equal, signed(rev)),
        Compare::Value(key, value) => etcd::Compare::value(key, equal, value),
    }
}

/// Revision zero means "absent" to etcd; here no existing key has it.
fn signed(rev: Revision) -> i64 {
    if rev == 0 { i64::MAX } else { rev.cast_signed() }
}

fn op(op: Op) -> etcd::TxnOp {
    match op {
        Op::Put { key, value, lease } => {
            let options = etcd::PutOptions::new().with_lease(lease.cast_signed());
            etcd::TxnOp::put(key, value, Some(options))
        }
        Op::Delete(key) => etcd::TxnOp::delete(key, None),
        Op::DeletePrefix(prefix) => etcd::TxnOp::delete(prefix, Some(etcd::DeleteOptions::new().with_prefix())),
        Op::Get(key) => etcd::TxnOp::get(key, None),
        Op::GetPrefix(prefix) => etcd::TxnOp::get(prefix, Some(etcd::GetOptions::new().with_prefix())),
    }
}

fn result(r: &etcd::TxnOpResponse) -> OpResult {
    match r {
        etcd::TxnOpResponse::Get(r) => OpResult::Read(r.kvs().iter().map(key_value).collect()),
        etcd::TxnOpResponse::Delete(r) => OpResult::Deleted(revision(r.deleted())),
        etcd::TxnOpResponse::Put(_) | etcd::TxnOpResponse::Txn(_) => OpResult::Written,
    }
}

fn event(e: &etcd::Event) -> Option<Event> {
    let kv = e.kv().map(key_value)?;
    let kind = match e.event_type() {
        etcd::EventType::Put => EventKind::Put(kv.value),
        etcd::EventType::Delete => EventKind::Delete,
    };
    Some(Event { key: kv.key, rev: kv.mod_rev, kind })
}

/// The next batch of a watch; `None` at its end.
async fn next(stream: &mut etcd::WatchStream, from_rev: Revision) -> Option<Result<Vec<Event>, MetaError>> {
    let ended = |cause: String| MetaError::Unavailable { what: "go on with a watch", cause };
    loop {
        let response = match stream.message().await {
            Ok(Some(response)) => response,
            Ok(None) => return Some(Err(ended("the stream ended".to_owned()))),
            Err(e) => return Some(Err(ended(e.to_string()))),
        };
        if response.compact_revision() > 0 {
            let oldest_rev = revision(response.compact_revision());
            return Some(Err(MetaError::Compacted { from_rev, oldest_rev }));
        }
        if response.canceled() {
            return Some(Err(ended(response.cancel_reason().to_owned())));
        }
        if !response.events().is_empty() {
            return Some(Ok(response.events().iter().filter_map(event).collect()));
        }
    }
}

/// Whether the cause is that the lease is not there. Known only by the text of the answer.
fn or_lost(e: MetaError, lease: LeaseId) -> MetaError {
    match &e {
        MetaError::Unavailable { cause, .. } if cause.contains("lease not found") => MetaError::LeaseLost { lease },
        _ => e,
    }
}

impl MetaStore for EtcdStore {
    fn txn(
        &self,
        compares: Vec<Compare>,
        then: Vec<Op>,
        otherwise: Vec<Op>,
    ) -> BoxFuture<'_, Result<TxnOutcome, MetaError>> {
        Box::pin(async move {
            let leased = then.iter().chain(&otherwise).find_map(|op| match op {
                Op::Put { lease, .. } if *lease != 0 => Some(*lease),
                _ => None,
            });
            let txn = etcd::Txn::new()
                .when(compares.into_iter().map(compare).collect::<Vec<_>>())
                .and_then(then.into_iter().map(op).collect::<Vec<_>>())
                .or_else(otherwise.into_iter().map(op).collect::<Vec<_>>());
            let response = patient("run a transaction", Again::IfUnsent, || {
                let (mut kv, txn) = (self.client.kv_client(), txn.clone());
                async move { kv.txn(txn).await }
            });
            let response = response.await;
            let response = response.map_err(|e| if let Some(lease) = leased { or_lost(e, lease) } else { e })?;
            Ok(TxnOutcome {
                succeeded: response.succeeded(),
                rev: response.header().map_or(0, |h| revision(h.revision())),
                results: response.op_responses().iter().map(result).collect(),
            })
        })
    }

    fn range(&self, prefix: &str) -> BoxFuture<'_, Result<Range, MetaError>> {
        let prefix = prefix.to_owned();
        Box::pin(async move {
            let options = etcd::GetOptions::new().with_prefix();
            let response = patient("read", Again::Always, || {
                let (mut kv, prefix, options) = (self.client.kv_client(), prefix.clone(), options.clone());
                async move { kv.get(prefix, Some(options)).await }
            });
            let response = response.await?;
            let rev = response.header().map_or(0, |h| revision(h.revision()));
            Ok(Range { rev, kvs: response.kvs().iter().map(key_value).collect() })
        })
    }

    fn watch(&self, prefix: &str, from_rev: Revision) -> BoxFuture<'_, Result<WatchStream, MetaError>> {
        let prefix = prefix.to_owned();
        Box::pin(async move {
            // Start revision zero would mean "from now".
            let options = etcd::WatchOptions::new().with_prefix().with_start_revision(from_rev.max(1).cast_signed());
            let watch = patient("watch", Again::Always, || {
                let (mut client, prefix, options) = (self.client.watch_client(), prefix.clone(), options.clone());
                async move { client.watch(prefix, Some(options)).await }
            });
            let watch = watch.await?;
            let steps = stream::unfold(Some(watch), move |watch| async move {
                let mut watch = watch?;
                let batch = next(&mut watch, from_rev).await?;
                let rest = batch.is_ok().then_some(watch);
                Some((batch, rest))
            });
            Ok(steps.boxed())
        })
    }

    fn lease_grant(&self, ttl: Duration) -> BoxFuture<'_, Result<LeaseId, MetaError>> {
        let seconds = i64::try_from(ttl.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
        Box::pin(async move {
            // One that was granted unheard ends by itself.
            let granted = patient("grant a lease", Again::Always, || {
                let mut leases = self.client.lease_client();
                async move { leases.grant(seconds, None).await }
            });
            let granted = granted.await?;
            Ok(granted.id().cast_unsigned())
        })
    }

    fn lease_keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<(), MetaError>> {
        Box::pin(async move {
            // Opening the stream sends one keep-alive and waits for its answer.
            let kept = patient("renew a lease", Again::Always, || {
                let mut leases = self.client.lease_client();
                async move { leases.keep_alive(lease.cast_signed()).await }
            });
            kept.await.map(|_| ()).map_err(|e| or_lost(e, lease))
        })
    }

    fn lease_revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<(), MetaError>> {
        Box::pin(async move {
            let revoked = patient("revoke a lease", Again::Always, || {
                let mut leases = self.client.lease_client();
                async move { leases.revoke(lease.cast_signed()).await }
            });
            match revoked.await.map_err(|e| or_lost(e, lease)) {
                Ok(_) | Err(MetaError::LeaseLost { .. }) => Ok(()),
                Err(e) => Err(e),
            }
        })
    }
}
