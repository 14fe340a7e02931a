//! What is known of a region.

use crate::key::KeyRange;
use bytes::Bytes;
use tg_proto::{metapb, pdpb};

/// A region as PD or a store described it. Keys are in region-key form.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Region {
    pub(crate) id: u64,
    pub(crate) range: KeyRange,
    pub(crate) epoch: metapb::RegionEpoch,
    pub(crate) peers: Vec<metapb::Peer>,
    pub(crate) leader: Option<metapb::Peer>,
}

impl Region {
    /// `None` when the description lacks the region itself.
    pub(crate) fn from_pd(region: Option<metapb::Region>, leader: Option<metapb::Peer>) -> Option<Self> {
        let meta = region?;
        let leader = leader.filter(|l| l.store_id != 0);
        Some(Self {
            id: meta.id,
            range: KeyRange { start: meta.start_key, end: meta.end_key },
            epoch: meta.region_epoch.unwrap_or_default(),
            peers: meta.peers,
            leader,
        })
    }

    pub(crate) fn from_pd_region(region: pdpb::Region) -> Option<Self> {
        Self::from_pd(region.region, region.leader)
    }

    /// Grows with every split and merge.
    pub(crate) fn version(&self) -> u64 {
        self.epoch.version
    }

    /// The leader, or else the `attempt`-th voter, going round.
    pub(crate) fn candidate(&self, attempt: u32) -> Option<metapb::Peer> {
        if self.leader.is_some() {
            return self.leader;
        }
        let voters: Vec<_> = self.peers.iter().filter(|p| p.role() != metapb::PeerRole::Learner).collect();
        voters.get(attempt as usize % voters.len().max(1)).map(|p| **p)
    }

    pub(crate) fn contains(&self, region_key: &[u8]) -> bool {
        self.range.start.as_ref() <= region_key && crate::key::below_end(region_key, &self.range.end)
    }
}

/// Sorts regions and keeps those that cover `range` from its start without a hole.
pub(crate) fn contiguous(mut regions: Vec<Region>, range: &KeyRange) -> Vec<Region> {
    // Stale descriptions overlap newer ones: of those that start alike, the newest counts.
    regions.sort_by(|a, b| (&a.range.start, b.version()).cmp(&(&b.range.start, a.version())));
    let mut out: Vec<Region> = Vec::with_capacity(regions.len());
    let mut next: Option<Bytes> = Some(range.start.clone());
    for region in regions {
        let Some(at) = &next else { break };
        let first = out.is_empty();
        let fits = if first { region.contains(at) } else { region.range.start == *at };
        if !fits {
            if first || region.range.start < *at {
                continue;
            }
            break;
        }
        let end = region.range.end.clone();
        let done = end.is_empty() || (!range.end.is_empty() && end >= range.end);
        next = (!done).then_some(end);
        out.push(region);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Region, contiguous};
    use crate::key::KeyRange;

    fn region(id: u64, start: &'static str, end: &'static str, version: u64) -> Region {
        Region {
            id,
            range: KeyRange { start: start.into(), end: end.into() },
            epoch: tg_proto::metapb::RegionEpoch { conf_ver: 1, version },
            peers: vec![],
            leader: None,
        }
    }

    #[test]
    fn lists_are_cut_at_holes() {
        let range = KeyRange { start: "c".into(), end: "p".into() };
        let check = |regions: Vec<Region>, ids: &[u64]| {
            assert_eq!(contiguous(regions, &range).iter().map(|r| r.id).collect::<Vec<_>>(), ids);
        };
        check(vec![region(2, "f", "", 1), region(1, "", "f", 1)], &[1, 2]);
        check(vec![region(1, "", "f", 1), region(2, "g", "", 1)], &[1]);
        check(vec![region(1, "d", "", 1)], &[]);
        check(vec![region(1, "b", "f", 1), region(2, "b", "", 2)], &[2]);
        check(vec![region(1, "", "c", 1), region(2, "c", "z", 1), region(3, "z", "", 1)], &[2]);
        check(vec![], &[]);
    }
}
