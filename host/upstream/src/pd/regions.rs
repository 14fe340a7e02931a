//! Regions and stores.

use super::{CallError, Pd};
use crate::UpstreamError;
use crate::key::KeyRange;
use crate::region::{Region, contiguous};
use std::sync::atomic::Ordering;
use tg_proto::{keyspacepb, metapb, pdpb};

/// Regions asked for at once.
const PAGE: i32 = 1024;

impl Pd {
    /// The region that holds a key; `None` when PD has none at the moment.
    pub(crate) async fn region_of(&self, region_key: &bytes::Bytes) -> Result<Option<Region>, UpstreamError> {
        let answer: Result<pdpb::GetRegionResponse, _> = self
            .call("GetRegion", |mut client, header| {
                let region_key = region_key.clone();
                let request = pdpb::GetRegionRequest { header: Some(header), region_key, need_buckets: false };
                async move { client.get_region(request).await }
            })
            .await;
        let answer = answer.map_err(|e| e.into_error("GetRegion"))?;
        Ok(Region::from_pd(answer.region, answer.leader))
    }

    /// The regions of the ranges (sorted, apart from each other); of each range those up to its first hole.
    pub(crate) async fn regions_of(&self, ranges: &[KeyRange]) -> Result<Vec<Region>, UpstreamError> {
        let mut out: Vec<Region> = Vec::new();
        let found = if ranges.len() > 1 { self.batch_scan(ranges).await? } else { Vec::new() };
        for range in ranges {
            let part: Vec<Region> = found.iter().filter(|r| r.range.intersect(range).is_some()).cloned().collect();
            let mut part = contiguous(part, range);
            while let Some(rest) = rest_of(range, part.last()) {
                let next = contiguous(self.scan(&rest).await?, &rest);
                if next.is_empty() {
                    break;
                }
                part.extend(next);
            }
            out.extend(part);
        }
        // Neighbouring ranges may share a region.
        out.dedup_by_key(|r| r.id);
        Ok(out)
    }

    /// What PD says of many ranges in one answer; empty when it cannot.
    async fn batch_scan(&self, ranges: &[KeyRange]) -> Result<Vec<Region>, UpstreamError> {
        if self.no_batch_scan.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let ranges: Vec<_> =
            ranges.iter().map(|r| pdpb::KeyRange { start_key: r.start.clone(), end_key: r.end.clone() }).collect();
        let answer: Result<pdpb::BatchScanRegionsResponse, _> = self
            .call("BatchScanRegions", |mut client, header| {
                let request = pdpb::BatchScanRegionsRequest {
                    header: Some(header),
                    need_buckets: false,
                    ranges: ranges.clone(),
                    limit: PAGE,
                    contain_all_key_range: false,
                };
                async move { client.batch_scan_regions(request).await }
            })
            .await;
        match answer {
            Ok(answer) => Ok(answer.regions.into_iter().filter_map(Region::from_pd_region).collect()),
            Err(CallError::Unimplemented) => {
                self.no_batch_scan.store(true, Ordering::Relaxed);
                Ok(Vec::new())
            }
            Err(error) => Err(error.into_error("BatchScanRegions")),
        }
    }

    async fn scan(&self, range: &KeyRange) -> Result<Vec<Region>, UpstreamError> {
        let answer: Result<pdpb::ScanRegionsResponse, _> = self
            .call("ScanRegions", |mut client, header| {
                let request = pdpb::ScanRegionsRequest {
                    header: Some(header),
                    start_key: range.start.clone(),
                    limit: PAGE,
                    end_key: range.end.clone(),
                };
                async move { client.scan_regions(request).await }
            })
            .await;
        let answer = answer.map_err(|e| e.into_error("ScanRegions"))?;
        if !answer.regions.is_empty() {
            return Ok(answer.regions.into_iter().filter_map(Region::from_pd_region).collect());
        }
        let leaders = answer.leaders.into_iter().map(Some).chain(std::iter::repeat(None));
        Ok(answer.region_metas.into_iter().zip(leaders).filter_map(|(r, l)| Region::from_pd(Some(r), l)).collect())
    }

    /// A store that serves data and change feeds.
    pub(crate) async fn store(&self, id: u64) -> Result<metapb::Store, UpstreamError> {
        let bad = |detail: &str| UpstreamError::Store { store: id, detail: detail.to_owned() };
        let answer: Result<pdpb::GetStoreResponse, _> = self
            .call("GetStore", |mut client, header| {
                let request = pdpb::GetStoreRequest { header: Some(header), store_id: id };
                async move { client.get_store(request).await }
            })
            .await;
        let store = answer.map_err(|e| e.into_error("GetStore"))?.store.ok_or_else(|| bad("PD does not know it"))?;
        if store.state() == metapb::StoreState::Tombstone {
            return Err(bad("it is a tombstone"));
        }
        if crate::version::is_tiflash(&store) {
            return Err(bad("it is a TiFlash store"));
        }
        Ok(store)
    }

    /// All stores but tombstones; none when PD does not tell.
    pub(crate) async fn stores(&self) -> Result<Vec<metapb::Store>, UpstreamError> {
        let answer: Result<pdpb::GetAllStoresResponse, _> = self
            .call("GetAllStores", |mut client, header| {
                let request = pdpb::GetAllStoresRequest { header: Some(header), exclude_tombstone_stores: true };
                async move { client.get_all_stores(request).await }
            })
            .await;
        match answer {
            Ok(answer) => Ok(answer.stores),
            Err(CallError::Unimplemented) => Ok(Vec::new()),
            Err(error) => Err(error.into_error("GetAllStores")),
        }
    }

    /// Looks a keyspace up; its id is used for GC from now on.
    pub(crate) async fn use_keyspace(&self, name: &str) -> Result<u32, UpstreamError> {
        let bad = |detail: String| UpstreamError::Keyspace { name: name.to_owned(), detail };
        let leader = self.members.leader().await?;
        let mut client = keyspacepb::keyspace_client::KeyspaceClient::new(leader.channel);
        let request = keyspacepb::LoadKeyspaceRequest { header: Some(self.members.header()), name: name.to_owned() };
        let answer = client.load_keyspace(request).await.map_err(|s| bad(crate::net::status_text(&s)))?;
        let answer = super::checked("LoadKeyspace", answer.into_inner())
            .map_err(|e| bad(e.into_error("LoadKeyspace").to_string()))?;
        let keyspace = answer.keyspace.ok_or_else(|| bad("PD does not know it".to_owned()))?;
        if keyspace.state() != keyspacepb::KeyspaceState::Enabled {
            return Err(bad(format!("its state is {:?}", keyspace.state())));
        }
        Ok(*self.keyspace.get_or_init(|| keyspace.id))
    }
}

/// What of `range` lies behind the last region found.
fn rest_of(range: &KeyRange, last: Option<&Region>) -> Option<KeyRange> {
    let Some(last) = last else {
        return Some(range.clone());
    };
    let end = &last.range.end;
    let covered = end.is_empty() || (!range.end.is_empty() && *end >= range.end);
    (!covered).then(|| KeyRange { start: end.clone(), end: range.end.clone() })
}
