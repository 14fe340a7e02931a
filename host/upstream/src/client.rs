//! The public face.

use crate::feed::{Budget, FeedOptions, FeedSender, Hub, HubHandle, SpillArea, Surroundings};
use crate::key::KeyCodec;
use crate::kv::{KvClient, LockResolver, Snapshot};
use crate::pd::Pd;
use crate::stat::{RegionStat, UpstreamStats};
use crate::stores::StoreMap;
use crate::{Ts, UpstreamConfig, UpstreamError};
use std::sync::Arc;
use std::time::Duration;
use tg_model::{Span, SpanId};
use tokio_util::sync::{CancellationToken, DropGuard};

struct Inner {
    pd: Arc<Pd>,
    kv: Arc<KvClient>,
    locks: Arc<LockResolver>,
    hub: HubHandle,
    budget: Arc<Budget>,
    _stop: DropGuard,
}

/// A client of one cluster. Cheap to clone; with the last clone its tasks and feeds end.
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

impl Upstream {
    /// Finds the cluster and starts the client's tasks in the present runtime.
    ///
    /// # Errors
    /// When no endpoint answers, they belong to another cluster, a store is too old, TLS files or the spill directory are unusable, or the keyspace is not there.
    pub async fn connect(config: UpstreamConfig) -> Result<Self, UpstreamError> {
        let limits = &config.limits;
        let area = config.spill_dir.as_deref().map(|dir| SpillArea::open(dir, limits.spill_max_bytes));
        let budget = Budget::new(limits.unmatched_max_bytes, area.transpose()?);
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let pd = Pd::connect(&config.pd_endpoints, config.tls.as_ref(), &stop).await?;
        crate::version::check(&pd).await?;
        let codec = match &config.keyspace {
            Some(name) => KeyCodec::keyspace(pd.use_keyspace(name).await?),
            None => KeyCodec::default(),
        };
        let stores = Arc::new(StoreMap::new(Arc::clone(&pd)));
        let prefix_len = codec.prefix_len();
        let kv = Arc::new(KvClient::new(Arc::clone(&pd), Arc::clone(&stores), codec));
        let locks = Arc::new(LockResolver::new(Arc::clone(&kv)));
        let hub = Hub::start(Surroundings {
            pd: Arc::clone(&pd),
            stores,
            locks: Arc::clone(&locks),
            budget: Arc::clone(&budget),
            prefix_len,
            limits: config.limits,
            stop,
        });
        Ok(Self(Arc::new(Inner { pd, kv, locks, hub, budget, _stop: guard })))
    }

    /// The cluster's id; never zero.
    #[must_use]
    pub fn cluster_id(&self) -> u64 {
        self.0.pd.cluster_id()
    }

    /// A timestamp from the cluster's oracle, above all that it gave out before.
    ///
    /// # Errors
    /// When PD gives none for long (about half a minute).
    pub async fn tso(&self) -> Result<Ts, UpstreamError> {
        self.0.pd.tso().await
    }

    /// The data as it was at `ts`.
    #[must_use]
    pub fn snapshot(&self, ts: Ts) -> Snapshot {
        Snapshot::new(Arc::clone(&self.0.kv), Arc::clone(&self.0.locks), ts)
    }

    /// Keeps what a feed or reader at `at` needs from garbage collection for `ttl` (whole seconds, at least one).
    /// Returns the safe point.
    ///
    /// # Errors
    /// [`UpstreamError::TsCollected`] when the safe point lies above `at` already; else when PD fails.
    pub async fn hold_gc(&self, service_id: &str, at: Ts, ttl: Duration) -> Result<Ts, UpstreamError> {
        let safe_point = self.0.pd.hold_gc(service_id, at, ttl).await?;
        if safe_point > at { Err(UpstreamError::TsCollected { ts: at, safe_point }) } else { Ok(safe_point) }
    }

    /// Ends a hold; one that is not there is fine.
    ///
    /// # Errors
    /// When PD fails.
    pub async fn release_gc(&self, service_id: &str) -> Result<(), UpstreamError> {
        self.0.pd.release_gc(service_id).await
    }

    /// Whether a feed may start at `ts`: not in the future, and above the GC safe point.
    ///
    /// # Errors
    /// [`UpstreamError::TsInFuture`], [`UpstreamError::TsCollected`]; else when PD fails.
    pub async fn check_start_ts(&self, ts: Ts) -> Result<(), UpstreamError> {
        let now = self.tso().await?;
        if ts > now {
            return Err(UpstreamError::TsInFuture { ts, now });
        }
        let safe_point = self.0.pd.gc_safe_point().await?;
        if ts <= safe_point { Err(UpstreamError::TsCollected { ts, safe_point }) } else { Ok(()) }
    }

    /// Feeds `span` from `start` (exclusive) into `sink` until [`Upstream::unsubscribe`], a
    /// [`FeedEvent::Failed`](crate::FeedEvent::Failed), or the end of the consumer.
    /// An id that is fed already starts anew; events of the old feed may still wait in its channel.
    pub fn subscribe(&self, id: SpanId, span: &Span, start: Ts, options: FeedOptions, sink: FeedSender) {
        self.0.hub.subscribe(id, self.0.kv.codec.range(span), start, options, sink);
    }

    /// Ends a feed. Events that wait in its channel are still delivered.
    pub fn unsubscribe(&self, id: SpanId) {
        self.0.hub.unsubscribe(id);
    }

    /// What the feeds do and hold at the moment.
    #[must_use]
    pub fn stats(&self) -> UpstreamStats {
        let budget = &self.0.budget;
        let [regions, streams, received_bytes, lock_passes] = budget.meters().counts();
        UpstreamStats {
            regions,
            streams,
            received_bytes,
            lock_passes,
            unmatched_bytes: budget.used_bytes() as u64,
            spilled_bytes: budget.spilled_bytes(),
            resubscriptions: budget.meters().resubscriptions(),
        }
    }

    /// How the regions of a fed span stand; empty for a span that is not fed.
    ///
    /// # Errors
    /// [`UpstreamError::Closed`].
    pub async fn regions(&self, id: SpanId) -> Result<Vec<RegionStat>, UpstreamError> {
        self.0.hub.regions(id).await
    }
}
