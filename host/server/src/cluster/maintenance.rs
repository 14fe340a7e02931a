//! Nodes that keep what they run over a short absence.

use super::world::World;
use super::{Cluster, ClusterError};
use crate::ServerError;
use std::ops::RangeInclusive;
use tg_api::Maintenance;
use tg_metastore::{NodeRecord, NodeWish};

/// For how long a node in maintenance may be away, in milliseconds. Longer, and a changefeed is better off elsewhere.
const AWAY_MS: RangeInclusive<u64> = 1_000..=600_000;

/// A node as somebody names it: by its address, its process or its data directory.
struct Named {
    node: String,
    address: String,
    /// Somebody else takes work.
    spared: bool,
}

impl Cluster {
    /// Puts a node into maintenance, or (`None`) takes it out.
    pub(crate) async fn maintain(&self, name: &str, away_max_ms: Option<u64>) -> Result<Maintenance, ServerError> {
        let world = self.world();
        let found = named(&world, name).ok_or_else(|| ServerError::from(unknown(name)))?;
        allowed(&world, &found, away_max_ms)?;
        let (node, address) = (found.node, found.address);
        let record = match away_max_ms {
            Some(away_max_ms) => {
                let address = address.clone();
                NodeRecord { address, away_max_ms, ..NodeRecord::of(NodeWish::Maintenance) }
            }
            None => NodeRecord::of(NodeWish::Up),
        };
        self.store.set_node(&node, &record).await?;
        Ok(Maintenance { node, address, away_max_ms })
    }
}

fn unknown(name: &str) -> ClusterError {
    let why = "there is no such node; name it by its address, or an id that `tidegate capture list` shows".to_owned();
    ClusterError::NoMaintenance { node: name.to_owned(), why }
}

/// Those that are away can be named too, as long as something is wanted of them.
fn named(world: &World, name: &str) -> Option<Named> {
    let is = |peer: &tg_cluster::Peer, node: &str, address: &str| {
        name == address || name == node || name == format!("{:032x}", peer.capture.0)
    };
    if let Some((peer, m)) = world.members.iter().find(|(peer, m)| is(peer, &m.node, &m.address)) {
        let spared = world.others(peer.capture).any(|(_, other)| other.node != m.node);
        return Some(Named { node: m.node.clone(), address: m.address.clone(), spared });
    }
    let (node, record) = world.away().find(|(node, record)| name == *node || name == record.address)?;
    let spared = world.members.values().any(|m| world.wish(&m.node) == NodeWish::Up);
    Some(Named { node: node.clone(), address: record.address.clone(), spared })
}

fn allowed(world: &World, of: &Named, away_max_ms: Option<u64>) -> Result<(), ClusterError> {
    let why = match (world.wish(&of.node), away_max_ms) {
        (NodeWish::Maintenance, None) => return Ok(()),
        (_, None) => "it is in no maintenance".to_owned(),
        (_, Some(ms)) if !AWAY_MS.contains(&ms) => {
            format!("it can be waited for {} to {} ms, not {ms}", AWAY_MS.start(), AWAY_MS.end())
        }
        (NodeWish::Draining, Some(_)) => "it is being drained".to_owned(),
        (_, Some(_)) if !of.spared => "no other node takes work meanwhile".to_owned(),
        (NodeWish::Up | NodeWish::Maintenance, Some(_)) => return Ok(()),
    };
    Err(ClusterError::NoMaintenance { node: of.address.clone(), why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tg_cluster::{CaptureId, Incarnation, Peer};
    use tg_metastore::MemberRecord;

    fn world(wishes: &[(u8, NodeWish)], members: &[u8]) -> World {
        let member = |n: u8| {
            let peer = Peer { capture: CaptureId(u128::from(n) + 100), inc: Incarnation(1) };
            let (node, address) = (format!("{n:032x}"), format!("h:{n}"));
            let (zone, version, other) = (String::new(), String::new(), serde_json::Map::new());
            (peer, MemberRecord { node, address, zone, version, started_ms: 0, other })
        };
        let wish = |(n, wish): &(u8, NodeWish)| {
            (format!("{n:032x}"), NodeRecord { address: format!("h:{n}"), ..NodeRecord::of(*wish) })
        };
        let wishes = wishes.iter().map(wish).collect();
        World { members: members.iter().map(|n| member(*n)).collect(), wishes, ..World::default() }
    }

    fn tried(world: &World, name: &str, away_max_ms: Option<u64>) -> String {
        let found = named(world, name).ok_or_else(|| unknown(name));
        found.and_then(|of| allowed(world, &of, away_max_ms)).map_or_else(|e| e.to_string(), |()| "yes".to_owned())
    }

    #[test]
    fn a_node_goes_by_its_address_its_process_and_its_directory() {
        let w = world(&[(3, NodeWish::Maintenance)], &[1, 2]);
        for name in ["h:1".to_owned(), format!("{:032x}", 1), format!("{:032x}", 101)] {
            assert_eq!(named(&w, &name).unwrap().address, "h:1", "{name}");
        }
        assert_eq!(named(&w, "h:3").unwrap().node, format!("{:032x}", 3), "it is away");
        assert!(tried(&w, "h:9", None).contains("no such node"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let w = world(&[(2, NodeWish::Draining), (3, NodeWish::Maintenance)], &[1, 2, 4]);
        assert_eq!(tried(&w, "h:1", Some(1_000)), "yes");
        assert_eq!(tried(&w, "h:3", None), "yes", "also of one that is away");
        assert!(tried(&w, "h:1", None).contains("in no maintenance"));
        assert!(tried(&w, "h:1", Some(999)).contains("1000 to 600000 ms"));
        assert!(tried(&w, "h:1", Some(600_001)).contains("not 600001"));
        assert!(tried(&w, "h:2", Some(1_000)).contains("being drained"));
        let last = world(&[(2, NodeWish::Maintenance)], &[1, 2]);
        assert!(tried(&last, "h:1", Some(1_000)).contains("no other node"));
        assert_eq!(tried(&last, "h:2", Some(2_000)), "yes", "longer than was said before");
    }
}
