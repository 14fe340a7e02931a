//! Change feeds: registering, deregistering, and what ends a subscription.

use super::conn::Subscription;
use super::region::Region;
use super::{Cluster, Conn, ScanTask};
use crate::encode::codec::decode_memcomparable;
use std::sync::Arc;
use tg_proto::{cdcpb, errorpb};

/// Server version that knows the plain transactional feed this server does not give.
const TXN_KV_VERSION: &str = "6.2.0";

pub(crate) fn not_leader(region: &Region) -> cdcpb::Error {
    let leader = region.leader_peer().map(Into::into);
    let not_leader = Some(errorpb::NotLeader { region_id: region.id, leader });
    cdcpb::Error { not_leader, ..Default::default() }
}

pub(crate) fn region_not_found(region_id: u64) -> cdcpb::Error {
    cdcpb::Error { region_not_found: Some(errorpb::RegionNotFound { region_id }), ..Default::default() }
}

pub(crate) fn epoch_not_match(current: &[&Region]) -> cdcpb::Error {
    let current_regions = current.iter().map(|r| r.to_pb()).collect();
    cdcpb::Error { epoch_not_match: Some(errorpb::EpochNotMatch { current_regions }), ..Default::default() }
}

impl Region {
    /// Ends the subscriptions that `which` picks with an error.
    pub(crate) fn end_subs(&mut self, error: &cdcpb::Error, which: impl Fn(&Subscription) -> bool) {
        let id = self.id;
        self.subs.retain(|sub| {
            let ends = which(sub);
            if ends {
                sub.conn.send_error(id, sub.request, error.clone());
            }
            !ends
        });
    }
}

impl Cluster {
    /// Answers one request of a change feed stream; a registration that is accepted gives the scan to run.
    pub(crate) fn feed_request(&self, conn: &Arc<Conn>, request: &cdcpb::ChangeDataRequest) -> Option<ScanTask> {
        let header = request.header.clone().unwrap_or_default();
        conn.set_version(&header.ticdc_version);
        if let Some(cdcpb::change_data_request::Request::Deregister(_)) = request.request {
            self.deregister(conn, request.region_id, request.request_id);
            return None;
        }
        match self.register(conn, request, header.cluster_id) {
            Ok(task) => Some(task),
            Err(error) => {
                conn.send_error(request.region_id, request.request_id, *error);
                None
            }
        }
    }

    /// The checks of a registration, in the order of the servers, then the attachment.
    fn register(
        &self,
        conn: &Arc<Conn>,
        request: &cdcpb::ChangeDataRequest,
        cluster_id: u64,
    ) -> Result<ScanTask, Box<cdcpb::Error>> {
        let id = request.region_id;
        if conn.at_least(5, 3, 0) && cluster_id != self.id {
            let mismatch = cdcpb::ClusterIdMismatch { current: self.id, request: cluster_id };
            return Err(Box::new(cdcpb::Error { cluster_id_mismatch: Some(mismatch), ..Default::default() }));
        }
        if request.kv_api != cdcpb::KvApi::TiDb as i32 {
            let compatibility = Some(cdcpb::Compatibility { required_version: TXN_KV_VERSION.to_owned() });
            return Err(Box::new(cdcpb::Error { compatibility, ..Default::default() }));
        }
        if let Some(error) = self.faults.registration(id) {
            return Err(Box::new(error));
        }
        let mut state = self.lock();
        let at = state.regions.by_id(id).ok_or_else(|| Box::new(region_not_found(id)))?;
        let region = state.regions.get_mut(at);
        if !region.peers.iter().any(|p| p.store == conn.store) {
            return Err(Box::new(region_not_found(id)));
        }
        if region.subs.iter().any(|s| s.conn.id == conn.id && s.request == request.request_id) {
            let duplicate_request = Some(cdcpb::DuplicateRequest { region_id: id });
            return Err(Box::new(cdcpb::Error { duplicate_request, ..Default::default() }));
        }
        let version = request.region_epoch.as_ref().map_or(0, |e| e.version);
        if version != region.version {
            return Err(Box::new(epoch_not_match(&[region])));
        }
        if region.leader != Some(conn.store) {
            return Err(Box::new(not_leader(region)));
        }
        let (start, end) = observed_range(region, request);
        let serial = self.next_serial();
        region.subs.push(Subscription {
            serial,
            conn: conn.clone(),
            request: request.request_id,
            start: start.clone(),
            end: end.clone(),
            filter_loop: request.filter_loop,
            initialized: false,
        });
        let snapshot_ts = self.tso.next();
        Ok(ScanTask { serial, region: id, cursor: start, end, checkpoint_ts: request.checkpoint_ts, snapshot_ts })
    }

    /// Ends one subscription, or (region zero) all of a request; each is answered with RegionNotFound.
    fn deregister(&self, conn: &Conn, region: u64, request: u64) {
        let mut state = self.lock();
        for r in state.regions.iter_mut().filter(|r| region == 0 || r.id == region) {
            let error = region_not_found(r.id);
            r.end_subs(&error, |s| s.conn.id == conn.id && s.request == request);
        }
    }

    /// Forgets all subscriptions of a connection that is gone.
    pub(crate) fn detach(&self, conn: u64) {
        let mut state = self.lock();
        for region in state.regions.iter_mut() {
            region.subs.retain(|s| s.conn.id != conn);
        }
    }
}

/// The part of the region that was asked for; malformed bounds mean the whole region.
fn observed_range(region: &Region, request: &cdcpb::ChangeDataRequest) -> (Vec<u8>, Vec<u8>) {
    let raw = |key: &[u8]| match key {
        [] => Some(Vec::new()),
        key => decode_memcomparable(key).map(|(raw, _)| raw),
    };
    let (Some(start), Some(end)) = (raw(&request.start_key), raw(&request.end_key)) else {
        return (region.start.clone(), region.end.clone());
    };
    let end = match (end.is_empty(), region.end.is_empty()) {
        (true, _) => region.end.clone(),
        (false, true) => end,
        (false, false) => end.min(region.end.clone()),
    };
    (start.max(region.start.clone()), end)
}
