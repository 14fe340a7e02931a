//! Ends the transactions whose clients are gone, as every reader of the store does.

use super::KvClient;
use super::client::decode;
use super::secondaries::Secondaries;
use crate::error::show_key;
use crate::key::{KeyRange, comparable};
use crate::{Ts, UpstreamError};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tg_proto::kvrpcpb::{
    Action, CheckTxnStatusRequest, CheckTxnStatusResponse, LockInfo, Op, ResolveLockRequest, ScanLockRequest,
};

/// Locks per page.
const PAGE: u32 = 1024;
/// Transactions at least so large are resolved by region, not by key.
const LARGE_TXN: u64 = 16;
/// Remembered ends of transactions; more start anew.
const KNOWN_MAX: usize = 10_000;

/// What became of a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// It is resolved, or about to be.
    Gone,
    /// Its transaction lives, but commits above the reader.
    Bypass,
    /// Its transaction lives.
    Alive,
}

/// How a transaction stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// Zero: rolled back.
    Ended(u64),
    Pushed,
    Alive,
}

/// Remembers how transactions ended.
pub(crate) struct LockResolver {
    client: Arc<KvClient>,
    known: Mutex<HashMap<u64, u64>>,
}

impl LockResolver {
    pub(crate) fn new(client: Arc<KvClient>) -> Self {
        Self { client, known: Mutex::default() }
    }

    /// Resolves what dead transactions have left in a range, with starts up to `max_ts`.
    pub(crate) async fn clear(&self, range: &KeyRange, max_ts: Ts) -> Result<(), UpstreamError> {
        self.client.pd.require_past(max_ts).await?;
        let end = decode(&range.end)?;
        let mut next = Some(decode(&range.start)?);
        while let Some(start) = next {
            let build = |region: &crate::region::Region| ScanLockRequest {
                context: None,
                max_version: max_ts.get(),
                start_key: start.clone(),
                limit: PAGE,
                end_key: self.client.end_in(region, &end).unwrap_or_else(|_| end.clone()),
            };
            let (region, answer) = self.client.call(&start, &[], build).await?;
            if let Some(error) = answer.error {
                return Err(key_error("scan of locks", &start, &format!("{error:?}")));
            }
            let last = answer.locks.last().map(|l| l.key.clone());
            let full = answer.locks.len() >= PAGE as usize;
            let shared = |l: LockInfo| {
                if l.shared_lock_infos.is_empty() { vec![l] } else { l.shared_lock_infos }
            };
            self.clear_page(answer.locks.into_iter().flat_map(shared)).await?;
            next = match last {
                Some(last) if full => Some([last.as_ref(), &[0]].concat().into()),
                _ => {
                    let region_end = decode(&region.range.end)?;
                    let over = region_end.is_empty() || (!end.is_empty() && region_end >= end);
                    (!over).then_some(region_end)
                }
            };
        }
        Ok(())
    }

    /// Resolves locks of one region; a transaction that lives, or whose locks went at once, is visited once.
    async fn clear_page(&self, locks: impl Iterator<Item = LockInfo>) -> Result<(), UpstreamError> {
        let mut settled = HashSet::new();
        for lock in locks {
            // Pessimistic locks do not hold the resolved-ts.
            let pessimistic = matches!(lock.lock_type(), Op::PessimisticLock | Op::SharedPessimisticLock);
            if pessimistic || settled.contains(&lock.lock_version) {
                continue;
            }
            let outcome = self.resolve(&lock, Ts::ZERO).await?;
            if outcome != Outcome::Gone || lock.txn_size >= LARGE_TXN {
                settled.insert(lock.lock_version);
            }
        }
        Ok(())
    }

    /// Resolves one lock for a reader at `reader` (zero: nobody reads).
    pub(crate) async fn resolve(&self, lock: &LockInfo, reader: Ts) -> Result<Outcome, UpstreamError> {
        let commit_ts = match self.fate(lock, reader).await? {
            Fate::Alive => return Ok(Outcome::Alive),
            Fate::Pushed => return Ok(Outcome::Bypass),
            Fate::Ended(commit_ts) => commit_ts,
        };
        let by_key = lock.txn_size < LARGE_TXN;
        let keys = if by_key { vec![lock.key.clone()] } else { Vec::new() };
        self.finish(&lock.key, lock.lock_version, commit_ts, keys).await?;
        Ok(Outcome::Gone)
    }

    /// Tells the region of `at` how a transaction ended.
    async fn finish(&self, at: &Bytes, start_ts: u64, commit_ts: u64, keys: Vec<Bytes>) -> Result<(), UpstreamError> {
        let build = |_: &_| ResolveLockRequest {
            start_version: start_ts,
            commit_version: commit_ts,
            keys: keys.clone(),
            ..Default::default()
        };
        let (_, answer) = self.client.call(at, &[], build).await?;
        answer.error.map_or(Ok(()), |e| Err(key_error("resolution of a lock", at, &format!("{e:?}"))))
    }

    async fn fate(&self, lock: &LockInfo, reader: Ts) -> Result<Fate, UpstreamError> {
        if let Some(commit_ts) = self.known.lock().get(&lock.lock_version) {
            return Ok(Fate::Ended(*commit_ts));
        }
        let now = self.client.pd.tso().await?;
        let expired = |ttl_ms: u64| now.physical_ms() >= Ts::new(lock.lock_version).physical_ms() + ttl_ms;
        let mut force_sync = false;
        loop {
            let mut answer = self.check(lock, reader, now, false, force_sync).await?;
            if answer.error.as_ref().is_some_and(|e| e.txn_not_found.is_some()) {
                if !expired(lock.lock_ttl) {
                    return Ok(Fate::Alive);
                }
                answer = self.check(lock, reader, now, true, force_sync).await?;
            }
            if let Some(error) = answer.error {
                return Err(key_error("check of a transaction", &lock.primary_lock, &format!("{error:?}")));
            }
            if answer.lock_ttl == 0 {
                // A pessimistic lock that went says nothing of its transaction's end.
                let open =
                    matches!(answer.action(), Action::TtlExpirePessimisticRollback | Action::LockNotExistDoNothing);
                let end = answer.commit_version;
                return Ok(if open { Fate::Ended(end) } else { self.remember(lock.lock_version, end) });
            }
            match answer.lock_info.as_ref().filter(|l| l.use_async_commit && expired(answer.lock_ttl) && !force_sync) {
                Some(primary) => match self.async_commit(primary).await? {
                    Some(commit_ts) => return Ok(self.remember(lock.lock_version, commit_ts)),
                    None => force_sync = true,
                },
                None if answer.action() == Action::MinCommitTsPushed && reader > Ts::ZERO => {
                    return Ok(Fate::Pushed);
                }
                None => return Ok(Fate::Alive),
            }
        }
    }

    async fn check(
        &self,
        lock: &LockInfo,
        reader: Ts,
        now: Ts,
        rollback_if_not_exist: bool,
        force_sync_commit: bool,
    ) -> Result<CheckTxnStatusResponse, UpstreamError> {
        let build = |_: &_| CheckTxnStatusRequest {
            context: None,
            primary_key: lock.primary_lock.clone(),
            lock_ts: lock.lock_version,
            caller_start_ts: reader.get(),
            current_ts: if lock.lock_ttl == 0 { u64::MAX } else { now.get() },
            rollback_if_not_exist,
            force_sync_commit,
            resolving_pessimistic_lock: lock.lock_type() == Op::PessimisticLock,
            verify_is_primary: true,
        };
        Ok(self.client.call(&lock.primary_lock, &[], build).await?.1)
    }

    /// Decides an async-commit transaction by its secondaries, and tells their regions.
    /// `None`: it is not one after all.
    async fn async_commit(&self, primary: &LockInfo) -> Result<Option<u64>, UpstreamError> {
        let mut state = Secondaries::new(primary);
        let groups = self.by_region(&primary.secondaries).await?;
        for keys in &groups {
            let Some(first) = keys.first() else { continue };
            let build = |region: &crate::region::Region| tg_proto::kvrpcpb::CheckSecondaryLocksRequest {
                context: None,
                keys: keys.iter().filter(|k| region.contains(&comparable(k))).cloned().collect(),
                start_version: primary.lock_version,
            };
            let (region, answer) = self.client.call(first, &[], build).await?;
            if let Some(error) = answer.error {
                return Err(key_error("check of secondary locks", first, &format!("{error:?}")));
            }
            let asked = keys.iter().filter(|k| region.contains(&comparable(k))).count();
            if asked < keys.len() {
                // The region was split in between: the next visit decides.
                return Err(key_error("check of secondary locks", first, "the region has changed"));
            }
            if !state.add(asked, &answer.locks, answer.commit_ts) {
                return Ok(None);
            }
        }
        let commit_ts = state.commit_ts();
        let primaries = vec![vec![primary.key.clone()]];
        for keys in groups.into_iter().chain(primaries) {
            if let Some(first) = keys.first().cloned() {
                self.finish(&first, primary.lock_version, commit_ts, keys).await?;
            }
        }
        Ok(Some(commit_ts))
    }

    async fn by_region(&self, keys: &[Bytes]) -> Result<Vec<Vec<Bytes>>, UpstreamError> {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        let mut out: Vec<Vec<Bytes>> = Vec::new();
        let mut region: Option<Arc<crate::region::Region>> = None;
        for key in keys {
            let encoded = comparable(&key);
            match (&region, out.last_mut()) {
                (Some(region), Some(group)) if region.contains(&encoded) => group.push(key),
                _ => {
                    region = self.client.locate(&encoded).await?;
                    out.push(vec![key]);
                }
            }
        }
        Ok(out)
    }

    fn remember(&self, start_ts: u64, commit_ts: u64) -> Fate {
        let mut known = self.known.lock();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(start_ts, commit_ts);
        Fate::Ended(commit_ts)
    }
}

fn key_error(request: &'static str, key: &Bytes, detail: &str) -> UpstreamError {
    UpstreamError::Key { request, key: show_key(key), detail: detail.to_owned() }
}
