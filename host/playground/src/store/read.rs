//! Checks of a request against regions, and reads.

use super::region::Region;
use super::{Cluster, State};
use tg_proto::{errorpb, kvrpcpb};

/// Why a region cannot serve a request.
pub(crate) type RegionError = Box<errorpb::Error>;

impl State {
    /// The region a request names, after the servers' checks: it is here, led here, and of this epoch.
    pub(crate) fn checked_region(
        &self,
        store: u64,
        context: Option<&kvrpcpb::Context>,
    ) -> Result<&Region, RegionError> {
        let context = context.cloned().unwrap_or_default();
        let asked = context.peer.as_ref().map_or(store, |p| p.store_id);
        if asked != store && asked != 0 {
            let mismatch = errorpb::StoreNotMatch { request_store_id: asked, actual_store_id: store };
            return Err(error("store not match", |e| e.store_not_match = Some(mismatch)));
        }
        let id = context.region_id;
        let not_found =
            || error("region not found", |e| e.region_not_found = Some(errorpb::RegionNotFound { region_id: id }));
        let region = self.regions.get(self.regions.by_id(id).ok_or_else(not_found)?);
        if !region.peers.iter().any(|p| p.store == store) {
            return Err(not_found());
        }
        if region.leader != Some(store) {
            let leader = region.leader_peer().map(Into::into);
            return Err(error("not leader", |e| e.not_leader = Some(errorpb::NotLeader { region_id: id, leader })));
        }
        let epoch = context.region_epoch.unwrap_or_default();
        if (epoch.version, epoch.conf_ver) != (region.version, region.conf_ver) {
            let current_regions = vec![region.to_pb()];
            return Err(error("epoch not match", |e| {
                e.epoch_not_match = Some(errorpb::EpochNotMatch { current_regions })
            }));
        }
        Ok(region)
    }
}

impl Region {
    /// Whether the key may be asked here.
    pub(crate) fn checked_key(&self, key: &[u8]) -> Result<(), RegionError> {
        if self.contains(key) {
            return Ok(());
        }
        let outside = errorpb::KeyNotInRegion {
            key: key.to_vec().into(),
            region_id: self.id,
            start_key: self.start.clone().into(),
            end_key: self.end.clone().into(),
        };
        Err(error("key not in region", |e| e.key_not_in_region = Some(outside)))
    }
}

pub(crate) fn error(message: &str, set: impl FnOnce(&mut errorpb::Error)) -> RegionError {
    let mut error = errorpb::Error { message: message.to_owned(), ..Default::default() };
    set(&mut error);
    Box::new(error)
}

impl Cluster {
    /// Marks `ts` as read: transactions without a fresh commit timestamp commit above it.
    /// `false` when the timestamp lies in the future, which a real store does not survive.
    pub(crate) fn begin_read(&self, state: &mut State, ts: u64) -> bool {
        if ts == u64::MAX {
            return true;
        }
        state.max_ts = state.max_ts.max(ts);
        ts <= self.tso.now()
    }
}
