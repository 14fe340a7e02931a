//! Regions by key, for reads.

use crate::UpstreamError;
use crate::pd::Pd;
use crate::region::Region;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tg_proto::metapb;

/// More regions than this are not remembered; the cache starts anew.
const REGIONS_MAX: usize = 100_000;

#[derive(Default)]
struct State {
    by_start: BTreeMap<Bytes, Arc<Region>>,
    starts: HashMap<u64, Bytes>,
}

/// What PD told of regions, as far as nobody has found it wrong.
pub(crate) struct RegionCache {
    pd: Arc<Pd>,
    state: Mutex<State>,
}

impl RegionCache {
    pub(crate) fn new(pd: Arc<Pd>) -> Self {
        Self { pd, state: Mutex::default() }
    }

    /// The region of a key; `None` when PD has none at the moment.
    pub(crate) async fn locate(&self, region_key: &Bytes) -> Result<Option<Arc<Region>>, UpstreamError> {
        if let Some(region) = self.state.lock().get(region_key) {
            return Ok(Some(region));
        }
        let Some(region) = self.pd.region_of(region_key).await? else {
            return Ok(None);
        };
        let region = Arc::new(region);
        self.state.lock().insert(Arc::clone(&region));
        Ok(Some(region))
    }

    /// The region is not what it was.
    pub(crate) fn drop_region(&self, id: u64) {
        self.state.lock().remove(id);
    }

    /// The region is led by another peer.
    pub(crate) fn switch_leader(&self, id: u64, leader: metapb::Peer) {
        let mut state = self.state.lock();
        let Some(start) = state.starts.get(&id).cloned() else {
            return;
        };
        if let Some(region) = state.by_start.get_mut(&start) {
            *region = Arc::new(Region { leader: Some(leader), ..Region::clone(region) });
        }
    }
}

impl State {
    fn get(&self, key: &Bytes) -> Option<Arc<Region>> {
        let (_, region) = self.by_start.range::<Bytes, _>(..=key).next_back()?;
        region.contains(key).then(|| Arc::clone(region))
    }

    fn remove(&mut self, id: u64) {
        if let Some(start) = self.starts.remove(&id) {
            self.by_start.remove(&start);
        }
    }

    /// What it overlaps is out of date.
    fn insert(&mut self, region: Arc<Region>) {
        if self.by_start.len() >= REGIONS_MAX {
            *self = Self::default();
        }
        self.remove(region.id);
        let before = self.by_start.range::<Bytes, _>(..&region.range.start).next_back();
        let overlapped: Vec<u64> = before
            .into_iter()
            .chain(self.by_start.range::<Bytes, _>(&region.range.start..))
            .take_while(|(start, _)| crate::key::below_end(start, &region.range.end))
            .filter(|(_, r)| r.range.intersect(&region.range).is_some())
            .map(|(_, r)| r.id)
            .collect();
        for id in overlapped {
            self.remove(id);
        }
        self.starts.insert(region.id, region.range.start.clone());
        self.by_start.insert(region.range.start.clone(), region);
    }
}

#[cfg(test)]
mod tests {
    use super::State;
    use crate::key::KeyRange;
    use crate::region::Region;
    use bytes::Bytes;
    use std::sync::Arc;

    fn region(id: u64, start: &'static str, end: &'static str) -> Arc<Region> {
        let range = KeyRange { start: start.into(), end: end.into() };
        Arc::new(Region { id, range, epoch: Default::default(), peers: vec![], leader: None })
    }

    #[test]
    fn newer_regions_displace_what_they_overlap() {
        let mut state = State::default();
        let check = |state: &State, key: &'static str, id: Option<u64>| {
            assert_eq!(state.get(&Bytes::from_static(key.as_bytes())).map(|r| r.id), id, "{key}");
        };
        state.insert(region(1, "", "m"));
        state.insert(region(2, "m", ""));
        check(&state, "a", Some(1));
        check(&state, "m", Some(2));
        state.insert(region(3, "g", "p"));
        check(&state, "a", None);
        check(&state, "h", Some(3));
        check(&state, "z", None);
        state.insert(region(3, "h", "i"));
        check(&state, "g", None);
        check(&state, "h", Some(3));
        state.remove(3);
        check(&state, "h", None);
        assert!(state.starts.is_empty() && state.by_start.is_empty());
    }
}
