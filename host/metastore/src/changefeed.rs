//! Records of changefeeds by name.
//!
//! Keys, below the prefix of the cluster: `cf/<namespace>/<name>/info`, `…/status`,
//! `…/ddl/<commit-ts, 20 digits>-<seq, 5 digits>`, `tomb/<namespace>/<name>`.

use crate::record::{decode, encode};
use crate::{
    ChangefeedInfo, ChangefeedStatus, Compare, DdlRecord, Guard, KeyValue, MetaError, MetaStore, Op, OpResult,
    Revision, WatchStream,
};
use std::sync::Arc;
use tg_model::{ChangefeedId, Ts};

/// Times a checkpoint write is tried again when the status was written meanwhile.
const TRIES_MAX: usize = 4;

/// The changefeeds of one cluster.
#[derive(Clone)]
pub struct ChangefeedStore {
    store: Arc<dyn MetaStore>,
    pub(crate) prefix: String,
}

impl ChangefeedStore {
    /// Records of `cluster`, in generation `generation` of its keys, under `/tidegate/<generation>/<cluster>/`.
    #[must_use]
    pub fn new(store: Arc<dyn MetaStore>, generation: u32, cluster: &str) -> Self {
        Self { store, prefix: format!("/tidegate/{generation}/{cluster}/") }
    }

    pub(crate) fn store(&self) -> &dyn MetaStore {
        self.store.as_ref()
    }

    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(crate) fn feed_key(&self, id: &ChangefeedId, part: &str) -> String {
        format!("{}cf/{}/{}/{part}", self.prefix, id.namespace, id.name)
    }

    fn ddl_key(&self, id: &ChangefeedId, commit_ts: Ts, seq: u32) -> String {
        self.feed_key(id, &format!("ddl/{:020}-{seq:05}", commit_ts.get()))
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<KeyValue>, MetaError> {
        let outcome = self.store.txn(Vec::new(), vec![Op::Get(key.to_owned())], Vec::new()).await?;
        Ok(outcome.results.into_iter().find_map(|r| match r {
            OpResult::Read(kvs) => kvs.into_iter().next(),
            OpResult::Written | OpResult::Deleted(_) => None,
        }))
    }

    /// Makes a changefeed, with its first status.
    ///
    /// # Errors
    /// [`MetaError::Exists`], and those of the store.
    pub async fn create(
        &self,
        id: &ChangefeedId,
        info: &ChangefeedInfo,
        status: &ChangefeedStatus,
    ) -> Result<Revision, MetaError> {
        let (info_key, status_key) = (self.feed_key(id, "info"), self.feed_key(id, "status"));
        let puts = vec![
            Op::put(info_key.clone(), encode(&info_key, info)?),
            Op::put(status_key.clone(), encode(&status_key, status)?),
        ];
        let outcome = self.store.txn(vec![Compare::Absent(info_key)], puts, Vec::new()).await?;
        if outcome.succeeded { Ok(outcome.rev) } else { Err(MetaError::Exists { changefeed: id.to_string() }) }
    }

    /// A changefeed's info and the revision to give to [`Self::update`].
    ///
    /// # Errors
    /// [`MetaError::NotFound`], [`MetaError::BadRecord`], [`MetaError::NewerFormat`], and those of the store.
    pub async fn info(&self, id: &ChangefeedId) -> Result<(ChangefeedInfo, Revision), MetaError> {
        self.read(id, "info").await
    }

    /// A changefeed's progress and the revision of its last write.
    ///
    /// # Errors
    /// As [`Self::info`].
    pub async fn status(&self, id: &ChangefeedId) -> Result<(ChangefeedStatus, Revision), MetaError> {
        self.read(id, "status").await
    }

    async fn read<T: serde::de::DeserializeOwned>(
        &self,
        id: &ChangefeedId,
        part: &str,
    ) -> Result<(T, Revision), MetaError> {
        let key = self.feed_key(id, part);
        let found = self.get(&key).await?.ok_or_else(|| MetaError::NotFound { changefeed: id.to_string() })?;
        Ok((decode(&key, &found.value)?, found.mod_rev))
    }

    /// All changefeeds with their info, by name, and the revision they were read at. A record that cannot be
    /// read stands as its error and hides no other.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self) -> Result<(Vec<(ChangefeedId, Result<ChangefeedInfo, MetaError>)>, Revision), MetaError> {
        let prefix = self.key("cf/");
        let range = self.store.range(&prefix).await?;
        let feed = |kv: &KeyValue| {
            let mut parts = kv.key.strip_prefix(&prefix)?.split('/');
            let id = ChangefeedId::new(parts.next()?, parts.next()?)?;
            (parts.next()? == "info" && parts.next().is_none()).then(|| (id, decode(&kv.key, &kv.value)))
        };
        Ok((range.kvs.iter().filter_map(feed).collect(), range.rev))
    }

    /// Every write to a record of a changefeed from a revision on, inclusive.
    ///
    /// # Errors
    /// [`MetaError::Compacted`], and those of the store.
    pub async fn watch(&self, from_rev: Revision) -> Result<WatchStream, MetaError> {
        self.store.watch(&self.key("cf/"), from_rev).await
    }

    /// Replaces a changefeed's info, if it is still as read at `seen`. With a guard: only while that holds.
    ///
    /// # Errors
    /// [`MetaError::Conflict`], [`MetaError::NotOwner`], [`MetaError::NotRunner`], and those of the store.
    pub async fn update(
        &self,
        id: &ChangefeedId,
        seen: Revision,
        info: &ChangefeedInfo,
        guard: Option<Guard>,
    ) -> Result<Revision, MetaError> {
        let key = self.feed_key(id, "info");
        let mut compares = vec![Compare::ModRev(key.clone(), seen)];
        compares.extend(guard.map(|g| self.guard_holds(id, g)));
        let put = Op::put(key.clone(), encode(&key, info)?);
        let outcome = self.store.txn(compares, vec![put], Vec::new()).await?;
        if outcome.succeeded {
            return Ok(outcome.rev);
        }
        if let Some(guard) = guard {
            self.check_guard(id, guard, "an update of a changefeed").await?;
        }
        Err(MetaError::Conflict { key })
    }

    /// Moves a changefeed's progress forward, while the guard holds. Writing the same position again is allowed.
    ///
    /// # Errors
    /// [`MetaError::CheckpointBack`], [`MetaError::NotOwner`], [`MetaError::NotRunner`], [`MetaError::NotFound`],
    /// [`MetaError::Conflict`], and those of the store.
    pub async fn advance(
        &self,
        id: &ChangefeedId,
        guard: impl Into<Guard> + Send,
        status: &ChangefeedStatus,
    ) -> Result<Revision, MetaError> {
        let guard = guard.into();
        let key = self.feed_key(id, "status");
        for _ in 0..TRIES_MAX {
            let (before, seen): (ChangefeedStatus, _) = self.read(id, "status").await?;
            if status.checkpoint < before.checkpoint {
                let changefeed = id.to_string();
                return Err(MetaError::CheckpointBack { changefeed, from: before.checkpoint, to: status.checkpoint });
            }
            let mut status = status.clone();
            for (name, value) in before.other {
                status.other.entry(name).or_insert(value);
            }
            let compares = vec![self.guard_holds(id, guard), Compare::ModRev(key.clone(), seen)];
            let outcome =
                self.store.txn(compares, vec![Op::put(key.clone(), encode(&key, &status)?)], Vec::new()).await?;
            if outcome.succeeded {
                return Ok(outcome.rev);
            }
            self.check_guard(id, guard, "a checkpoint").await?;
        }
        Err(MetaError::Conflict { key })
    }

    /// Removes a changefeed with all its records and leaves a tombstone with the time, in Unix milliseconds.
    ///
    /// # Errors
    /// [`MetaError::NotFound`], and those of the store.
    pub async fn remove(&self, id: &ChangefeedId, removed_ms: u64) -> Result<(), MetaError> {
        let info = self.feed_key(id, "info");
        let (_, seen): (ChangefeedInfo, _) = self.read(id, "info").await?;
        let tomb = self.key(&format!("tomb/{}/{}", id.namespace, id.name));
        let ops = vec![
            Op::DeletePrefix(self.feed_key(id, "")),
            Op::put(tomb.clone(), encode(&tomb, &serde_json::json!({ "removed_ms": removed_ms }))?),
        ];
        let outcome = self.store.txn(vec![Compare::ModRev(info.clone(), seen)], ops, Vec::new()).await?;
        if outcome.succeeded { Ok(()) } else { Err(MetaError::Conflict { key: info }) }
    }

    /// Writes what is known of a DDL, while the guard holds.
    ///
    /// # Errors
    /// [`MetaError::NotOwner`], [`MetaError::NotRunner`], and those of the store.
    pub async fn put_ddl(
        &self,
        id: &ChangefeedId,
        guard: impl Into<Guard> + Send,
        ddl: &DdlRecord,
    ) -> Result<Revision, MetaError> {
        let guard = guard.into();
        let key = self.ddl_key(id, ddl.commit_ts, ddl.seq);
        let put = Op::put(key.clone(), encode(&key, ddl)?);
        let outcome = self.store.txn(vec![self.guard_holds(id, guard)], vec![put], Vec::new()).await?;
        if outcome.succeeded { Ok(outcome.rev) } else { Err(Self::refused(id, guard, "a DDL record")) }
    }

    /// All DDL records of a changefeed in order of (commit-ts, seq).
    ///
    /// # Errors
    /// [`MetaError::BadRecord`], [`MetaError::NewerFormat`], and those of the store.
    pub async fn ddls(&self, id: &ChangefeedId) -> Result<Vec<DdlRecord>, MetaError> {
        let range = self.store.range(&self.feed_key(id, "ddl/")).await?;
        range.kvs.iter().map(|kv| decode(&kv.key, &kv.value)).collect()
    }

    /// Deletes DDL records at or below the checkpoint, while the guard holds.
    ///
    /// # Errors
    /// [`MetaError::NotOwner`], [`MetaError::NotRunner`], and those of the store.
    pub async fn forget_ddls(
        &self,
        id: &ChangefeedId,
        guard: impl Into<Guard> + Send,
        upto: Ts,
    ) -> Result<(), MetaError> {
        let guard = guard.into();
        let range = self.store.range(&self.feed_key(id, "ddl/")).await?;
        let end = self.ddl_key(id, upto.next(), 0);
        let dead: Vec<_> = range.kvs.into_iter().filter(|kv| kv.key < end).map(|kv| Op::Delete(kv.key)).collect();
        for ops in dead.chunks(DELETES_MAX) {
            let outcome = self.store.txn(vec![self.guard_holds(id, guard)], ops.to_vec(), Vec::new()).await?;
            if !outcome.succeeded {
                return Err(Self::refused(id, guard, "deleting DDL records"));
            }
        }
        Ok(())
    }
}

/// Steps of one transaction; etcd allows 128 by default.
const DELETES_MAX: usize = 100;
