//! The data as it was at a timestamp.

use super::KvClient;
use super::lock::{LockResolver, Outcome};
use crate::error::show_key;
use crate::{Ts, UpstreamError};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tg_model::Span;
use tg_proto::kvrpcpb::{BatchGetRequest, GetRequest, KeyError, KvPair, LockInfo, ScanRequest};

/// Pairs per page of a scan.
const PAGE: u32 = 1024;
/// How often a read waits for live transactions.
const LOCK_WAITS_MAX: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// A key, without keyspace prefix, and its value.
pub type Pair = (Bytes, Bytes);

/// Reads at one timestamp. Cheap to clone. Every read first makes sure that the timestamp has passed.
#[derive(Clone)]
pub struct Snapshot {
    client: Arc<KvClient>,
    locks: Arc<LockResolver>,
    ts: Ts,
}

/// How long a read has been held up by locks, and which it may pass.
#[derive(Default)]
struct Locks {
    bypass: Vec<u64>,
    waits: u32,
}

impl Snapshot {
    pub(crate) fn new(client: Arc<KvClient>, locks: Arc<LockResolver>, ts: Ts) -> Self {
        Self { client, locks, ts }
    }

    /// The timestamp.
    #[must_use]
    pub const fn ts(&self) -> Ts {
        self.ts
    }

    /// The value of a key; `None` when there is none.
    ///
    /// # Errors
    /// [`UpstreamError::TsInFuture`], or when regions or locks stay in the way.
    pub async fn get(&self, key: &Bytes) -> Result<Option<Bytes>, UpstreamError> {
        self.client.pd.require_past(self.ts).await?;
        let key = self.client.codec.kv_key(key);
        let mut locks = Locks::default();
        loop {
            let build = |_: &_| GetRequest { key: key.clone(), version: self.ts.get(), ..Default::default() };
            let (_, answer) = self.client.call(&key, &locks.bypass, build).await?;
            match answer.error {
                Some(error) => self.clear("get", &key, error, &mut locks).await?,
                None => return Ok((!answer.not_found).then_some(answer.value)),
            }
        }
    }

    /// The pairs of those keys that exist, in no particular order.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn batch_get(&self, keys: &[Bytes]) -> Result<Vec<Pair>, UpstreamError> {
        self.client.pd.require_past(self.ts).await?;
        let mut rest: Vec<Bytes> = keys.iter().map(|k| self.client.codec.kv_key(k)).collect();
        rest.sort_unstable();
        rest.dedup();
        let mut out = Vec::with_capacity(rest.len());
        let mut locks = Locks::default();
        while let Some(first) = rest.first().cloned() {
            let build = |region: &crate::region::Region| {
                let here = rest.iter().take_while(|k| region.contains(&crate::key::comparable(k)));
                BatchGetRequest { context: None, keys: here.cloned().collect(), version: self.ts.get() }
            };
            let (region, answer) = self.client.call(&first, &locks.bypass, build).await?;
            let failed = answer.error.or_else(|| answer.pairs.iter().find_map(|p| p.error.clone()));
            if let Some(error) = failed {
                self.clear("batch get", &first, error, &mut locks).await?;
                continue;
            }
            rest.retain(|k| !region.contains(&crate::key::comparable(k)));
            out.extend(self.pairs(answer.pairs));
        }
        Ok(out)
    }

    /// Scans a span in key order.
    #[must_use]
    pub fn scan(&self, span: &Span) -> Scanner {
        let codec = &self.client.codec;
        let (start, end) = (codec.kv_key(span.start()), codec.kv_end(span.end()));
        Scanner { snapshot: self.clone(), next: Some(start), end, locks: Locks::default() }
    }

    fn pairs(&self, pairs: Vec<KvPair>) -> impl Iterator<Item = Pair> + '_ {
        pairs.into_iter().map(|p| (self.client.codec.strip(p.key), p.value))
    }

    async fn clear(
        &self,
        request: &'static str,
        key: &Bytes,
        error: KeyError,
        locks: &mut Locks,
    ) -> Result<(), UpstreamError> {
        let Some(lock) = error.locked else {
            return Err(UpstreamError::Key { request, key: show_key(key), detail: format!("{error:?}") });
        };
        let all: Vec<LockInfo> = if lock.shared_lock_infos.is_empty() { vec![lock] } else { lock.shared_lock_infos };
        for lock in all {
            match self.locks.resolve(&lock, self.ts).await? {
                Outcome::Gone => {}
                Outcome::Bypass => locks.bypass.push(lock.lock_version),
                Outcome::Alive => {
                    locks.waits += 1;
                    if locks.waits > LOCK_WAITS_MAX {
                        let start_ts = Ts::new(lock.lock_version);
                        return Err(UpstreamError::Locked { key: show_key(&lock.key), start_ts });
                    }
                    tokio::time::sleep(LOCK_PAUSE).await;
                }
            }
        }
        Ok(())
    }
}

/// A scan on its way.
pub struct Scanner {
    snapshot: Snapshot,
    next: Option<Bytes>,
    end: Bytes,
    locks: Locks,
}

impl Scanner {
    /// The next pairs; `None` at the end. A page is never empty.
    ///
    /// # Errors
    /// As [`Snapshot::get`]; the same page can be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Pair>>, UpstreamError> {
        let (snapshot, client) = (&self.snapshot, &self.snapshot.client);
        client.pd.require_past(snapshot.ts).await?;
        while let Some(start) = self.next.clone() {
            let end = self.end.clone();
            let build = |region: &crate::region::Region| ScanRequest {
                start_key: start.clone(),
                // A bound that cannot be read ends the scan below with an error.
                end_key: client.end_in(region, &end).unwrap_or_else(|_| end.clone()),
                limit: PAGE,
                version: snapshot.ts.get(),
                ..Default::default()
            };
            let (region, answer) = client.call(&start, &self.locks.bypass, build).await?;
            let failed = answer.error.or_else(|| answer.pairs.iter().find_map(|p| p.error.clone()));
            if let Some(error) = failed {
                snapshot.clear("scan", &start, error, &mut self.locks).await?;
                continue;
            }
            let full = answer.pairs.len() >= PAGE as usize;
            self.next = match answer.pairs.last() {
                // The smallest key above the last one.
                Some(last) if full => Some([last.key.as_ref(), &[0]].concat().into()),
                _ => {
                    let region_end = super::client::decode(&region.range.end)?;
                    let over = region_end.is_empty() || (!end.is_empty() && region_end >= end);
                    (!over).then_some(region_end)
                }
            };
            if !answer.pairs.is_empty() {
                return Ok(Some(snapshot.pairs(answer.pairs).collect()));
            }
        }
        Ok(None)
    }

    /// All pairs that are left.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn collect(mut self) -> Result<Vec<Pair>, UpstreamError> {
        let mut out = Vec::new();
        while let Some(page) = self.next_page().await? {
            out.extend(page);
        }
        Ok(out)
    }
}
