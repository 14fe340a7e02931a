//! What the scheduler does, and why, for people.

use super::driver::{Seen, Told};
use super::world::World;
use super::{Cluster, ClusterError};
use serde_json::{Value, json};
use std::time::Duration;
use tg_cluster::{FeedId, Peer, Phase};
use tokio::sync::oneshot;

/// Longest wait for the state machine.
const LOOK_MAX: Duration = Duration::from_secs(2);

impl Cluster {
    /// The schedule as the owner sees it; the caller asks the owner.
    pub(super) async fn schedule(&self) -> Result<Value, ClusterError> {
        let (to, seen) = oneshot::channel();
        let silent = |cause: &str| ClusterError::NoAnswer { address: self.me.address.clone(), cause: cause.to_owned() };
        self.tell.send(Told::Look(to)).await.map_err(|_| silent("it is stopping"))?;
        let seen = tokio::time::timeout(LOOK_MAX, seen).await.map_err(|_| silent("it is too busy"))?;
        let seen = seen.map_err(|_| silent("it is stopping"))?;
        let rev = seen.owner_rev.ok_or(ClusterError::NoOwner)?;
        let world = self.world();
        Ok(json!({
            "owner": { "capture": self.me.capture_text(), "address": self.me.address, "revision": rev.0 },
            "nodes": nodes(&world),
            "changefeeds": feeds(&world, &seen),
            "limits": super::limits::shown(seen.limits),
            "decisions": decisions(&world, &seen),
        }))
    }
}

fn address(world: &World, peer: Option<Peer>) -> Value {
    peer.and_then(|p| world.members.get(&p)).map_or(Value::Null, |m| json!(m.address))
}

fn nodes(world: &World) -> Vec<Value> {
    let node = |(peer, m): (&Peer, &tg_metastore::MemberRecord)| {
        let capture = format!("{:032x}", peer.capture.0);
        let runs = world.runs_of(&capture);
        json!({
            "capture": capture, "address": m.address, "zone": m.zone, "version": m.version,
            "state": world.wish(&m.node), "changefeeds": runs,
        })
    };
    let mut nodes: Vec<Value> = world.members.iter().map(node).collect();
    nodes.extend(world.away().map(|(node, record)| {
        json!({
            "node": node, "address": record.address, "state": "maintenance", "away": true,
            "away_max_ms": record.away_max_ms, "changefeeds": 0,
        })
    }));
    nodes
}

fn feeds(world: &World, seen: &Seen) -> Vec<Value> {
    let mut out = Vec::new();
    for view in &seen.feeds {
        let Some((id, record)) = world.feeds.get(&view.feed) else { continue };
        for slot in &view.slots {
            let (at, phase, epoch) = match slot.writer {
                Some((peer, epoch, phase)) => (Some(peer), phase_name(phase), epoch.to_string()),
                None => (slot.holder, "", String::new()),
            };
            let doing = match (record.wanted, at, slot.target) {
                (false, None, _) => "rests",
                (false, Some(_), _) => "is being stopped",
                // Who had it may not be known to be fenced yet.
                (true, _, None) if world.snapshot.homes.contains_key(&view.feed) => "waits for its node",
                (true, None, None) => "waits for a node",
                (true, None, Some(_)) => "is being started",
                (true, Some(at), Some(to)) if at == to => "runs",
                (true, Some(_), _) => "is being moved",
            };
            out.push(json!({
                "changefeed": id.name, "namespace": id.namespace, "at": address(world, at),
                "target": address(world, slot.target), "phase": phase, "epoch": epoch, "doing": doing,
                "checkpoint_ts": view.checkpoint.checkpoint_ts(),
            }));
        }
    }
    out
}

const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Preparing => "preparing",
        Phase::Prepared => "prepared",
        Phase::Fencing => "fencing",
        Phase::Active => "active",
        Phase::Stopping => "stopping",
        Phase::Stopped => "stopped",
    }
}

fn decisions(world: &World, seen: &Seen) -> Vec<Value> {
    let name = |group: u128| {
        let feed = world.feeds.get(&FeedId(group));
        feed.map_or_else(|| "a changefeed that is gone".to_owned(), |(id, _)| id.to_string())
    };
    let at = |capture: u128| {
        let member = world.members.iter().find(|(p, _)| p.capture.0 == capture);
        member.map_or_else(|| format!("{capture:032x}"), |(_, m)| m.address.clone())
    };
    let decision = |(ago, d): &(u64, tg_cluster::Decision)| {
        json!({
            "ago_ms": ago, "changefeed": name(d.unit.group), "from": d.from.map(|n| at(n.0)), "to": at(d.to.0),
            "why": d.why.to_string(),
        })
    };
    seen.decisions.iter().map(decision).collect()
}
