//! The nodes of a cluster: who is registered, who owns it, what is wanted of each.
//!
//! Keys, below the prefix of the cluster: `meta/cluster`, `capture/<32 hexadecimal digits>` (with a lease), `owner`,
//! `node/<32 hexadecimal digits>`.

use crate::record::{decode, encode};
use crate::{
    ChangefeedStore, Compare, KeyValue, LeaseId, MetaError, Op, OpResult, OwnerRevision, Range, Revision, WatchStream,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a cluster is: written once, by its first node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRecord {
    /// Drawn at random, 32 hexadecimal digits: a store that was emptied has another one.
    pub id: String,
    /// The upstream it reads.
    pub upstream_id: u64,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A registered process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Its data directory, 32 hexadecimal digits.
    pub node: String,
    /// Where others reach it, `host:port`.
    pub address: String,
    /// Failure domain; empty: none.
    #[serde(default)]
    pub zone: String,
    /// Version of the program.
    #[serde(default)]
    pub version: String,
    /// When it started, in Unix milliseconds.
    #[serde(default)]
    pub started_ms: u64,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Who owns the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerRecord {
    /// Its capture, 32 hexadecimal digits.
    pub capture: String,
    /// Revision that registered it.
    pub inc: Revision,
    /// Where its API is, `host:port`.
    pub address: String,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What is wanted of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeWish {
    /// It takes work.
    #[default]
    Up,
    /// It gives its work away.
    Draining,
    /// It is expected back at once.
    Maintenance,
}

/// What is wanted of a node, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NodeRecord {
    /// The wish.
    pub state: NodeWish,
    /// Where it was when that was wished, `host:port`; empty: not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// In maintenance: for so many milliseconds what it had waits for it while it is away.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub away_max_ms: u64,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl NodeRecord {
    /// A wish and nothing else.
    #[must_use]
    pub fn of(state: NodeWish) -> Self {
        Self { state, ..Self::default() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Reads a record of the cluster's keys.
///
/// # Errors
/// [`MetaError::BadRecord`], [`MetaError::NewerFormat`].
pub fn read_record<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, MetaError> {
    decode(key, value)
}

impl ChangefeedStore {
    /// Where all its keys begin.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn capture_key(&self, capture: u128) -> String {
        self.key(&format!("capture/{capture:032x}"))
    }

    /// Every key of the cluster.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn everything(&self) -> Result<Range, MetaError> {
        self.store().range(&self.prefix).await
    }

    /// Every write from a revision on, inclusive.
    ///
    /// # Errors
    /// [`MetaError::Compacted`], and those of the store.
    pub async fn watch_everything(&self, from_rev: Revision) -> Result<WatchStream, MetaError> {
        self.store().watch(&self.prefix, from_rev).await
    }

    /// What the cluster is; `ours` if nobody has said so before.
    ///
    /// # Errors
    /// [`MetaError::BadRecord`], [`MetaError::NewerFormat`], and those of the store.
    pub async fn cluster(&self, ours: &ClusterRecord) -> Result<ClusterRecord, MetaError> {
        let key = self.key("meta/cluster");
        let put = Op::put(key.clone(), encode(&key, ours)?);
        let outcome =
            self.store().txn(vec![Compare::Absent(key.clone())], vec![put], vec![Op::Get(key.clone())]).await?;
        if outcome.succeeded {
            return Ok(ours.clone());
        }
        let found = first(outcome.results).ok_or_else(|| MetaError::Conflict { key: key.clone() })?;
        decode(&key, &found.value)
    }

    /// Registers a capture; the revision that did so, now or before.
    ///
    /// # Errors
    /// [`MetaError::LeaseLost`], and those of the store.
    pub async fn register(&self, capture: u128, record: &MemberRecord, lease: LeaseId) -> Result<Revision, MetaError> {
        let key = self.capture_key(capture);
        let put = Op::Put { key: key.clone(), value: encode(&key, record)?, lease };
        let outcome =
            self.store().txn(vec![Compare::Absent(key.clone())], vec![put], vec![Op::Get(key.clone())]).await?;
        if outcome.succeeded {
            return Ok(outcome.rev);
        }
        first(outcome.results).map(|kv| kv.create_rev).ok_or(MetaError::Conflict { key })
    }

    /// Whether the capture still has this registration.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn is_registered(&self, capture: u128, inc: Revision) -> Result<bool, MetaError> {
        let compare = Compare::CreateRev(self.capture_key(capture), inc);
        Ok(self.store().txn(vec![compare], Vec::new(), Vec::new()).await?.succeeded)
    }

    /// Ends a registration, as its capture.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn unregister(&self, capture: u128, inc: Revision) -> Result<(), MetaError> {
        let key = self.capture_key(capture);
        let compare = Compare::CreateRev(key.clone(), inc);
        self.store().txn(vec![compare], vec![Op::Delete(key)], Vec::new()).await.map(|_| ())
    }

    /// Whether this is the owner.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn is_owner(&self, owner: OwnerRevision) -> Result<bool, MetaError> {
        Ok(self.store().txn(vec![self.owner_holds(owner)], Vec::new(), Vec::new()).await?.succeeded)
    }

    /// Takes ownership from the one of this revision (zero: there is none), for a registered capture. `None`: somebody was
    /// faster, or the capture is registered no more.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn take_owner_from(
        &self,
        before: OwnerRevision,
        capture: u128,
        record: &OwnerRecord,
    ) -> Result<Option<OwnerRevision>, MetaError> {
        let key = self.key("owner");
        let was = if before.0 == 0 { Compare::Absent(key.clone()) } else { self.owner_holds(before) };
        let compares = vec![was, Compare::CreateRev(self.capture_key(capture), record.inc)];
        let put = Op::put(key.clone(), encode(&key, record)?);
        let outcome = self.store().txn(compares, vec![put], Vec::new()).await?;
        Ok(outcome.succeeded.then_some(OwnerRevision(outcome.rev)))
    }

    /// Ends the registration of another capture, as owner. False: this is the owner no more.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn revoke(&self, owner: OwnerRevision, capture: u128, inc: Revision) -> Result<bool, MetaError> {
        let key = self.capture_key(capture);
        let compares = vec![self.owner_holds(owner), Compare::CreateRev(key.clone(), inc)];
        let outcome = self.store().txn(compares, vec![Op::Delete(key)], vec![Op::Get(self.key("owner"))]).await?;
        let still = || first(outcome.results).is_some_and(|kv| kv.mod_rev == owner.0);
        Ok(outcome.succeeded || still())
    }

    /// Says what is wanted of a node.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_node(&self, node: &str, record: &NodeRecord) -> Result<(), MetaError> {
        let key = self.key(&format!("node/{node}"));
        let put = Op::put(key.clone(), encode(&key, record)?);
        self.store().txn(Vec::new(), vec![put], Vec::new()).await.map(|_| ())
    }
}

fn first(results: Vec<OpResult>) -> Option<KeyValue> {
    results.into_iter().find_map(|r| match r {
        OpResult::Read(kvs) => kvs.into_iter().next(),
        OpResult::Written | OpResult::Deleted(_) => None,
    })
}
