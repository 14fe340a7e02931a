//! The placement driver of the replaying cluster.

use crate::cluster::{CLUSTER, Cluster};
use futures::Stream;
use std::pin::Pin;
use std::sync::Arc;
use tg_proto::metapb;
use tg_proto::pdpb::{self, pd_server};
use tokio_stream::StreamExt as _;
use tonic::{Request, Response, Status, Streaming};

pub(crate) struct Pd(pub(crate) Arc<Cluster>);

type Answer<T> = Result<Response<T>, Status>;

fn header() -> Option<pdpb::ResponseHeader> {
    Some(pdpb::ResponseHeader { cluster_id: CLUSTER, error: None })
}

macro_rules! not_here {
    ($($method:ident($request:ident) -> $answer:ident),* $(,)?) => {
        #[tonic::async_trait]
        impl pd_server::Pd for Pd {
            type TsoStream = Pin<Box<dyn Stream<Item = Result<pdpb::TsoResponse, Status>> + Send>>;

            $(async fn $method(&self, _: Request<pdpb::$request>) -> Answer<pdpb::$answer> {
                Err(Status::unimplemented(""))
            })*

            async fn get_members(&self, _: Request<pdpb::GetMembersRequest>) -> Answer<pdpb::GetMembersResponse> {
                let client_urls = vec![format!("http://{}", self.0.address)];
                let member = pdpb::Member { member_id: 1, client_urls, ..Default::default() };
                let members = vec![member.clone()];
                Ok(Response::new(pdpb::GetMembersResponse { header: header(), members, leader: Some(member), etcd_leader: None }))
            }

            async fn tso(&self, request: Request<Streaming<pdpb::TsoRequest>>) -> Answer<Self::TsoStream> {
                let cluster = Arc::clone(&self.0);
                Ok(Response::new(Box::pin(request.into_inner().map(move |request| {
                    let count = request?.count;
                    let mut state = cluster.state.lock().unwrap();
                    state.clock += u64::from(count);
                    let (physical, logical) = ((state.clock >> 18).cast_signed(), (state.clock & 0x3ffff).cast_signed());
                    let timestamp = Some(pdpb::Timestamp { physical, logical, suffix_bits: 0 });
                    Ok(pdpb::TsoResponse { header: header(), count, timestamp })
                }))))
            }

            async fn get_region(&self, request: Request<pdpb::GetRegionRequest>) -> Answer<pdpb::GetRegionResponse> {
                let key = request.into_inner().region_key;
                let end = [&key[..], &[0]].concat();
                let found = self.0.regions(&key, &end).into_iter().next().unwrap_or_default();
                Ok(Response::new(pdpb::GetRegionResponse { header: header(), region: found.region, leader: found.leader, ..Default::default() }))
            }

            async fn scan_regions(&self, request: Request<pdpb::ScanRegionsRequest>) -> Answer<pdpb::ScanRegionsResponse> {
                let request = request.into_inner();
                let regions = self.0.regions(&request.start_key, &request.end_key);
                Ok(Response::new(pdpb::ScanRegionsResponse { header: header(), regions, ..Default::default() }))
            }

            async fn get_store(&self, request: Request<pdpb::GetStoreRequest>) -> Answer<pdpb::GetStoreResponse> {
                let id = request.into_inner().store_id;
                let store = Some(metapb::Store { id, address: self.0.address.clone(), ..Default::default() });
                Ok(Response::new(pdpb::GetStoreResponse { header: header(), store }))
            }
        }
    };
}

not_here!(
    get_prev_region(GetRegionRequest) -> GetRegionResponse,
    get_region_by_id(GetRegionByIdRequest) -> GetRegionResponse,
    batch_scan_regions(BatchScanRegionsRequest) -> BatchScanRegionsResponse,
    get_all_stores(GetAllStoresRequest) -> GetAllStoresResponse,
    update_service_gc_safe_point(UpdateServiceGcSafePointRequest) -> UpdateServiceGcSafePointResponse,
    get_gc_safe_point(GetGcSafePointRequest) -> GetGcSafePointResponse,
    set_gc_barrier(SetGcBarrierRequest) -> SetGcBarrierResponse,
    delete_gc_barrier(DeleteGcBarrierRequest) -> DeleteGcBarrierResponse,
    get_gc_state(GetGcStateRequest) -> GetGcStateResponse,
);
