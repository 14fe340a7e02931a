//! Holding garbage collection back. Classic clusters take the call every version has; keyspaces, and
//! servers that have dropped that call, take GC barriers.

use super::{CallError, Pd};
use crate::{Ts, UpstreamError};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tg_proto::pdpb;

/// Stands for "no keyspace".
const NULL_KEYSPACE: u32 = u32::MAX;
/// A service that never holds anything: its removal only reads.
const PROBE: &str = "tidegate-probe";

impl Pd {
    /// Keeps versions that a reader at `at` needs, for `ttl`. Returns the safe point: when it lies above
    /// `at`, the hold came too late.
    pub(crate) async fn hold_gc(&self, service: &str, at: Ts, ttl: Duration) -> Result<Ts, UpstreamError> {
        let ttl_s = ttl.as_secs().max(1).cast_signed();
        if self.classic_gc()
            && let Some(min) = self.classic(service, ttl_s, at.get()).await?
        {
            return Ok(min);
        }
        match self.set_barrier(service, at, ttl_s).await {
            Ok(()) => self.txn_safe_point().await,
            Err(error) => {
                // Refused because it came too late?
                let safe_point = self.txn_safe_point().await?;
                if safe_point > at { Ok(safe_point) } else { Err(error) }
            }
        }
    }

    /// Ends a hold. Not held: no error.
    pub(crate) async fn release_gc(&self, service: &str) -> Result<(), UpstreamError> {
        if self.classic_gc() && self.classic(service, 0, u64::MAX).await?.is_some() {
            return Ok(());
        }
        let answer: Result<pdpb::DeleteGcBarrierResponse, _> = self
            .call("DeleteGCBarrier", |mut client, header| {
                let request = pdpb::DeleteGcBarrierRequest {
                    header: Some(header),
                    keyspace_scope: self.scope(),
                    barrier_id: service.to_owned(),
                };
                async move { client.delete_gc_barrier(request).await }
            })
            .await;
        answer.map(drop).map_err(|e| e.into_error("DeleteGCBarrier"))
    }

    /// Versions below it may be gone.
    pub(crate) async fn gc_safe_point(&self) -> Result<Ts, UpstreamError> {
        if self.classic_gc()
            && let Some(min) = self.classic(PROBE, 0, 0).await?
        {
            return Ok(min);
        }
        self.txn_safe_point().await
    }

    fn classic_gc(&self) -> bool {
        self.keyspace.get().is_none() && !self.no_classic_gc.load(Ordering::Relaxed)
    }

    fn scope(&self) -> Option<pdpb::KeyspaceScope> {
        let id = self.keyspace.get().copied().unwrap_or(NULL_KEYSPACE);
        Some(pdpb::KeyspaceScope { keyspace: Some(pdpb::keyspace_scope::Keyspace::KeyspaceId(id)) })
    }

    /// The smallest safe point of all services; `None` when the server does not have the call.
    async fn classic(&self, service: &str, ttl_s: i64, safe_point: u64) -> Result<Option<Ts>, UpstreamError> {
        let answer: Result<pdpb::UpdateServiceGcSafePointResponse, _> = self
            .call("UpdateServiceGCSafePoint", |mut client, header| {
                let request = pdpb::UpdateServiceGcSafePointRequest {
                    header: Some(header),
                    service_id: service.to_owned().into(),
                    ttl: ttl_s,
                    safe_point,
                };
                async move { client.update_service_gc_safe_point(request).await }
            })
            .await;
        match answer {
            Ok(answer) => Ok(Some(Ts::new(answer.min_safe_point))),
            Err(CallError::Unimplemented) => {
                self.no_classic_gc.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error.into_error("UpdateServiceGCSafePoint")),
        }
    }

    async fn set_barrier(&self, service: &str, at: Ts, ttl_s: i64) -> Result<(), UpstreamError> {
        let answer: Result<pdpb::SetGcBarrierResponse, _> = self
            .call("SetGCBarrier", |mut client, header| {
                let request = pdpb::SetGcBarrierRequest {
                    header: Some(header),
                    keyspace_scope: self.scope(),
                    barrier_id: service.to_owned(),
                    barrier_ts: at.get(),
                    ttl_seconds: ttl_s,
                };
                async move { client.set_gc_barrier(request).await }
            })
            .await;
        answer.map(drop).map_err(|e| e.into_error("SetGCBarrier"))
    }

    async fn txn_safe_point(&self) -> Result<Ts, UpstreamError> {
        let answer: Result<pdpb::GetGcStateResponse, _> = self
            .call("GetGCState", |mut client, header| {
                let request = pdpb::GetGcStateRequest {
                    header: Some(header),
                    keyspace_scope: self.scope(),
                    exclude_gc_barriers: true,
                };
                async move { client.get_gc_state(request).await }
            })
            .await;
        let answer = answer.map_err(|e| e.into_error("GetGCState"))?;
        Ok(Ts::new(answer.gc_state.map_or(0, |s| s.txn_safe_point)))
    }
}
