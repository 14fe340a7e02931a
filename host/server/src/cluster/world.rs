//! The metadata of the cluster as this node sees it, and as the state machines want it.

use super::identity::number;
use crate::record::Record;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_api::FeedState;
use tg_cluster::{
    CaptureId, CaptureRecord, FeedId, FeedRecord, FeedState as State, Fence, Incarnation, Limits, NodeId, NodeState,
    OwnerRev, Peer, RunId, Snapshot,
};
use tg_metastore::{
    ChangefeedInfo, ChangefeedStatus, EventKind, KeyValue, MemberRecord, MetaError, NodeRecord, NodeWish, OwnerRecord,
    Revision, RunRecord, ScheduleRecord, read_record,
};
use tg_model::{ChangefeedId, Position};
use tg_peer::Route;

/// Longest time from handing a write to a sink that nothing fences until it has landed, in microseconds: what such sinks may
/// take for a request.
const INFLIGHT_MICROS: u64 = 10_000_000;

/// What a key holds.
#[derive(Clone, Debug)]
enum Held {
    Member(Peer, MemberRecord),
    Owner(OwnerRecord),
    Node(String, NodeRecord),
    Feed(ChangefeedId, FeedId, Arc<FeedRecord>),
    Checkpoint(ChangefeedId, Position),
    Runner(ChangefeedId, RunRecord),
    Schedule(ScheduleRecord),
    /// Of no interest, or not to be read.
    Other,
}

/// All keys of a cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    prefix: String,
    rev: Revision,
    held: BTreeMap<String, (Revision, Revision, Held)>,
}

impl Keys {
    pub(super) fn new(prefix: &str, rev: Revision, kvs: &[KeyValue]) -> Self {
        let mut keys = Self { prefix: prefix.to_owned(), rev, held: BTreeMap::new() };
        for kv in kvs {
            let held = keys.read(&kv.key, kv.create_rev, &kv.value);
            keys.held.insert(kv.key.clone(), (kv.create_rev, kv.mod_rev, held));
        }
        keys
    }

    /// Takes a write. True: it changes what others are to see.
    pub(super) fn apply(&mut self, event: &tg_metastore::Event) -> bool {
        self.rev = self.rev.max(event.rev);
        match &event.kind {
            EventKind::Delete => self.held.remove(&event.key).is_some_and(|(_, _, held)| held.shows()),
            EventKind::Put(value) => {
                let made = self.held.get(&event.key).map_or(event.rev, |(made, _, _)| *made);
                let held = self.read(&event.key, made, value);
                let shows = held.shows();
                self.held.insert(event.key.clone(), (made, event.rev, held));
                shows
            }
        }
    }

    fn read(&self, key: &str, made: Revision, value: &[u8]) -> Held {
        let parts: Vec<&str> = key.strip_prefix(&self.prefix).unwrap_or_default().split('/').collect();
        let read = self.held_of(&parts, key, made, value);
        read.unwrap_or_else(|e| {
            tracing::error!(key, error = %e, "a record of the metadata cannot be read and is passed over");
            Held::Other
        })
    }

    fn held_of(&self, parts: &[&str], key: &str, made: Revision, value: &[u8]) -> Result<Held, MetaError> {
        let bad = |e: &dyn std::fmt::Display| MetaError::BadRecord { key: key.to_owned(), cause: e.to_string() };
        Ok(match parts {
            ["capture", id] => {
                let capture = number("a capture's id", id).map_err(|e| bad(&e))?;
                let peer = Peer { capture: CaptureId(capture), inc: Incarnation(made) };
                Held::Member(peer, read_record(key, value)?)
            }
            ["owner"] => Held::Owner(read_record(key, value)?),
            ["schedule"] => Held::Schedule(read_record(key, value)?),
            ["node", id] => Held::Node((*id).to_owned(), read_record(key, value)?),
            ["cf", namespace, name, part] => {
                let id = ChangefeedId::new(namespace, name).ok_or_else(|| bad(&"it names no changefeed"))?;
                match *part {
                    "info" => {
                        let info: ChangefeedInfo = read_record(key, value)?;
                        let record = Record::read(&info).map_err(|e| bad(&e))?;
                        let feed = feed_id(&id, &record.incarnation, made);
                        Held::Feed(id, feed, Arc::new(feed_record(&record)))
                    }
                    "status" => Held::Checkpoint(id, read_record::<ChangefeedStatus>(key, value)?.checkpoint),
                    "run" => Held::Runner(id, read_record(key, value)?),
                    _ => Held::Other,
                }
            }
            _ => Held::Other,
        })
    }

    /// What they mean together.
    pub(super) fn world(&self) -> World {
        let mut world = World { rev: self.rev, ..World::default() };
        let mut checkpoints = BTreeMap::new();
        for (_, changed, held) in self.held.values() {
            match held {
                Held::Member(peer, record) => _ = world.members.insert(*peer, record.clone()),
                Held::Owner(record) => world.owner = Some((record.clone(), OwnerRev(*changed))),
                Held::Node(node, wish) => _ = world.wishes.insert(node.clone(), wish.clone()),
                Held::Feed(id, feed, record) => _ = world.feeds.insert(*feed, (id.clone(), Arc::clone(record))),
                Held::Checkpoint(id, at) => _ = checkpoints.insert(id.clone(), *at),
                Held::Runner(id, run) => _ = world.runners.insert(id.clone(), run.clone()),
                Held::Schedule(record) => world.limits = super::limits::limits_of(record),
                Held::Other => {}
            }
        }
        world.snapshot = Arc::new(world.snapshot(&checkpoints));
        world
    }
}

impl Held {
    /// Whether others than the changefeed's own run care. Checkpoints are read when something else changes.
    const fn shows(&self) -> bool {
        !matches!(self, Self::Checkpoint(..) | Self::Other)
    }
}

/// The metadata at one revision.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) rev: Revision,
    /// Registered processes.
    pub(crate) members: BTreeMap<Peer, MemberRecord>,
    pub(super) owner: Option<(OwnerRecord, OwnerRev)>,
    /// What is wanted of nodes.
    pub(crate) wishes: BTreeMap<String, NodeRecord>,
    pub(crate) feeds: BTreeMap<FeedId, (ChangefeedId, Arc<FeedRecord>)>,
    pub(super) runners: BTreeMap<ChangefeedId, RunRecord>,
    /// How fast changefeeds may be moved.
    pub(super) limits: Limits,
    /// The same for the state machines.
    pub(crate) snapshot: Arc<Snapshot>,
}

impl World {
    fn snapshot(&self, checkpoints: &BTreeMap<ChangefeedId, Position>) -> Snapshot {
        let capture = |record: &MemberRecord| CaptureRecord {
            node: NodeId(number("a node's id", &record.node).unwrap_or_default()),
            state: match self.wish(&record.node) {
                NodeWish::Up => NodeState::Up,
                NodeWish::Draining => NodeState::Draining,
                NodeWish::Maintenance => NodeState::Maintenance,
            },
            zone: record.zone.clone(),
        };
        let feed = |(id, record): &(ChangefeedId, Arc<FeedRecord>)| {
            let checkpoint = checkpoints.get(id).copied().unwrap_or(Position::ZERO);
            Arc::new(FeedRecord { checkpoint, ..FeedRecord::clone(record) })
        };
        Snapshot {
            rev: self.rev,
            owner: self.owner.as_ref().and_then(|(o, rev)| Some((peer_of(&o.capture, o.inc)?, *rev))),
            captures: self.members.iter().map(|(peer, m)| (*peer, Arc::new(capture(m)))).collect(),
            feeds: self.feeds.iter().map(|(number, entry)| (*number, feed(entry))).collect(),
            maintenance: self.maintained().map(|(node, record)| (node, record.away_max_ms * 1_000)).collect(),
            homes: self.feeds.iter().filter_map(|(number, (id, _))| Some((*number, self.home(id)?))).collect(),
        }
    }

    fn maintained(&self) -> impl Iterator<Item = (NodeId, &NodeRecord)> {
        let nodes = self.wishes.iter().filter(|(_, record)| record.state == NodeWish::Maintenance);
        nodes.filter_map(|(node, record)| Some((NodeId(number("a node's id", node).ok()?), record)))
    }

    /// The node in maintenance that ran a changefeed last, registered or not.
    fn home(&self, id: &ChangefeedId) -> Option<NodeId> {
        let node = &self.runners.get(id)?.node;
        let keeps = self.wish(node) == NodeWish::Maintenance;
        keeps.then(|| number("a node's id", node).ok()).flatten().map(NodeId)
    }

    /// What is wanted of a node.
    pub(crate) fn wish(&self, node: &str) -> NodeWish {
        self.wishes.get(node).map(|record| record.state).unwrap_or_default()
    }

    /// The owner, while it is registered.
    pub(crate) fn owner(&self) -> Option<&OwnerRecord> {
        let (owner, _) = self.owner.as_ref()?;
        self.members.contains_key(&peer_of(&owner.capture, owner.inc)?).then_some(owner)
    }

    /// The revision of the owner's key, whoever it names.
    pub(crate) fn owner_rev(&self) -> Option<OwnerRev> {
        self.owner.as_ref().map(|(_, rev)| *rev)
    }

    /// Who runs a changefeed, while it is registered.
    pub(crate) fn runner(&self, id: &ChangefeedId) -> Option<&RunRecord> {
        let run = self.runners.get(id)?;
        self.members.contains_key(&peer_of(&run.capture, run.inc)?).then_some(run)
    }

    /// How many changefeeds a capture runs.
    pub(crate) fn runs_of(&self, capture: &str) -> u64 {
        self.runners.values().filter(|r| r.capture == capture).count() as u64
    }

    /// Other registered nodes that take work, but for this capture.
    pub(crate) fn others(&self, than: CaptureId) -> impl Iterator<Item = (Peer, &MemberRecord)> {
        let takes =
            move |(peer, m): &(&Peer, &MemberRecord)| peer.capture != than && self.wish(&m.node) == NodeWish::Up;
        self.members.iter().filter(takes).map(|(peer, m)| (*peer, m))
    }

    /// Nodes in maintenance that are not registered.
    pub(crate) fn away(&self) -> impl Iterator<Item = (&String, &NodeRecord)> {
        let here = |node: &String| self.members.values().any(|m| m.node == *node);
        self.wishes.iter().filter(move |(node, r)| r.state == NodeWish::Maintenance && !here(node))
    }

    /// Where everybody is.
    pub(crate) fn routes(&self) -> Vec<Route> {
        self.members.iter().map(|(peer, m)| Route { peer: *peer, address: m.address.clone() }).collect()
    }
}

fn peer_of(capture: &str, inc: Revision) -> Option<Peer> {
    Some(Peer { capture: CaptureId(u128::from_str_radix(capture, 16).ok()?), inc: Incarnation(inc) })
}

/// A changefeed's number: of its name and its incarnation, so that one that was removed and made again is another.
fn feed_id(id: &ChangefeedId, incarnation: &str, made: Revision) -> FeedId {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let name = format!("{}/{}", id.namespace, id.name);
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(PRIME));
    let incarnation = u64::from_str_radix(incarnation, 16).unwrap_or(made);
    FeedId((u128::from(hash) << 64) | u128::from(incarnation))
}

fn feed_record(record: &Record) -> FeedRecord {
    // Of sinks that are not fenced where they write nothing is known.
    let token = crate::endpoints::fences(&record.uri, &record.config);
    FeedRecord {
        whole: true,
        run: RunId(record.run),
        wanted: matches!(record.state, FeedState::Normal | FeedState::Warning),
        state: match record.state {
            FeedState::Normal => State::Normal,
            FeedState::Warning => State::Warning,
            FeedState::Failed => State::Failed,
            FeedState::Finished => State::Finished,
            FeedState::Stopped | FeedState::Removed => State::Stopped,
        },
        slots: 1,
        fence: if token { Fence::Token } else { Fence::Lease { inflight: INFLIGHT_MICROS } },
        target: record.target_ts,
        syncpoint_ms: 0,
        checkpoint: Position::ZERO,
        ddls: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tg_metastore::Event;

    const PREFIX: &str = "/tidegate/1/c/";

    fn put(keys: &mut Keys, rev: Revision, key: &str, value: &Value) -> bool {
        let value = value.to_string().into_bytes().into();
        keys.apply(&Event { key: format!("{PREFIX}{key}"), rev, kind: EventKind::Put(value) })
    }

    fn delete(keys: &mut Keys, rev: Revision, key: &str) -> bool {
        keys.apply(&Event { key: format!("{PREFIX}{key}"), rev, kind: EventKind::Delete })
    }

    fn member(node: u8) -> Value {
        json!({"format": 1, "node": format!("{node:032x}"), "address": format!("h:{node}")})
    }

    fn info(uri: &str, state: &str) -> Value {
        json!({"format": 1, "start_ts": 5, "sink_uri": uri, "config": {}, "state": state, "incarnation": "0b", "run": 3})
    }

    #[test]
    fn keys_become_what_the_state_machines_see() {
        let mut keys = Keys::new(PREFIX, 0, &[]);
        assert!(put(&mut keys, 4, &format!("capture/{:032x}", 1), &member(1)));
        assert!(put(&mut keys, 5, &format!("capture/{:032x}", 2), &member(2)));
        assert!(put(
            &mut keys,
            6,
            "owner",
            &json!({"format": 1, "capture": format!("{:032x}", 1), "inc": 4, "address": "h:1"})
        ));
        assert!(put(&mut keys, 7, "cf/default/a/info", &info("mysql://root@h:3306/", "normal")));
        assert!(put(&mut keys, 8, "cf/default/b/info", &info("blackhole://", "stopped")));
        let status = json!({"format": 1, "checkpoint": Position::rows(tg_model::Ts::new(9)), "emit_ts": 9, "epoch": 1});
        assert!(!put(&mut keys, 9, "cf/default/a/status", &status), "checkpoints disturb nobody");
        assert!(put(&mut keys, 10, &format!("node/{:032x}", 2), &json!({"format": 1, "state": "draining"})));
        let world = keys.world();
        let seen = &world.snapshot;
        let (one, two) = (peer_of("1", 4).unwrap(), peer_of("2", 5).unwrap());
        assert_eq!((seen.rev, seen.owner), (10, Some((one, OwnerRev(6)))));
        assert_eq!(seen.captures[&two].state, NodeState::Draining);
        let mut feeds: Vec<_> =
            seen.feeds.values().map(|f| (f.wanted, f.fence, f.run, f.checkpoint.ts.get())).collect();
        feeds.sort();
        let lease = Fence::Lease { inflight: INFLIGHT_MICROS };
        assert_eq!(feeds, [(false, lease, RunId(3), 0), (true, Fence::Token, RunId(3), 9)]);
        assert_eq!(world.others(one.capture).count(), 0, "who is being drained takes nothing");
        assert_eq!(world.others(two.capture).count(), 1);
    }

    #[test]
    fn limits_are_those_stored_and_otherwise_the_defaults() {
        let mut keys = Keys::new(PREFIX, 0, &[]);
        assert_eq!(keys.world().limits, Limits::default());
        let set = json!({"format": 1, "limits": {"moves": 3, "hot-percent": 1, "of-a-later-version": 7}});
        assert!(put(&mut keys, 4, "schedule", &set), "the owner is to see it");
        let expected = Limits { moves: 3, hot_percent: 100, ..Limits::default() };
        assert_eq!(keys.world().limits, expected, "within its range");
        assert!(delete(&mut keys, 5, "schedule"));
        assert_eq!(keys.world().limits, Limits::default());
    }

    #[test]
    fn a_node_in_maintenance_is_the_home_of_what_it_ran_last() {
        let mut keys = Keys::new(PREFIX, 0, &[]);
        let (node, capture) = (format!("{:032x}", 2), format!("{:032x}", 7));
        put(&mut keys, 4, "cf/default/a/info", &info("mysql://root@h:3306/", "normal"));
        let run = json!({"format": 1, "capture": capture, "inc": 3, "address": "h:2", "node": node});
        put(&mut keys, 5, "cf/default/a/run", &run);
        assert!(keys.world().snapshot.homes.is_empty(), "of others nothing is kept");
        let wish = json!({"format": 1, "state": "maintenance", "address": "h:2", "away_max_ms": 500});
        put(&mut keys, 6, &format!("node/{node}"), &wish);
        let seen = keys.world().snapshot;
        assert_eq!(seen.maintenance, BTreeMap::from([(NodeId(2), 500_000)]));
        assert_eq!(seen.homes.values().copied().collect::<Vec<_>>(), [NodeId(2)], "registered or not");
        assert!(delete(&mut keys, 7, "cf/default/a/run"));
        assert!(keys.world().snapshot.homes.is_empty(), "it was ended for good");
    }

    #[test]
    fn an_owner_or_runner_that_is_gone_is_none() {
        let mut keys = Keys::new(PREFIX, 0, &[]);
        let capture = format!("capture/{:032x}", 1);
        put(&mut keys, 4, &capture, &member(1));
        put(&mut keys, 5, "owner", &json!({"format": 1, "capture": format!("{:032x}", 1), "inc": 4, "address": "h:1"}));
        put(
            &mut keys,
            6,
            "cf/default/a/run",
            &json!({"format": 1, "capture": format!("{:032x}", 1), "inc": 4, "address": "h:1"}),
        );
        let id = ChangefeedId::new("default", "a").unwrap();
        let world = keys.world();
        assert!(world.owner().is_some() && world.runner(&id).is_some());
        assert!(delete(&mut keys, 7, &capture));
        let world = keys.world();
        assert!(world.owner().is_none() && world.runner(&id).is_none());
        assert_eq!(world.owner_rev(), Some(OwnerRev(5)), "its revision is what a successor has to name");
        put(&mut keys, 8, &capture, &member(1));
        assert!(keys.world().owner().is_none(), "registered again it is another");
    }

    #[test]
    fn records_that_cannot_be_read_hide_no_others() {
        let mut keys = Keys::new(PREFIX, 0, &[]);
        put(&mut keys, 4, "cf/default/a/info", &json!({"format": 9}));
        put(&mut keys, 5, "capture/nonsense", &member(1));
        put(&mut keys, 6, "cf/default/b/info", &info("blackhole://", "normal"));
        assert_eq!((keys.world().feeds.len(), keys.world().members.len()), (1, 0));
    }

    #[test]
    fn made_anew_is_another_changefeed() {
        let id = ChangefeedId::new("default", "a").unwrap();
        assert_ne!(feed_id(&id, "0b", 1), feed_id(&id, "0c", 1));
        assert_ne!(feed_id(&id, "0b", 1), feed_id(&ChangefeedId::new("other", "a").unwrap(), "0b", 1));
        assert_eq!(feed_id(&id, "0b", 1), feed_id(&id, "0b", 2), "wherever it is read");
    }
}
