//! Who runs a changefeed, in a cluster.
//!
//! Keys: `cf/<namespace>/<name>/run` is there while somebody may run it, and says who; `…/assigned` holds the highest assignment
//! that was ever acted on: one that comes late gets nothing.

use crate::record::{decode, encode};
use crate::{ChangefeedStore, Compare, MetaError, Op, Revision, RunRevision};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tg_model::ChangefeedId;

/// Times it is tried again when others write the same keys.
const TRIES_MAX: usize = 8;

/// Who runs a changefeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its capture, 32 hexadecimal digits.
    pub capture: String,
    /// Revision that registered the capture.
    pub inc: Revision,
    /// Where its API is, `host:port`.
    pub address: String,
    /// Its data directory, 32 hexadecimal digits; empty: a node of an earlier version.
    #[serde(default)]
    pub node: String,
    /// Since when, in Unix milliseconds.
    #[serde(default)]
    pub since_ms: u64,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The assignment that a run acts on: the owner's revision and its number.
pub type Assigned = (u64, u64);

#[derive(Serialize, Deserialize)]
struct AssignedRecord {
    owner_rev: u64,
    n: u64,
}

impl ChangefeedStore {
    pub(crate) fn run_key(&self, id: &ChangefeedId) -> String {
        self.feed_key(id, "run")
    }

    async fn assigned(&self, id: &ChangefeedId) -> Result<(String, Compare, Option<Assigned>), MetaError> {
        let key = self.feed_key(id, "assigned");
        Ok(match self.get(&key).await? {
            None => (key.clone(), Compare::Absent(key), None),
            Some(kv) => {
                let record: AssignedRecord = decode(&key, &kv.value)?;
                (key.clone(), Compare::ModRev(key, kv.mod_rev), Some((record.owner_rev, record.n)))
            }
        })
    }

    /// Takes the run of a changefeed for a registered capture under an assignment. Whoever had it before can write none of its
    /// records any more. `None`: a later assignment was acted on, or the capture is registered no more.
    ///
    /// # Errors
    /// [`MetaError::NotFound`], [`MetaError::Conflict`], and those of the store.
    pub async fn take_run(
        &self,
        id: &ChangefeedId,
        capture: u128,
        assigned: Assigned,
        record: &RunRecord,
    ) -> Result<Option<RunRevision>, MetaError> {
        let (run, info) = (self.run_key(id), self.feed_key(id, "info"));
        for _ in 0..TRIES_MAX {
            let feed = self.get(&info).await?.ok_or_else(|| MetaError::NotFound { changefeed: id.to_string() })?;
            let (key, seen, highest) = self.assigned(id).await?;
            if highest.is_some_and(|h| h > assigned) {
                return Ok(None);
            }
            let capture_key = self.capture_key(capture);
            if self.get(&capture_key).await?.map(|kv| kv.create_rev) != Some(record.inc) {
                return Ok(None);
            }
            let compares = vec![
                Compare::CreateRev(capture_key, record.inc),
                Compare::CreateRev(info.clone(), feed.create_rev),
                seen,
            ];
            let mark = AssignedRecord { owner_rev: assigned.0, n: assigned.1 };
            let puts = vec![Op::put(key.clone(), encode(&key, &mark)?), Op::put(run.clone(), encode(&run, record)?)];
            let outcome = self.store().txn(compares, puts, Vec::new()).await?;
            if outcome.succeeded {
                return Ok(Some(RunRevision(outcome.rev)));
            }
        }
        Err(MetaError::Conflict { key: run })
    }

    /// Goes on under a later assignment with the run that is held. False: it is held no more, or the assignment is not the latest.
    ///
    /// # Errors
    /// [`MetaError::Conflict`], and those of the store.
    pub async fn raise_run(&self, id: &ChangefeedId, run: RunRevision, assigned: Assigned) -> Result<bool, MetaError> {
        for _ in 0..TRIES_MAX {
            let (key, seen, highest) = self.assigned(id).await?;
            let held = self.get(&self.run_key(id)).await?.map(|kv| kv.mod_rev) == Some(run.0);
            if !held || highest.is_some_and(|h| h > assigned) {
                return Ok(false);
            }
            let mark = AssignedRecord { owner_rev: assigned.0, n: assigned.1 };
            let compares = vec![Compare::ModRev(self.run_key(id), run.0), seen];
            let put = Op::put(key.clone(), encode(&key, &mark)?);
            if self.store().txn(compares, vec![put], Vec::new()).await?.succeeded {
                return Ok(true);
            }
        }
        Err(MetaError::Conflict { key: self.run_key(id) })
    }

    /// The run has ended, with everything of it done; nothing happens when it is held no more.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end_run(&self, id: &ChangefeedId, run: RunRevision) -> Result<(), MetaError> {
        let key = self.run_key(id);
        self.store().txn(vec![Compare::ModRev(key.clone(), run.0)], vec![Op::Delete(key)], Vec::new()).await.map(|_| ())
    }

    /// Whether the run is held.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn holds_run(&self, id: &ChangefeedId, run: RunRevision) -> Result<bool, MetaError> {
        Ok(self.get(&self.run_key(id)).await?.map(|kv| kv.mod_rev) == Some(run.0))
    }

    /// Who may run the changefeed now.
    ///
    /// # Errors
    /// [`MetaError::BadRecord`], [`MetaError::NewerFormat`], and those of the store.
    pub async fn runner(&self, id: &ChangefeedId) -> Result<Option<RunRecord>, MetaError> {
        let key = self.run_key(id);
        self.get(&key).await?.map(|kv| decode(&key, &kv.value)).transpose()
    }
}
