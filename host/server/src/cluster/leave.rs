//! How a node leaves: in good order, so that others go on at once.

use super::driver::Told;
use super::{Cluster, ClusterError};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tg_metastore::{NodeWish, OwnerRevision};
use tg_model::Coded;
use tokio::sync::oneshot;

/// Longest wait for runs to end; a downstream may be away.
const END_MAX: Duration = Duration::from_secs(20);

impl Cluster {
    /// Gives ownership up, ends all runs, ends the registration, closes all streams.
    pub(crate) async fn leave(&self) {
        match self.hand_over().await {
            Ok(()) | Err(ClusterError::NoSuccessor | ClusterError::NoOwner) => {}
            Err(e) => tracing::warn!(code = %e.code(), error = %e, "ownership could not be handed over"),
        }
        self.keeps_runs.store(self.world().wish(&self.me.node) == NodeWish::Maintenance, Relaxed);
        let (to, left) = oneshot::channel();
        let asked = self.tell.send(Told::Leave(to)).await.is_ok();
        let left = if asked { tokio::time::timeout(END_MAX, left).await.ok().and_then(Result::ok) } else { None };
        if let Some(me) = left.flatten()
            && let Err(e) = self.store.unregister(me.capture.0, me.inc.0).await
        {
            tracing::warn!(error = %e, "the registration ends with its lease");
        }
        self.lease.revoke().await;
        self.transport.close();
    }

    /// If this node is the owner, makes another one the owner. The other one finds itself named, confirms it, and acts.
    pub(crate) async fn hand_over(&self) -> Result<(), ClusterError> {
        let world = self.world();
        let owner = world.owner().ok_or(ClusterError::NoOwner)?;
        if owner.capture != self.me.capture_text() {
            return Ok(());
        }
        self.hand_over_from(self.me.capture).await
    }

    /// Makes another node than this one the owner, whoever it is now.
    pub(super) async fn hand_over_from(&self, from: tg_cluster::CaptureId) -> Result<(), ClusterError> {
        let world = self.world();
        let rev = world.owner_rev().ok_or(ClusterError::NoOwner)?;
        let (peer, member) = world.others(from).next().ok_or(ClusterError::NoSuccessor)?;
        let record = self.owner_record(peer, &member.address);
        let done = self.store.take_owner_from(OwnerRevision(rev.0), peer.capture.0, &record).await;
        // When it is refused, somebody else has taken over meanwhile, which is as good.
        done.map(|_| ()).map_err(|e| ClusterError::NoAnswer { address: "etcd".to_owned(), cause: e.to_string() })
    }
}
