use super::{CLUSTER, State};
use futures::Stream;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tg_proto::pdpb::pd_server::Pd;
use tg_proto::{metapb, pdpb};
use tokio_stream::StreamExt as _;
use tonic::{Request, Response, Status, Streaming};

pub(crate) struct FakePd {
    pub(crate) index: usize,
    pub(crate) state: Arc<Mutex<State>>,
}

type Answer<T> = Result<Response<T>, Status>;

impl FakePd {
    fn header(&self) -> Option<pdpb::ResponseHeader> {
        Some(pdpb::ResponseHeader { cluster_id: self.cluster_id(), error: None })
    }

    fn cluster_id(&self) -> u64 {
        self.state.lock().unwrap().cluster_ids.get(&self.index).copied().unwrap_or(CLUSTER)
    }

    fn check(&self, header: Option<pdpb::RequestHeader>, call: &'static str) -> Result<(), Status> {
        let mut state = self.state.lock().unwrap();
        state.calls.push(call);
        if header.is_none_or(|h| h.cluster_id != CLUSTER) {
            return Err(Status::failed_precondition("mismatch cluster id"));
        }
        if state.leader == Some(self.index) { Ok(()) } else { Err(Status::unavailable("not leader")) }
    }

    fn in_range(&self, start: &[u8], end: &[u8]) -> Vec<pdpb::Region> {
        let overlaps = |r: &pdpb::Region| {
            let m = r.region.as_ref().unwrap();
            (m.end_key.is_empty() || &m.end_key[..] > start) && (end.is_empty() || &m.start_key[..] < end)
        };
        self.state.lock().unwrap().regions.iter().filter(|r| overlaps(r)).cloned().collect()
    }
}

#[tonic::async_trait]
impl Pd for FakePd {
    type TsoStream = Pin<Box<dyn Stream<Item = Result<pdpb::TsoResponse, Status>> + Send>>;

    async fn get_members(&self, _: Request<pdpb::GetMembersRequest>) -> Answer<pdpb::GetMembersResponse> {
        let header = self.header();
        let state = self.state.lock().unwrap();
        let member = |(n, url): (usize, &String)| pdpb::Member {
            member_id: n as u64 + 1,
            client_urls: vec![url.clone()],
            ..Default::default()
        };
        let members: Vec<_> = state.pd_urls.iter().enumerate().map(member).collect();
        let leader = state.leader.map(|n| members[n].clone());
        Ok(Response::new(pdpb::GetMembersResponse { header, members, leader, etcd_leader: None }))
    }

    async fn tso(&self, request: Request<Streaming<pdpb::TsoRequest>>) -> Answer<Self::TsoStream> {
        let (state, index) = (Arc::clone(&self.state), self.index);
        let answers = request.into_inner().then(move |request| {
            let state = Arc::clone(&state);
            async move {
                let request = request?;
                let delay = state.lock().unwrap().tso_delay;
                tokio::time::sleep(delay).await;
                let mut state = state.lock().unwrap();
                if state.leader != Some(index) {
                    return Err(Status::unknown("cannot generate tso"));
                }
                state.clock += u64::from(request.count);
                state.tso_counts.push(request.count);
                let last = state.clock;
                Ok(pdpb::TsoResponse {
                    header: Some(pdpb::ResponseHeader { cluster_id: CLUSTER, error: None }),
                    count: request.count,
                    timestamp: Some(pdpb::Timestamp {
                        physical: (last >> 18) as i64,
                        logical: (last & 0x3ffff) as i64,
                        suffix_bits: 0,
                    }),
                })
            }
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_region(&self, request: Request<pdpb::GetRegionRequest>) -> Answer<pdpb::GetRegionResponse> {
        let request = request.into_inner();
        self.check(request.header, "GetRegion")?;
        let mut end = request.region_key.to_vec();
        end.push(0);
        let found = self.in_range(&request.region_key, &end).into_iter().next().unwrap_or_default();
        let header = self.header();
        Ok(Response::new(pdpb::GetRegionResponse {
            header,
            region: found.region,
            leader: found.leader,
            ..Default::default()
        }))
    }

    async fn get_prev_region(&self, _: Request<pdpb::GetRegionRequest>) -> Answer<pdpb::GetRegionResponse> {
        Err(Status::unimplemented(""))
    }

    async fn get_region_by_id(&self, _: Request<pdpb::GetRegionByIdRequest>) -> Answer<pdpb::GetRegionResponse> {
        Err(Status::unimplemented(""))
    }

    async fn scan_regions(&self, request: Request<pdpb::ScanRegionsRequest>) -> Answer<pdpb::ScanRegionsResponse> {
        let request = request.into_inner();
        self.check(request.header, "ScanRegions")?;
        let regions = self.in_range(&request.start_key, &request.end_key);
        Ok(Response::new(pdpb::ScanRegionsResponse { header: self.header(), regions, ..Default::default() }))
    }

    async fn batch_scan_regions(
        &self,
        request: Request<pdpb::BatchScanRegionsRequest>,
    ) -> Answer<pdpb::BatchScanRegionsResponse> {
        let request = request.into_inner();
        self.check(request.header, "BatchScanRegions")?;
        if self.state.lock().unwrap().no_batch_scan {
            return Err(Status::unimplemented("unknown method"));
        }
        let mut regions: Vec<pdpb::Region> =
            request.ranges.iter().flat_map(|r| self.in_range(&r.start_key, &r.end_key)).collect();
        regions.dedup();
        Ok(Response::new(pdpb::BatchScanRegionsResponse { header: self.header(), regions }))
    }

    async fn get_store(&self, request: Request<pdpb::GetStoreRequest>) -> Answer<pdpb::GetStoreResponse> {
        let request = request.into_inner();
        self.check(request.header, "GetStore")?;
        let address = self.state.lock().unwrap().stores.get(&request.store_id).map(ToString::to_string);
        let store = address.map(|address| metapb::Store { id: request.store_id, address, ..Default::default() });
        Ok(Response::new(pdpb::GetStoreResponse { header: self.header(), store }))
    }

    async fn get_all_stores(&self, _: Request<pdpb::GetAllStoresRequest>) -> Answer<pdpb::GetAllStoresResponse> {
        Err(Status::unimplemented(""))
    }

    async fn update_service_gc_safe_point(
        &self,
        request: Request<pdpb::UpdateServiceGcSafePointRequest>,
    ) -> Answer<pdpb::UpdateServiceGcSafePointResponse> {
        let request = request.into_inner();
        self.check(request.header, "UpdateServiceGCSafePoint")?;
        let header = self.header();
        let mut state = self.state.lock().unwrap();
        if state.no_classic_gc {
            return Err(Status::unimplemented("unknown method"));
        }
        let service = String::from_utf8(request.service_id.to_vec()).unwrap();
        if request.ttl <= 0 {
            state.holds.remove(&service);
        } else if request.safe_point >= state.safe_point {
            state.holds.insert(service, (request.safe_point, request.ttl));
        }
        let min_safe_point = state.safe_point;
        Ok(Response::new(pdpb::UpdateServiceGcSafePointResponse { header, min_safe_point, ..Default::default() }))
    }

    async fn get_gc_safe_point(&self, _: Request<pdpb::GetGcSafePointRequest>) -> Answer<pdpb::GetGcSafePointResponse> {
        Err(Status::unimplemented(""))
    }

    async fn set_gc_barrier(&self, request: Request<pdpb::SetGcBarrierRequest>) -> Answer<pdpb::SetGcBarrierResponse> {
        let request = request.into_inner();
        self.check(request.header, "SetGCBarrier")?;
        let mut header = self.header();
        let mut state = self.state.lock().unwrap();
        if request.barrier_ts < state.safe_point {
            let error = pdpb::Error {
                r#type: pdpb::ErrorType::Unknown.into(),
                message: "ErrGCBarrierTSBehindTxnSafePoint".to_owned(),
            };
            header.as_mut().unwrap().error = Some(error);
        } else {
            state.holds.insert(request.barrier_id, (request.barrier_ts, request.ttl_seconds));
        }
        Ok(Response::new(pdpb::SetGcBarrierResponse { header, new_barrier_info: None }))
    }

    async fn delete_gc_barrier(
        &self,
        request: Request<pdpb::DeleteGcBarrierRequest>,
    ) -> Answer<pdpb::DeleteGcBarrierResponse> {
        let request = request.into_inner();
        self.check(request.header, "DeleteGCBarrier")?;
        self.state.lock().unwrap().holds.remove(&request.barrier_id);
        Ok(Response::new(pdpb::DeleteGcBarrierResponse { header: self.header(), deleted_barrier_info: None }))
    }

    async fn get_gc_state(&self, request: Request<pdpb::GetGcStateRequest>) -> Answer<pdpb::GetGcStateResponse> {
        let request = request.into_inner();
        self.check(request.header, "GetGCState")?;
        let txn_safe_point = self.state.lock().unwrap().safe_point;
        let gc_state = Some(pdpb::GcState { txn_safe_point, ..Default::default() });
        Ok(Response::new(pdpb::GetGcStateResponse { header: self.header(), gc_state }))
    }
}
