//! What a metadata store can do.

use crate::MetaError;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use std::time::{Duration, Instant};

/// Counts writes of the whole store. Zero: before the first.
pub type Revision = u64;
/// Names a lease. Zero: none.
pub type LeaseId = u64;

/// A key with its value and history marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Bytes,
    /// Revision of the write that made the key.
    pub create_rev: Revision,
    /// Revision of the last write.
    pub mod_rev: Revision,
    /// The lease it dies with; zero: none.
    pub lease: LeaseId,
}

/// A condition of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compare {
    /// The key does not exist.
    Absent(String),
    /// The key exists and was made by this revision.
    CreateRev(String, Revision),
    /// The key exists and was last written by this revision.
    ModRev(String, Revision),
    /// The key exists and has this value.
    Value(String, Bytes),
}

/// A step of a transaction. A key may be written once in a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Writes a key.
    Put {
        /// The key.
        key: String,
        /// Its new value.
        value: Bytes,
        /// The lease it is to die with; zero: none.
        lease: LeaseId,
    },
    /// Deletes a key, if it is there.
    Delete(String),
    /// Deletes every key with the prefix.
    DeletePrefix(String),
    /// Reads a key.
    Get(String),
    /// Reads every key with the prefix.
    GetPrefix(String),
}

impl Op {
    /// A put without a lease.
    pub fn put(key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Self::Put { key: key.into(), value: value.into(), lease: 0 }
    }
}

/// What a step gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpResult {
    /// It wrote.
    Written,
    /// It deleted so many keys.
    Deleted(u64),
    /// It read these, by key.
    Read(Vec<KeyValue>),
}

/// What a transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnOutcome {
    /// Whether all compares held, so that the first list was run.
    pub succeeded: bool,
    /// The store's revision after it; that of its writes when it wrote.
    pub rev: Revision,
    /// One per step that was run.
    pub results: Vec<OpResult>,
}

/// Keys with a common prefix, as of one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The revision. A watch from the next one misses nothing.
    pub rev: Revision,
    /// By key.
    pub kvs: Vec<KeyValue>,
}

/// A write seen by a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The key.
    pub key: String,
    /// Revision of the write.
    pub rev: Revision,
    /// What it did.
    pub kind: EventKind,
}

/// What a write did to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The key has this value now.
    Put(Bytes),
    /// The key is gone.
    Delete,
}

/// Batches of events in order of revision. An error is the last item; then the prefix has to be read anew.
pub type WatchStream = BoxStream<'static, Result<Vec<Event>, MetaError>>;

/// A linearizable store of small values. Calls that fail with a retryable error may have taken effect.
pub trait MetaStore: Send + Sync + 'static {
    /// Runs `then` if every compare holds, else `otherwise`, as one step.
    fn txn(
        &self,
        compares: Vec<Compare>,
        then: Vec<Op>,
        otherwise: Vec<Op>,
    ) -> BoxFuture<'_, Result<TxnOutcome, MetaError>>;

    /// Reads every key with the prefix.
    fn range(&self, prefix: &str) -> BoxFuture<'_, Result<Range, MetaError>>;

    /// Delivers every write under the prefix from a revision on, inclusive.
    fn watch(&self, prefix: &str, from_rev: Revision) -> BoxFuture<'_, Result<WatchStream, MetaError>>;

    /// Makes a lease that ends `ttl` after its last keep-alive; the store may round up to whole seconds.
    fn lease_grant(&self, ttl: Duration) -> BoxFuture<'_, Result<LeaseId, MetaError>>;

    /// Renews a lease; [`MetaError::LeaseLost`] when it has ended.
    fn lease_keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<(), MetaError>>;

    /// Ends a lease and deletes its keys. No error when it has ended already.
    fn lease_revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<(), MetaError>>;

    /// Whether the key still is the one made by `create_rev`. `Some`: it was so at or after the returned
    /// instant, which was taken before the question was sent.
    fn confirm(&self, key: &str, create_rev: Revision) -> BoxFuture<'_, Result<Option<Instant>, MetaError>> {
        let key = key.to_owned();
        Box::pin(async move {
            let sent_at = Instant::now();
            let outcome = self.txn(vec![Compare::CreateRev(key, create_rev)], Vec::new(), Vec::new()).await?;
            Ok(outcome.succeeded.then_some(sent_at))
        })
    }
}
