//! The transactional service of a store: reads and lock resolution.

use super::tikv_write as write;
use crate::store::{Cluster, Lock, Op, RegionError, State, physical_ms};
use bytes::Bytes;
use std::sync::Arc;
use tg_proto::kvrpcpb as pb;
use tg_proto::tikvpb::tikv_server::Tikv;
use tonic::{Request, Response, Status};

/// The service of one store.
#[derive(Clone)]
pub(crate) struct TikvService {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) store: u64,
}

type Answer<T> = Result<Response<T>, Status>;

/// A lock as the wire has it.
pub(crate) fn lock_info(key: &Bytes, lock: &Lock) -> pb::LockInfo {
    let lock_type = match lock.op {
        Op::Put => pb::Op::Put,
        Op::Delete => pb::Op::Del,
        Op::Lock => pb::Op::Lock,
        Op::Pessimistic => pb::Op::PessimisticLock,
    };
    pb::LockInfo {
        primary_lock: lock.primary.clone(),
        lock_version: lock.start_ts,
        key: key.clone(),
        lock_ttl: lock.ttl_ms,
        txn_size: lock.txn_size,
        lock_type: lock_type as i32,
        use_async_commit: lock.async_commit,
        min_commit_ts: lock.min_commit_ts,
        secondaries: lock.secondaries.clone(),
        ..Default::default()
    }
}

/// The error of a key that is locked.
pub(crate) fn locked(key: &Bytes, lock: &Lock) -> pb::KeyError {
    pb::KeyError { locked: Some(lock_info(key, lock)), ..Default::default() }
}

impl TikvService {
    /// Marks a read; one beyond the oracle is refused (a real store ends its process).
    fn begin_read(&self, state: &mut State, ts: u64) -> Result<(), Status> {
        if self.cluster.begin_read(state, ts) {
            return Ok(());
        }
        Err(Status::failed_precondition(format!("read at {ts}, beyond the present timestamp")))
    }

    /// Runs a request of one region; `fail` makes the answer of a region error.
    fn region<T>(
        &self,
        context: Option<&pb::Context>,
        keys: &[Bytes],
        fail: impl FnOnce(RegionError) -> T,
        run: impl FnOnce(&mut State, u64) -> Result<T, Status>,
    ) -> Answer<T> {
        let mut state = self.cluster.lock();
        let checked = state.checked_region(self.store, context).and_then(|region| {
            keys.iter().try_for_each(|k| region.checked_key(k))?;
            Ok(region.id)
        });
        match checked {
            Ok(region) => run(&mut state, region).map(Response::new),
            Err(error) => Ok(Response::new(fail(error))),
        }
    }

    fn get(&self, request: &pb::GetRequest) -> Answer<pb::GetResponse> {
        let fail = |e: RegionError| pb::GetResponse { region_error: Some(*e), ..Default::default() };
        let known = request.context.as_ref().map_or(&[][..], |c| &c.resolved_locks);
        self.region(request.context.as_ref(), std::slice::from_ref(&request.key), fail, |state, _| {
            self.begin_read(state, request.version)?;
            if let Some(lock) = state.mvcc.blocking_lock(&request.key, request.version, known) {
                return Ok(pb::GetResponse { error: Some(locked(&request.key, lock)), ..Default::default() });
            }
            let version = state.mvcc.keys.get(&request.key).and_then(|s| s.at(request.version));
            Ok(match version.and_then(|v| Some((v.value.clone()?, v.commit_ts))) {
                Some((value, commit_ts)) => pb::GetResponse { value, commit_ts, ..Default::default() },
                None => pb::GetResponse { not_found: true, ..Default::default() },
            })
        })
    }

    fn scan(&self, request: &pb::ScanRequest) -> Answer<pb::ScanResponse> {
        let fail = |e: RegionError| pb::ScanResponse { region_error: Some(*e), ..Default::default() };
        let known = request.context.as_ref().map_or(&[][..], |c| &c.resolved_locks);
        if request.reverse {
            return Err(Status::unimplemented("reverse scan"));
        }
        self.region(request.context.as_ref(), std::slice::from_ref(&request.start_key), fail, |state, region| {
            self.begin_read(state, request.version)?;
            let Some(at) = state.regions.by_id(region) else {
                return Ok(pb::ScanResponse::default());
            };
            let bound = &state.regions.get(at).end;
            let end = match (request.end_key.is_empty(), bound.is_empty()) {
                (true, _) => bound.clone(),
                (false, true) => request.end_key.to_vec(),
                (false, false) => request.end_key.to_vec().min(bound.clone()),
            };
            let mut locks = state.mvcc.locks_in(&request.start_key, &end);
            if let Some((key, lock)) =
                locks.find(|(_, l)| l.op.is_change() && l.start_ts <= request.version && !known.contains(&l.start_ts))
            {
                return Ok(pb::ScanResponse { error: Some(locked(key, lock)), ..Default::default() });
            }
            let visible = state.mvcc.keys_in(&request.start_key, &end).filter_map(|(key, slot)| {
                let version = slot.at(request.version)?;
                let value = version.value.clone()?;
                let value = if request.key_only { Bytes::new() } else { value };
                Some(pb::KvPair { key: key.clone(), value, commit_ts: version.commit_ts, error: None })
            });
            let pairs = visible.take(request.limit as usize).collect();
            Ok(pb::ScanResponse { pairs, ..Default::default() })
        })
    }

    fn batch_get(&self, request: &pb::BatchGetRequest) -> Answer<pb::BatchGetResponse> {
        let fail = |e: RegionError| pb::BatchGetResponse { region_error: Some(*e), ..Default::default() };
        let known = request.context.as_ref().map_or(&[][..], |c| &c.resolved_locks);
        self.region(request.context.as_ref(), &request.keys, fail, |state, _| {
            self.begin_read(state, request.version)?;
            let mut pairs = Vec::new();
            for key in &request.keys {
                if let Some(lock) = state.mvcc.blocking_lock(key, request.version, known) {
                    pairs.push(pb::KvPair { error: Some(locked(key, lock)), key: key.clone(), ..Default::default() });
                } else if let Some(value) = state.mvcc.get(key, request.version) {
                    pairs.push(pb::KvPair { key: key.clone(), value: value.clone(), ..Default::default() });
                }
            }
            Ok(pb::BatchGetResponse { pairs, ..Default::default() })
        })
    }

    fn scan_lock(&self, request: &pb::ScanLockRequest) -> Answer<pb::ScanLockResponse> {
        let fail = |e: RegionError| pb::ScanLockResponse { region_error: Some(*e), ..Default::default() };
        self.region(request.context.as_ref(), &[], fail, |state, region| {
            state.max_ts = state.max_ts.max(request.max_version.min(self.cluster.tso.now()));
            let Some(at) = state.regions.by_id(region) else {
                return Ok(pb::ScanLockResponse::default());
            };
            let region = state.regions.get(at);
            let start = region.start.clone().max(request.start_key.to_vec());
            let end = if request.end_key.is_empty() { region.end.clone() } else { request.end_key.to_vec() };
            let locks = state
                .mvcc
                .locks_in(&start, &end)
                .filter(|(k, l)| l.start_ts <= request.max_version && region.contains(k));
            let limit = if request.limit == 0 { usize::MAX } else { request.limit as usize };
            let locks = locks.take(limit).map(|(k, l)| lock_info(k, l)).collect();
            Ok(pb::ScanLockResponse { locks, ..Default::default() })
        })
    }

    fn check_status(&self, request: &pb::CheckTxnStatusRequest) -> Answer<pb::CheckTxnStatusResponse> {
        let fail = |e: RegionError| pb::CheckTxnStatusResponse { region_error: Some(*e), ..Default::default() };
        let key = &request.primary_key;
        self.region(request.context.as_ref(), std::slice::from_ref(key), fail, |state, _| {
            if let Some(lock) = state.mvcc.locks.get(key).filter(|l| l.start_ts == request.lock_ts).cloned() {
                return Ok(write::check_live(state, request, &lock));
            }
            if let Some(commit_version) = state.mvcc.committed(key, request.lock_ts) {
                return Ok(pb::CheckTxnStatusResponse { commit_version, ..Default::default() });
            }
            if state.mvcc.rolled_back(key, request.lock_ts) {
                return Ok(pb::CheckTxnStatusResponse::default());
            }
            if request.rollback_if_not_exist {
                write::roll_back(state, request.lock_ts, std::slice::from_ref(key));
                let action = pb::Action::LockNotExistRollback as i32;
                return Ok(pb::CheckTxnStatusResponse { action, ..Default::default() });
            }
            let txn_not_found = Some(pb::TxnNotFound { start_ts: request.lock_ts, primary_key: key.clone() });
            let error = Some(pb::KeyError { txn_not_found, ..Default::default() });
            Ok(pb::CheckTxnStatusResponse { error, ..Default::default() })
        })
    }
}

/// Whether the time to live of a lock is over at `current_ts` (the maximum: at once).
pub(crate) const fn expired(lock: &Lock, current_ts: u64) -> bool {
    physical_ms(current_ts) >= physical_ms(lock.start_ts).saturating_add(lock.ttl_ms)
}

#[tonic::async_trait]
impl Tikv for TikvService {
    async fn kv_get(&self, request: Request<pb::GetRequest>) -> Answer<pb::GetResponse> {
        self.get(&request.into_inner())
    }

    async fn kv_scan(&self, request: Request<pb::ScanRequest>) -> Answer<pb::ScanResponse> {
        self.scan(&request.into_inner())
    }

    async fn kv_batch_get(&self, request: Request<pb::BatchGetRequest>) -> Answer<pb::BatchGetResponse> {
        self.batch_get(&request.into_inner())
    }

    async fn kv_scan_lock(&self, request: Request<pb::ScanLockRequest>) -> Answer<pb::ScanLockResponse> {
        self.scan_lock(&request.into_inner())
    }

    async fn kv_check_txn_status(
        &self,
        request: Request<pb::CheckTxnStatusRequest>,
    ) -> Answer<pb::CheckTxnStatusResponse> {
        self.check_status(&request.into_inner())
    }

    async fn kv_check_secondary_locks(
        &self,
        request: Request<pb::CheckSecondaryLocksRequest>,
    ) -> Answer<pb::CheckSecondaryLocksResponse> {
        let request = request.into_inner();
        let fail = |e: RegionError| pb::CheckSecondaryLocksResponse { region_error: Some(*e), ..Default::default() };
        self.region(request.context.as_ref(), &request.keys, fail, |state, _| {
            Ok(write::check_secondaries(state, &request))
        })
    }

    async fn kv_resolve_lock(&self, request: Request<pb::ResolveLockRequest>) -> Answer<pb::ResolveLockResponse> {
        let request = request.into_inner();
        let fail = |e: RegionError| pb::ResolveLockResponse { region_error: Some(*e), ..Default::default() };
        self.region(request.context.as_ref(), &request.keys, fail, |state, region| {
            Ok(write::resolve(state, region, &request))
        })
    }

    async fn kv_pessimistic_rollback(
        &self,
        request: Request<pb::PessimisticRollbackRequest>,
    ) -> Answer<pb::PessimisticRollbackResponse> {
        let request = request.into_inner();
        let fail = |e: RegionError| pb::PessimisticRollbackResponse { region_error: Some(*e), ..Default::default() };
        self.region(request.context.as_ref(), &request.keys, fail, |state, _| {
            let ours = |l: &Lock| l.start_ts == request.start_version && l.op == Op::Pessimistic;
            for key in &request.keys {
                if state.mvcc.locks.get(key).is_some_and(ours) {
                    state.mvcc.locks.remove(key);
                }
            }
            Ok(pb::PessimisticRollbackResponse::default())
        })
    }

    async fn kv_prewrite(&self, request: Request<pb::PrewriteRequest>) -> Answer<pb::PrewriteResponse> {
        let request = request.into_inner();
        let keys: Vec<_> = request.mutations.iter().map(|m| m.key.clone()).collect();
        let fail = |e: RegionError| pb::PrewriteResponse { region_error: Some(*e), ..Default::default() };
        let context = request.context.clone();
        self.region(context.as_ref(), &keys, fail, |state, _| Ok(write::prewrite(state, request)))
    }

    async fn kv_commit(&self, request: Request<pb::CommitRequest>) -> Answer<pb::CommitResponse> {
        let request = request.into_inner();
        let fail = |e: RegionError| pb::CommitResponse { region_error: Some(*e), ..Default::default() };
        self.region(request.context.as_ref(), &request.keys, fail, |state, _| Ok(write::commit(state, &request)))
    }

    async fn kv_batch_rollback(&self, request: Request<pb::BatchRollbackRequest>) -> Answer<pb::BatchRollbackResponse> {
        let request = request.into_inner();
        let fail = |e: RegionError| pb::BatchRollbackResponse { region_error: Some(*e), ..Default::default() };
        self.region(request.context.as_ref(), &request.keys, fail, |state, _| {
            write::roll_back(state, request.start_version, &request.keys);
            Ok(pb::BatchRollbackResponse::default())
        })
    }

    async fn kv_pessimistic_lock(
        &self,
        request: Request<pb::PessimisticLockRequest>,
    ) -> Answer<pb::PessimisticLockResponse> {
        let request = request.into_inner();
        let keys: Vec<_> = request.mutations.iter().map(|m| m.key.clone()).collect();
        let fail = |e: RegionError| pb::PessimisticLockResponse { region_error: Some(*e), ..Default::default() };
        let context = request.context.clone();
        self.region(context.as_ref(), &keys, fail, |state, _| Ok(write::pessimistic_lock(state, request)))
    }

    async fn kv_txn_heart_beat(&self, request: Request<pb::TxnHeartBeatRequest>) -> Answer<pb::TxnHeartBeatResponse> {
        let request = request.into_inner();
        let fail = |e: RegionError| pb::TxnHeartBeatResponse { region_error: Some(*e), ..Default::default() };
        let primary = std::slice::from_ref(&request.primary_lock);
        self.region(request.context.as_ref(), primary, fail, |state, _| Ok(write::heartbeat(state, &request)))
    }
}
