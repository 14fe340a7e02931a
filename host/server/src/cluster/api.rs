//! What the API says about nodes, and what it does to them.

use super::{Cluster, ClusterError};
use crate::ServerError;
use crate::node::Node;
use std::time::Duration;
use tg_api::Capture;
use tg_cluster::CaptureId;
use tg_metastore::{NodeRecord, NodeWish, RunRecord};
use tg_model::ChangefeedId;
use tokio::time::Instant;

/// Longest wait for a changefeed to come to rest.
const REST_MAX: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is wanted of a node, in one word.
pub(super) const fn wish_name(wish: NodeWish) -> &'static str {
    match wish {
        NodeWish::Up => "up",
        NodeWish::Draining => "draining",
        NodeWish::Maintenance => "maintenance",
    }
}

impl Cluster {
    /// The registered nodes.
    pub(crate) fn captures(&self, cluster_id: &str) -> Vec<Capture> {
        let world = self.world();
        let owner = world.owner().map(|o| o.capture.clone());
        let shown = |(peer, member): (&tg_cluster::Peer, &tg_metastore::MemberRecord)| {
            let id = format!("{:032x}", peer.capture.0);
            Capture {
                is_owner: owner.as_ref() == Some(&id),
                id,
                address: member.address.clone(),
                cluster_id: cluster_id.to_owned(),
                state: wish_name(world.wish(&member.node)).to_owned(),
            }
        };
        world.members.iter().map(shown).collect()
    }

    /// Where the registered nodes are, `host:port`.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.world().members.values().map(|m| m.address.clone()).collect()
    }

    /// Has everything moved off a node; the number of changefeeds it still runs. `None`: there is no such node.
    pub(crate) async fn drain(&self, capture: &str) -> Result<Option<u64>, ServerError> {
        let world = self.world();
        let found = world.members.iter().find(|(peer, _)| format!("{:032x}", peer.capture.0) == capture);
        let Some((peer, member)) = found else { return Ok(None) };
        if world.others(peer.capture).next().is_none() {
            return Err(ClusterError::NobodyLeft { capture: capture.to_owned() }.into());
        }
        self.store.set_node(&member.node, &NodeRecord::of(NodeWish::Draining)).await?;
        if world.owner().is_some_and(|o| o.capture == capture) {
            self.hand_over_from(peer.capture).await?;
        }
        Ok(Some(world.runs_of(capture)))
    }

    /// The owner steps down.
    pub(crate) async fn resign(&self) -> Result<(), ServerError> {
        let world = self.world();
        let owner = world.owner().ok_or(ClusterError::NoOwner)?;
        let capture = CaptureId(super::identity::number("a capture's id", &owner.capture)?);
        Ok(self.hand_over_from(capture).await?)
    }

    /// Whether this node is to be given no work.
    pub(crate) fn drains(&self) -> bool {
        self.world().wish(&self.me.node) == NodeWish::Draining
    }

    /// Another node that runs the changefeed.
    pub(crate) fn elsewhere(&self, id: &ChangefeedId) -> Option<RunRecord> {
        let me = self.me.capture_text();
        self.world().runner(id).filter(|run| run.capture != me).cloned()
    }

    /// Waits until nobody runs the changefeed.
    pub(crate) async fn rests(&self, id: &ChangefeedId) -> Result<(), ServerError> {
        let deadline = Instant::now() + REST_MAX;
        loop {
            let runner = self.store.runner(id).await?;
            // Whoever is registered no more can write none of its records.
            let registered = |run: &RunRecord| {
                let world = self.world();
                world.members.keys().any(|p| format!("{:032x}", p.capture.0) == run.capture && p.inc.0 == run.inc)
            };
            let Some(run) = runner.filter(registered) else { return Ok(()) };
            if Instant::now() >= deadline {
                return Err(ClusterError::StillRuns { changefeed: id.to_string(), address: run.address }.into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Node {
    /// Waits until no node runs the changefeed; on a node alone nothing runs that was halted.
    pub(crate) async fn rests(&self, id: &ChangefeedId) -> Result<(), ServerError> {
        match &self.cluster {
            Some(cluster) => cluster.rests(id).await,
            None => Ok(()),
        }
    }

    /// Where a changefeed runs, `host:port`.
    pub(crate) fn runs_at(&self, id: &ChangefeedId) -> Option<String> {
        self.cluster.as_ref()?.world().runner(id).map(|run| run.address.clone())
    }
}
