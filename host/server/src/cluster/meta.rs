//! Carries out what the state machines ask of the metadata, each request as one transaction.

use super::{Cluster, ClusterError};
use parking_lot::Mutex;
use serde_json::Map;
use std::sync::Arc;
use std::time::Duration;
use tg_cluster::{FeedState, Incarnation, MetaReply, MetaRequest, OwnerRev, Peer};
use tg_metastore::{LeaseId, MetaError, MetaStore, OwnerRecord, OwnerRevision};
use tg_model::Coded;

/// Life of a registration whose process is gone.
pub(super) const LEASE_TTL: Duration = Duration::from_secs(10);
/// How often it is renewed.
const RENEW_EVERY: Duration = Duration::from_millis(2_500);
/// Tries of one request before it is left to be asked again.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// The lease of this process' registration.
pub(super) struct Lease {
    store: Arc<dyn MetaStore>,
    id: Mutex<Option<LeaseId>>,
}

impl Lease {
    pub(super) fn new(store: Arc<dyn MetaStore>) -> Self {
        Self { store, id: Mutex::new(None) }
    }

    async fn get(&self) -> Result<LeaseId, MetaError> {
        if let Some(id) = *self.id.lock() {
            return Ok(id);
        }
        let id = self.store.lease_grant(LEASE_TTL).await?;
        *self.id.lock() = Some(id);
        Ok(id)
    }

    fn lost(&self) {
        *self.id.lock() = None;
    }

    /// Renews it for ever.
    pub(super) async fn keep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            let id = *self.id.lock();
            let Some(id) = id else { continue };
            match self.store.lease_keep_alive(id).await {
                Ok(()) => {}
                Err(MetaError::LeaseLost { .. }) => {
                    tracing::warn!("the lease of this node's registration has ended");
                    self.lost();
                }
                Err(e) => tracing::warn!(error = %e, "the lease of this node's registration could not be renewed"),
            }
        }
    }

    pub(super) async fn revoke(&self) {
        let id = self.id.lock().take();
        if let Some(id) = id
            && let Err(e) = self.store.lease_revoke(id).await
        {
            tracing::debug!(error = %e, "the lease ends by itself");
        }
    }
}

impl Cluster {
    /// Runs a request. `None`: it is not known whether it has taken effect; it will be asked again.
    pub(super) async fn request(&self, request: &MetaRequest) -> Option<MetaReply> {
        for _ in 0..TRIES {
            match self.transaction(request).await {
                Ok(reply) => return Some(reply),
                Err(MetaError::LeaseLost { .. }) => self.lease.lost(),
                Err(e) if e.is_retryable() => tracing::debug!(error = %e, "the metadata did not answer"),
                Err(e) => {
                    tracing::error!(code = %e.code(), error = %e, "the metadata refuses a request");
                    return None;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        None
    }

    async fn transaction(&self, request: &MetaRequest) -> Result<MetaReply, MetaError> {
        let (store, me) = (&self.store, self.me.capture.0);
        let owner = |rev: &OwnerRev| OwnerRevision(rev.0);
        Ok(match request {
            MetaRequest::Register => {
                let inc = store.register(me, &self.member, self.lease.get().await?).await?;
                MetaReply::Registered(Incarnation(inc))
            }
            MetaRequest::ConfirmCapture(peer) => {
                MetaReply::Confirmed(store.is_registered(peer.capture.0, peer.inc.0).await?)
            }
            MetaRequest::ConfirmOwner(rev) => MetaReply::Confirmed(store.is_owner(owner(rev)).await?),
            MetaRequest::TakeOwner { expect, me } => {
                let record = self.owner_record(*me, &self.me.address);
                let taken = store.take_owner_from(owner(expect), me.capture.0, &record).await?;
                MetaReply::Owner(taken.map(|rev| OwnerRev(rev.0)))
            }
            MetaRequest::Revoke { owner: rev, peer } => {
                tracing::warn!(%peer, "the registration of a node that is not heard is ended");
                MetaReply::Done(store.revoke(owner(rev), peer.capture.0, peer.inc.0).await?)
            }
            MetaRequest::PutState { owner: rev, feed, state: FeedState::Failed, .. } => {
                if let Some((id, _)) = self.world().feeds.get(feed) {
                    self.give_up(id).await?;
                }
                MetaReply::Done(store.is_owner(owner(rev)).await?)
            }
            // Runs store their own progress and states.
            MetaRequest::PutState { owner: rev, .. }
            | MetaRequest::PutStatus { owner: rev, .. }
            | MetaRequest::PutDdl { owner: rev, .. } => MetaReply::Done(store.is_owner(owner(rev)).await?),
        })
    }

    pub(super) fn owner_record(&self, peer: Peer, address: &str) -> OwnerRecord {
        let capture = format!("{:032x}", peer.capture.0);
        OwnerRecord { capture, inc: peer.inc.0, address: address.to_owned(), other: Map::new() }
    }

    /// No node could run the changefeed for too long: a person has to look.
    async fn give_up(&self, id: &tg_model::ChangefeedId) -> Result<(), MetaError> {
        let (mut info, seen) = self.store.info(id).await?;
        info.state = tg_metastore::FeedState::Failed;
        let error = ClusterError::NobodyRuns { changefeed: id.to_string() };
        info.error.get_or_insert_with(|| tg_metastore::FeedError {
            code: error.code().to_string(),
            message: error.to_string(),
            capture: self.me.address.clone(),
            at_ms: crate::progress::now_ms(),
        });
        self.store.update(id, seen, &info, None).await.map(|_| ())
    }
}
