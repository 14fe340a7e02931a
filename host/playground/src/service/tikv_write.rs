//! The transactional service of a store: what changes locks.

use super::tikv::{expired, lock_info, locked};
use crate::PlaygroundError;
use crate::store::{Emitter, Lock, Mutation, Op, State};
use bytes::Bytes;
use tg_proto::kvrpcpb as pb;

/// The status of a transaction whose primary lock is there: alive, pushed, or rolled back when expired.
pub(crate) fn check_live(
    state: &mut State,
    request: &pb::CheckTxnStatusRequest,
    lock: &Lock,
) -> pb::CheckTxnStatusResponse {
    let key = &request.primary_key;
    if request.verify_is_primary && lock.primary != *key {
        let primary_mismatch = Some(pb::PrimaryMismatch { lock_info: Some(lock_info(key, lock)) });
        let error = Some(pb::KeyError { primary_mismatch, ..Default::default() });
        return pb::CheckTxnStatusResponse { error, ..Default::default() };
    }
    let alive = pb::CheckTxnStatusResponse {
        lock_ttl: lock.ttl_ms,
        lock_info: Some(lock_info(key, lock)),
        ..Default::default()
    };
    if lock.async_commit && !request.force_sync_commit {
        return alive;
    }
    if expired(lock, request.current_ts) {
        roll_back(state, lock.start_ts, std::slice::from_ref(key));
        return pb::CheckTxnStatusResponse { action: pb::Action::TtlExpireRollback as i32, ..Default::default() };
    }
    let pushed = request.caller_start_ts != 0 && lock.min_commit_ts <= request.caller_start_ts;
    if let Some(lock) = state.mvcc.locks.get_mut(key).filter(|_| pushed) {
        lock.min_commit_ts = request.caller_start_ts.saturating_add(1);
    }
    let action = if pushed { pb::Action::MinCommitTsPushed } else { pb::Action::NoAction };
    pb::CheckTxnStatusResponse { action: action as i32, ..alive }
}

/// Rolls keys back.
pub(crate) fn roll_back(state: &mut State, start_ts: u64, keys: &[Bytes]) {
    let mut out = Emitter::default();
    for key in keys {
        if state.mvcc.committed(key, start_ts).is_none() {
            state.roll_back_key(key, start_ts, &mut out);
        }
    }
    let quota_bytes = state.quota_bytes;
    out.flush(&mut state.regions, quota_bytes);
}

/// The state of an asynchronously committing transaction's secondaries; one without lock is rolled
/// back, so that it stays so.
pub(crate) fn check_secondaries(
    state: &mut State,
    request: &pb::CheckSecondaryLocksRequest,
) -> pb::CheckSecondaryLocksResponse {
    let start_ts = request.start_version;
    let mut answer = pb::CheckSecondaryLocksResponse::default();
    for key in &request.keys {
        if let Some(lock) = state.mvcc.locks.get(key).filter(|l| l.start_ts == start_ts) {
            answer.locks.push(lock_info(key, lock));
            continue;
        }
        answer.locks.clear();
        match state.mvcc.committed(key, start_ts) {
            Some(commit_ts) => answer.commit_ts = commit_ts,
            None => roll_back(state, start_ts, std::slice::from_ref(key)),
        }
        return answer;
    }
    answer
}

/// Commits or rolls back the locks of one or several transactions in a region.
pub(crate) fn resolve(state: &mut State, region: u64, request: &pb::ResolveLockRequest) -> pb::ResolveLockResponse {
    let mut fates: Vec<_> = request.txn_infos.iter().map(|t| (t.txn, t.status)).collect();
    if fates.is_empty() {
        fates.push((request.start_version, request.commit_version));
    }
    let Some(at) = state.regions.by_id(region) else {
        return pb::ResolveLockResponse::default();
    };
    let (start, end) = (state.regions.get(at).start.clone(), state.regions.get(at).end.clone());
    let mut out = Emitter::default();
    for (start_ts, commit_ts) in fates {
        let keys: Vec<Bytes> = if request.keys.is_empty() {
            let locks = state.mvcc.locks_in(&start, &end).filter(|(_, l)| l.start_ts == start_ts);
            locks.map(|(k, _)| k.clone()).collect()
        } else {
            request.keys.clone()
        };
        for key in keys {
            if state.mvcc.locks.get(&key).is_none_or(|l| l.start_ts != start_ts) {
                continue;
            }
            if commit_ts > 0 {
                state.commit_key(&key, commit_ts, &mut out);
            } else {
                state.roll_back_key(&key, start_ts, &mut out);
            }
        }
    }
    let quota_bytes = state.quota_bytes;
    out.flush(&mut state.regions, quota_bytes);
    pb::ResolveLockResponse::default()
}

/// Writes locks; a one-phase request is answered as an ordinary one, which clients accept.
pub(crate) fn prewrite(state: &mut State, request: pb::PrewriteRequest) -> pb::PrewriteResponse {
    let mut answer = pb::PrewriteResponse::default();
    let lock = Lock {
        start_ts: request.start_version,
        op: Op::Put,
        value: Bytes::new(),
        primary: request.primary_lock,
        ttl_ms: request.lock_ttl,
        min_commit_ts: request.min_commit_ts,
        async_commit: request.use_async_commit,
        secondaries: request.secondaries,
        txn_size: request.txn_size,
        txn_source: request.context.map_or(0, |c| c.txn_source),
    };
    let (mut changes, mut locks) = (Vec::new(), Vec::new());
    for m in request.mutations {
        match m.op() {
            pb::Op::Put | pb::Op::Insert => changes.push(Mutation { key: m.key, value: Some(m.value) }),
            pb::Op::Del => changes.push(Mutation { key: m.key, value: None }),
            _ => locks.push(Mutation { key: m.key, value: None }),
        }
    }
    let only_lock = Lock { op: Op::Lock, ..lock.clone() };
    let done = state.prewrite(&lock, changes).and_then(|ts| Ok(ts.max(state.prewrite(&only_lock, locks)?)));
    match done {
        Ok(ts) => answer.min_commit_ts = if lock.async_commit { ts } else { 0 },
        Err(error) => answer.errors.push(key_error(&error)),
    }
    answer
}

fn key_error(error: &PlaygroundError) -> pb::KeyError {
    match error {
        PlaygroundError::Locked { key, lock } => locked(key, lock),
        PlaygroundError::WriteConflict { start_ts, commit_ts } => {
            let conflict = pb::WriteConflict {
                start_ts: *start_ts,
                conflict_ts: *commit_ts,
                conflict_commit_ts: *commit_ts,
                ..Default::default()
            };
            pb::KeyError { conflict: Some(conflict), ..Default::default() }
        }
        other => pb::KeyError { abort: other.to_string(), ..Default::default() },
    }
}

/// Commits locks.
pub(crate) fn commit(state: &mut State, request: &pb::CommitRequest) -> pb::CommitResponse {
    let (start_ts, commit_ts) = (request.start_version, request.commit_version);
    for key in &request.keys {
        let lock = state.mvcc.locks.get(key).filter(|l| l.start_ts == start_ts);
        if let Some(lock) = lock.filter(|l| l.min_commit_ts > commit_ts) {
            let expired = pb::CommitTsExpired {
                start_ts,
                attempted_commit_ts: commit_ts,
                key: key.clone(),
                min_commit_ts: lock.min_commit_ts,
            };
            let error = Some(pb::KeyError { commit_ts_expired: Some(expired), ..Default::default() });
            return pb::CommitResponse { error, ..Default::default() };
        }
        if lock.is_none() && state.mvcc.committed(key, start_ts).is_none() {
            let txn_lock_not_found = Some(pb::TxnLockNotFound { key: key.clone() });
            let error = Some(pb::KeyError { txn_lock_not_found, ..Default::default() });
            return pb::CommitResponse { error, ..Default::default() };
        }
    }
    let mut out = Emitter::default();
    for key in &request.keys {
        if state.mvcc.locks.get(key).is_some_and(|l| l.start_ts == start_ts) {
            state.commit_key(key, commit_ts, &mut out);
        }
    }
    let quota_bytes = state.quota_bytes;
    out.flush(&mut state.regions, quota_bytes);
    pb::CommitResponse { commit_version: commit_ts, ..Default::default() }
}

/// Locks keys pessimistically: change feeds see nothing of it.
pub(crate) fn pessimistic_lock(state: &mut State, request: pb::PessimisticLockRequest) -> pb::PessimisticLockResponse {
    let mut answer = pb::PessimisticLockResponse::default();
    let template = Lock {
        start_ts: request.start_version,
        op: Op::Pessimistic,
        value: Bytes::new(),
        primary: request.primary_lock,
        ttl_ms: request.lock_ttl,
        min_commit_ts: 0,
        async_commit: false,
        secondaries: Vec::new(),
        txn_size: 1,
        txn_source: 0,
    };
    for m in request.mutations {
        match state.check_unlocked(&m.key, request.start_version) {
            Ok(()) => {
                state.mvcc.locks.entry(m.key).or_insert_with(|| template.clone());
            }
            Err(error) => answer.errors.push(key_error(&error)),
        }
    }
    answer
}

/// Extends the life of a transaction.
pub(crate) fn heartbeat(state: &mut State, request: &pb::TxnHeartBeatRequest) -> pb::TxnHeartBeatResponse {
    let lock = state.mvcc.locks.get_mut(&request.primary_lock).filter(|l| l.start_ts == request.start_version);
    let Some(lock) = lock else {
        let (start_ts, primary_key) = (request.start_version, request.primary_lock.clone());
        let txn_not_found = Some(pb::TxnNotFound { start_ts, primary_key });
        let error = Some(pb::KeyError { txn_not_found, ..Default::default() });
        return pb::TxnHeartBeatResponse { error, ..Default::default() };
    };
    lock.ttl_ms = lock.ttl_ms.max(request.advise_lock_ttl);
    pb::TxnHeartBeatResponse { lock_ttl: lock.ttl_ms, ..Default::default() }
}
