//! Answers of PD carry errors in their header although the call itself succeeds.

use tg_proto::{keyspacepb, pdpb};

/// Has a header.
pub(super) trait Response {
    fn header(&self) -> Option<&pdpb::ResponseHeader>;
}

macro_rules! responses {
    ($($name:ty),* $(,)?) => {$(
        impl Response for $name {
            fn header(&self) -> Option<&pdpb::ResponseHeader> {
                self.header.as_ref()
            }
        }
    )*};
}

responses!(
    pdpb::GetRegionResponse,
    pdpb::ScanRegionsResponse,
    pdpb::BatchScanRegionsResponse,
    pdpb::GetStoreResponse,
    pdpb::GetAllStoresResponse,
    pdpb::UpdateServiceGcSafePointResponse,
    pdpb::GetGcStateResponse,
    pdpb::SetGcBarrierResponse,
    pdpb::DeleteGcBarrierResponse,
    keyspacepb::LoadKeyspaceResponse,
);
