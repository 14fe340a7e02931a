//! The placement driver's service.

use super::Answers;
use crate::store::{Cluster, Region, State, StoreInfo};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tg_proto::{metapb, pdpb};
use tonic::{Request, Response, Status, Streaming};

use crate::encode::codec::decode_memcomparable;
use tg_proto::pdpb::pd_server::Pd;

/// Version that stores and PD report.
pub(crate) const SERVER_VERSION: &str = "8.5.4";
/// Bits of the logical counter.
const LOGICAL_BITS: u32 = 18;
/// Id of the only member.
const MEMBER_ID: u64 = 1;
/// How often an idle stream looks whether it must break.
const BREAK_CHECK_MS: u64 = 20;

/// The service.
#[derive(Clone)]
pub(crate) struct PdService {
    cluster: Arc<Cluster>,
    address: SocketAddr,
}

type Answer<T> = Result<Response<T>, Status>;

impl PdService {
    pub(crate) const fn new(cluster: Arc<Cluster>, address: SocketAddr) -> Self {
        Self { cluster, address }
    }

    fn header(&self) -> Option<pdpb::ResponseHeader> {
        Some(pdpb::ResponseHeader { cluster_id: self.cluster.id, error: None })
    }

    fn failure(&self, kind: pdpb::ErrorType, message: String) -> Option<pdpb::ResponseHeader> {
        let error = Some(pdpb::Error { r#type: kind as i32, message });
        Some(pdpb::ResponseHeader { cluster_id: self.cluster.id, error })
    }

    /// Refuses while there is no leader, and clients of another cluster.
    fn check(&self, header: Option<&pdpb::RequestHeader>) -> Result<(), Status> {
        check(&self.cluster, header)
    }

    fn member(&self) -> pdpb::Member {
        let url = format!("http://{}", self.address);
        pdpb::Member {
            name: "pd-0".to_owned(),
            member_id: MEMBER_ID,
            peer_urls: vec![url.clone()],
            client_urls: vec![url],
            binary_version: format!("v{SERVER_VERSION}"),
        }
    }

    fn region(&self, find: impl FnOnce(&State) -> Option<&Region>) -> pdpb::GetRegionResponse {
        let state = self.cluster.lock();
        let region = find(&state);
        let leader = region.and_then(Region::leader_peer).map(Into::into);
        pdpb::GetRegionResponse {
            header: self.header(),
            region: region.map(Region::to_pb),
            leader,
            ..Default::default()
        }
    }
}

fn check(cluster: &Cluster, header: Option<&pdpb::RequestHeader>) -> Result<(), Status> {
    if cluster.faults.is_pd_leaderless() {
        return Err(Status::unavailable("not leader"));
    }
    let asked = header.map_or(0, |h| h.cluster_id);
    if asked != cluster.id {
        let text = format!("mismatch cluster id, need {} but got {asked}", cluster.id);
        return Err(Status::failed_precondition(text));
    }
    Ok(())
}

/// The raw key of a region key; malformed keys are taken as they are.
fn raw(key: &Bytes) -> Vec<u8> {
    if key.is_empty() {
        return Vec::new();
    }
    decode_memcomparable(key).map_or_else(|| key.to_vec(), |(raw, _)| raw)
}

fn pd_region(region: &Region) -> pdpb::Region {
    let leader = Some(region.leader_peer().map(Into::into).unwrap_or_default());
    pdpb::Region { region: Some(region.to_pb()), leader, ..Default::default() }
}

/// Regions that meet `[start, end)`, up to `limit` (zero and less: all).
fn scan(state: &State, start: &[u8], end: &[u8], limit: i32) -> Vec<pdpb::Region> {
    let limit = usize::try_from(limit).ok().filter(|l| *l > 0).unwrap_or(usize::MAX);
    let from = state.regions.at(start);
    let inside = state.regions.all()[from..].iter().take_while(|r| end.is_empty() || &r.start[..] < end);
    inside.take(limit).map(pd_region).collect()
}

fn store_pb(id: u64, info: &StoreInfo) -> metapb::Store {
    metapb::Store {
        id,
        address: info.address.clone(),
        state: metapb::StoreState::Up as i32,
        version: SERVER_VERSION.to_owned(),
        peer_address: info.address.clone(),
        ..Default::default()
    }
}

#[tonic::async_trait]
impl Pd for PdService {
    type TsoStream = Answers<pdpb::TsoResponse>;

    async fn get_members(&self, _: Request<pdpb::GetMembersRequest>) -> Answer<pdpb::GetMembersResponse> {
        let leader = (!self.cluster.faults.is_pd_leaderless()).then(|| self.member());
        let members = vec![self.member()];
        let etcd_leader = leader.clone();
        Ok(Response::new(pdpb::GetMembersResponse { header: self.header(), members, leader, etcd_leader }))
    }

    async fn tso(&self, request: Request<Streaming<pdpb::TsoRequest>>) -> Answer<Self::TsoStream> {
        let cluster = self.cluster.clone();
        let breaks = cluster.faults.tso_breaks.load(Ordering::SeqCst);
        let start = (cluster, request.into_inner(), breaks);
        let answers = futures::stream::unfold(Some(start), |stream| async move {
            let (cluster, mut requests, breaks) = stream?;
            match next_tso(&cluster, &mut requests, breaks).await {
                Ok(Some(answer)) => Some((Ok(answer), Some((cluster, requests, breaks)))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_region(&self, request: Request<pdpb::GetRegionRequest>) -> Answer<pdpb::GetRegionResponse> {
        let request = request.into_inner();
        self.check(request.header.as_ref())?;
        let key = raw(&request.region_key);
        Ok(Response::new(self.region(|s| Some(s.regions.get(s.regions.at(&key))))))
    }

    async fn get_prev_region(&self, request: Request<pdpb::GetRegionRequest>) -> Answer<pdpb::GetRegionResponse> {
        let request = request.into_inner();
        self.check(request.header.as_ref())?;
        let key = raw(&request.region_key);
        Ok(Response::new(self.region(|s| s.regions.at(&key).checked_sub(1).map(|at| s.regions.get(at)))))
    }

    async fn get_region_by_id(&self, request: Request<pdpb::GetRegionByIdRequest>) -> Answer<pdpb::GetRegionResponse> {
        let request = request.into_inner();
        self.check(request.header.as_ref())?;
        Ok(Response::new(self.region(|s| s.regions.by_id(request.region_id).map(|at| s.regions.get(at)))))
    }

    async fn scan_regions(&self, request: Request<pdpb::ScanRegionsRequest>) -> Answer<pdpb::ScanRegionsResponse> {
        let request = request.into_inner();
        self.check(request.header.as_ref())?;
        let (start, end) = (raw(&request.start_key), raw(&request.end_key));
        let regions = scan(&self.cluster.lock(), &start, &end, request.limit);
        let region_metas = regions.iter().filter_map(|r| r.region.clone()).collect();
        let leaders = regions.iter().filter_map(|r| r.leader).collect();
        Ok(Response::new(pdpb::ScanRegionsResponse { header: self.header(), region_metas, leaders, regions }))
    }

    async fn batch_scan_regions(
        &self,
        request: Request<pdpb::BatchScanRegionsRequest>,
    ) -> Answer<pdpb::BatchScanRegionsResponse> {
        let request = request.into_inner();
        self.check(request.header.as_ref())?;
        let mut regions: Vec<pdpb::Region> = Vec::new();
        let state = self.cluster.lock();
        for range in &request.ranges {
            let left = if request.limit > 0 { request.limit - regions.len() as i32 } else { 0 };
            if request.limit > 0 && left <= 0 {
                break;
            }
            for region in scan(&state, &raw(&range.start_key), &raw(&range.end_key), left) {
                if regions.last().and_then(|r| r.region.as_ref()).map(|r| r.id) != region.region.as_ref().map(|r| r.id)
                {
                    regions.push(region);
                }
            }
        }
        Ok(Response::new(pdpb::BatchScanRegionsResponse { header: self.header(), regions }))
    }

    async fn get_store(&self, request: Request<pdpb::GetStoreRequest>) -> Answer<pdpb::GetStoreResponse> {
        let request = request.into_inner();
        self.check(request.header.as_ref())?;
        let id = request.store_id;
        let store = self.cluster.lock().stores.get(&id).map(|info| store_pb(id, info));
        let header = match store {
            Some(_) => self.header(),
            None => self.failure(pdpb::ErrorType::Unknown, format!("invalid store ID {id}, not found")),
        };
        Ok(Response::new(pdpb::GetStoreResponse { header, store }))
    }

    async fn get_all_stores(&self, request: Request<pdpb::GetAllStoresRequest>) -> Answer<pdpb::GetAllStoresResponse> {
        self.check(request.into_inner().header.as_ref())?;
        let stores = self.cluster.lock().stores.iter().map(|(id, info)| store_pb(*id, info)).collect();
        Ok(Response::new(pdpb::GetAllStoresResponse { header: self.header(), stores }))
    }

    async fn update_service_gc_safe_point(
        &self,
        request: Request<pdpb::UpdateServiceGcSafePointRequest>,
    ) -> Answer<pdpb::UpdateServiceGcSafePointResponse> {
        let request = request.into_inner();
        self.check(request.header.as_ref())?;
        let mut state = self.cluster.lock();
        state.gc.hold(&request.service_id, request.ttl, request.safe_point);
        let (service_id, ttl, min_safe_point) = state.gc.minimum();
        let (header, service_id) = (self.header(), service_id.into());
        Ok(Response::new(pdpb::UpdateServiceGcSafePointResponse { header, service_id, ttl, min_safe_point }))
    }

    async fn get_gc_safe_point(
        &self,
        request: Request<pdpb::GetGcSafePointRequest>,
    ) -> Answer<pdpb::GetGcSafePointResponse> {
        self.check(request.into_inner().header.as_ref())?;
        let safe_point = self.cluster.lock().gc.safe_point;
        Ok(Response::new(pdpb::GetGcSafePointResponse { header: self.header(), safe_point }))
    }

    async fn set_gc_barrier(&self, _: Request<pdpb::SetGcBarrierRequest>) -> Answer<pdpb::SetGcBarrierResponse> {
        Err(Status::unimplemented("absent in the version this server reports"))
    }

    async fn delete_gc_barrier(
        &self,
        _: Request<pdpb::DeleteGcBarrierRequest>,
    ) -> Answer<pdpb::DeleteGcBarrierResponse> {
        Err(Status::unimplemented("absent in the version this server reports"))
    }

    async fn get_gc_state(&self, _: Request<pdpb::GetGcStateRequest>) -> Answer<pdpb::GetGcStateResponse> {
        Err(Status::unimplemented("absent in the version this server reports"))
    }
}

/// Answers the next request of a timestamp stream; breaks it when PD loses its leader.
async fn next_tso(
    cluster: &Cluster,
    requests: &mut Streaming<pdpb::TsoRequest>,
    breaks: u64,
) -> Result<Option<pdpb::TsoResponse>, Status> {
    let request = loop {
        let wait = std::time::Duration::from_millis(BREAK_CHECK_MS);
        let waited = tokio::time::timeout(wait, requests.message()).await;
        if cluster.faults.tso_breaks.load(Ordering::SeqCst) != breaks {
            return Err(Status::unavailable("not leader"));
        }
        if let Ok(request) = waited {
            break request?;
        }
    };
    let Some(request) = request else {
        return Ok(None);
    };
    check(cluster, request.header.as_ref())?;
    if request.count == 0 {
        return Err(Status::unknown("tso count should be positive"));
    }
    let ts = cluster.tso.batch(request.count);
    let timestamp = pdpb::Timestamp {
        physical: (ts >> LOGICAL_BITS) as i64,
        logical: (ts & ((1 << LOGICAL_BITS) - 1)) as i64,
        suffix_bits: 0,
    };
    let header = Some(pdpb::ResponseHeader { cluster_id: cluster.id, error: None });
    Ok(Some(pdpb::TsoResponse { header, count: request.count, timestamp: Some(timestamp) }))
}
