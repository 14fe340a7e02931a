//! Sends requests to the leaders of regions, and follows the regions.

use super::request::{KvAnswer, KvRequest};
use crate::UpstreamError;
use crate::cache::RegionCache;
use crate::error::show_key;
use crate::key::{KeyCodec, comparable, from_comparable};
use crate::net::{MESSAGE_MAX_BYTES, status_text};
use crate::pd::Pd;
use crate::region::Region;
use crate::stores::StoreMap;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tg_proto::kvrpcpb::{ApiVersion, Context};
use tg_proto::tikvpb::tikv_client::TikvClient;
use tg_proto::{errorpb, metapb};

/// Tries of one request.
const TRIES_MAX: u32 = 30;
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);
const TRY_TIMEOUT: Duration = Duration::from_secs(60);

/// What reads share.
pub(crate) struct KvClient {
    pub(crate) pd: Arc<Pd>,
    pub(crate) codec: KeyCodec,
    stores: Arc<StoreMap>,
    cache: RegionCache,
}

/// What a region error asks for.
enum Reaction {
    Again,
    Later(String),
    Never(String),
}

impl KvClient {
    pub(crate) fn new(pd: Arc<Pd>, stores: Arc<StoreMap>, codec: KeyCodec) -> Self {
        let cache = RegionCache::new(Arc::clone(&pd));
        Self { pd, codec, stores, cache }
    }

    /// Sends what `build` makes for the region of `key` (as the kv service takes it), until it is answered
    /// without a region error. Returns the region that answered.
    pub(crate) async fn call<R: KvRequest>(
        &self,
        key: &Bytes,
        resolved_locks: &[u64],
        build: impl Fn(&Region) -> R,
    ) -> Result<(Arc<Region>, R::Answer), UpstreamError> {
        let region_key = comparable(key);
        let mut pause = PAUSE_MIN;
        let mut last = String::new();
        for attempt in 0..TRIES_MAX {
            if attempt > 0 {
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(PAUSE_MAX);
            }
            let Some(region) = self.cache.locate(&region_key).await? else {
                "PD knows no region there".clone_into(&mut last);
                continue;
            };
            let Some(peer) = region.candidate(attempt) else {
                self.cache.drop_region(region.id);
                "the region has no peers".clone_into(&mut last);
                continue;
            };
            let mut request = build(&region);
            request.set_context(self.context(&region, peer, resolved_locks));
            match self.send(request, peer.store_id).await {
                Ok(mut answer) => match answer.take_region_error() {
                    None => return Ok((region, answer)),
                    Some(error) => match self.react(&region, error) {
                        Reaction::Again => "the region has changed".clone_into(&mut last),
                        Reaction::Later(detail) => last = detail,
                        Reaction::Never(detail) => {
                            return Err(UpstreamError::Key { request: R::NAME, key: show_key(key), detail });
                        }
                    },
                },
                Err(error) => {
                    self.cache.drop_region(region.id);
                    self.stores.forget(peer.store_id);
                    last = error.to_string();
                }
            }
        }
        Err(UpstreamError::Region { request: R::NAME, key: show_key(key), attempts: TRIES_MAX, detail: last })
    }

    /// The region of a key in region-key form.
    pub(crate) async fn locate(&self, region_key: &Bytes) -> Result<Option<Arc<Region>>, UpstreamError> {
        self.cache.locate(region_key).await
    }

    async fn send<R: KvRequest>(&self, request: R, store: u64) -> Result<R::Answer, UpstreamError> {
        let client = TikvClient::new(self.stores.channel(store).await?).max_decoding_message_size(MESSAGE_MAX_BYTES);
        let failed = |detail: String| UpstreamError::Store { store, detail };
        match tokio::time::timeout(TRY_TIMEOUT, request.send(client)).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(failed(status_text(&status))),
            Err(_) => Err(failed("no answer in time".to_owned())),
        }
    }

    fn context(&self, region: &Region, peer: metapb::Peer, resolved_locks: &[u64]) -> Context {
        let version = if self.codec.has_keyspace() { ApiVersion::V2 } else { ApiVersion::V1 };
        Context {
            region_id: region.id,
            region_epoch: Some(region.epoch),
            peer: Some(peer),
            resolved_locks: resolved_locks.to_vec(),
            api_version: version.into(),
            request_source: "tidegate".to_owned(),
            ..Context::default()
        }
    }

    fn react(&self, region: &Region, error: errorpb::Error) -> Reaction {
        if let Some(not_leader) = error.not_leader {
            match not_leader.leader.filter(|l| l.store_id != 0) {
                Some(leader) => self.cache.switch_leader(region.id, leader),
                None => self.cache.drop_region(region.id),
            }
            return Reaction::Again;
        }
        if error.flashback_in_progress.is_some() || error.flashback_not_prepared.is_some() {
            return Reaction::Never(error.message);
        }
        let waits = error.server_is_busy.is_some()
            || error.stale_command.is_some()
            || error.max_timestamp_not_synced.is_some()
            || error.read_index_not_ready.is_some()
            || error.proposal_in_merging_mode.is_some();
        if !waits {
            self.cache.drop_region(region.id);
            self.stores_changed(&error, region);
        }
        Reaction::Later(error.message)
    }

    fn stores_changed(&self, error: &errorpb::Error, region: &Region) {
        if error.store_not_match.is_some()
            && let Some(leader) = region.leader
        {
            self.stores.forget(leader.store_id);
        }
    }

    /// The smaller of the region's end and `end`, as the kv service takes it.
    pub(crate) fn end_in(&self, region: &Region, end: &Bytes) -> Result<Bytes, UpstreamError> {
        if region.range.end.is_empty() {
            return Ok(end.clone());
        }
        let region_end = decode(&region.range.end)?;
        Ok(crate::key::min_end(&region_end, end).clone())
    }
}

/// A region key as the kv service takes it.
pub(crate) fn decode(region_key: &Bytes) -> Result<Bytes, UpstreamError> {
    let bad = || UpstreamError::Key {
        request: "region range",
        key: show_key(region_key),
        detail: "a region's bound is not memory-comparable".to_owned(),
    };
    if region_key.is_empty() {
        return Ok(Bytes::new());
    }
    from_comparable(region_key).map(Bytes::from).ok_or_else(bad)
}
