//! Transactions of tables' rows, and reading rows back.

use crate::PlaygroundError;
use crate::encode::row::RowWriter;
use crate::encode::{Value, key};
use crate::store::{Cluster, Lock, Mode, Mutation, Op, TxnMeta};
use crate::table::{TableDef, TextRow};
use bytes::Bytes;
use std::sync::Arc;

/// Time to live of a transaction's locks unless told otherwise.
const LOCK_TTL_MS: u64 = 3000;

/// A transaction: gathers changes, then commits them all or none.
#[derive(Debug)]
pub struct Txn {
    cluster: Arc<Cluster>,
    meta: TxnMeta,
    mutations: Vec<Mutation>,
    tables: Vec<Arc<TableDef>>,
    writer: RowWriter,
    lock_ttl_ms: u64,
}

impl Cluster {
    /// Begins a transaction that sees, and conflicts with, what is committed from now on.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> Txn {
        let start_ts = self.tso.next();
        self.txn(TxnMeta { start_ts, ..TxnMeta::default() })
    }

    /// A transaction of blind writes: it takes its start timestamp at the commit and conflicts only with locks.
    #[must_use]
    pub fn blind(self: &Arc<Self>) -> Txn {
        self.txn(TxnMeta::default())
    }

    fn txn(self: &Arc<Self>, meta: TxnMeta) -> Txn {
        let (mutations, tables) = (Vec::new(), Vec::new());
        Txn { cluster: self.clone(), meta, mutations, tables, writer: RowWriter::default(), lock_ttl_ms: LOCK_TTL_MS }
    }

    /// A table as it is now.
    ///
    /// # Errors
    /// There is no such table.
    pub fn table(&self, schema: &str, name: &str) -> Result<Arc<TableDef>, PlaygroundError> {
        self.lock().catalog.table(schema, name)
    }

    /// All tables as they are now.
    #[must_use]
    pub fn tables(&self) -> Vec<Arc<TableDef>> {
        self.lock().catalog.all().cloned().collect()
    }

    /// The rows of a table at a timestamp as a server prints them, in key order; one of a partitioned
    /// table by partition. Uncommitted changes are not seen. Empty when the table did not exist.
    #[must_use]
    pub fn rows_at(&self, schema: &str, name: &str, ts: u64) -> Vec<TextRow> {
        let mut state = self.lock();
        state.max_ts = state.max_ts.max(ts.min(self.tso.now()));
        let Some(table) = state.catalog.table_at(schema, name, ts) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for id in table.physical_ids() {
            let (start, end) = (key::record_start(id), key::record_end(id));
            for (key, slot) in state.mvcc.keys_in(&start, &end) {
                let row = slot.at(ts).and_then(|v| v.value.as_ref());
                out.extend(row.and_then(|row| table.text_row(key, row)));
            }
        }
        out
    }
}

impl Txn {
    /// Start timestamp; zero for blind writes.
    #[must_use]
    pub const fn start_ts(&self) -> u64 {
        self.meta.start_ts
    }

    /// Sets how the transaction commits.
    pub fn mode(&mut self, mode: Mode) -> &mut Self {
        self.meta.mode = mode;
        self
    }

    /// Sets the source marks.
    pub fn source(&mut self, txn_source: u64) -> &mut Self {
        self.meta.txn_source = txn_source;
        self
    }

    /// Sets the time to live of locks.
    pub fn lock_ttl_ms(&mut self, ttl_ms: u64) -> &mut Self {
        self.lock_ttl_ms = ttl_ms;
        self
    }

    /// Sets a raw key.
    pub fn put(&mut self, key: Bytes, value: Bytes) {
        self.mutations.push(Mutation { key, value: Some(value) });
    }

    /// Deletes a raw key.
    pub fn delete(&mut self, key: Bytes) {
        self.mutations.push(Mutation { key, value: None });
    }

    /// Writes a row, whether it existed or not; one value per column in order. A table without
    /// clustered key gives every row a new hidden id. Gives the row's key.
    ///
    /// # Errors
    /// The values do not fit the columns.
    pub fn put_row(&mut self, table: &Arc<TableDef>, values: &[Value]) -> Result<Bytes, PlaygroundError> {
        let key = table.key_of(values)?;
        self.put_row_at(table, key.clone(), values)?;
        Ok(key)
    }

    /// Writes a row under a known key (needed to update tables with hidden row ids).
    ///
    /// # Errors
    /// The values do not fit the columns.
    pub fn put_row_at(&mut self, table: &Arc<TableDef>, key: Bytes, values: &[Value]) -> Result<(), PlaygroundError> {
        let row = table.row_of(values, &mut self.writer)?;
        self.uses(table);
        self.put(key, row);
        Ok(())
    }

    /// Deletes a row by the values of its handle (the clustered key's columns in order, or the row id).
    ///
    /// # Errors
    /// The values do not fit the key.
    pub fn delete_row(&mut self, table: &Arc<TableDef>, handle: &[Value]) -> Result<(), PlaygroundError> {
        let key = table.key_of_handle(handle)?;
        self.uses(table);
        self.delete(key);
        Ok(())
    }

    /// Reads a row by its handle at the start timestamp, as text.
    ///
    /// # Errors
    /// The values do not fit the key, or the row is locked by an older transaction.
    pub fn get_row(&self, table: &TableDef, handle: &[Value]) -> Result<Option<TextRow>, PlaygroundError> {
        let key = table.key_of_handle(handle)?;
        let mut state = self.cluster.lock();
        let ts = self.meta.start_ts;
        state.max_ts = state.max_ts.max(ts);
        if let Some(lock) = state.mvcc.blocking_lock(&key, ts, &[]) {
            return Err(PlaygroundError::Locked { key, lock: Box::new(lock.clone()) });
        }
        Ok(state.mvcc.get(&key, ts).and_then(|row| table.text_row(&key, row)))
    }

    fn uses(&mut self, table: &Arc<TableDef>) {
        if !self.tables.iter().any(|t| Arc::ptr_eq(t, table)) {
            self.tables.push(table.clone());
        }
    }

    /// Sorts by key; of several changes of one key the last stays.
    fn settle(&mut self) -> Vec<Mutation> {
        let mut mutations = std::mem::take(&mut self.mutations);
        mutations.sort_by(|a, b| a.key.cmp(&b.key));
        mutations.dedup_by(|later, earlier| {
            let same = later.key == earlier.key;
            if same {
                earlier.value = later.value.take();
            }
            same
        });
        mutations
    }

    /// Commits at once: no other sees the locks. Gives the commit timestamp (zero without changes).
    ///
    /// # Errors
    /// A key is locked or was written since the start, or a table changed.
    pub fn commit(mut self) -> Result<u64, PlaygroundError> {
        let mutations = self.settle();
        if mutations.is_empty() {
            return Ok(0);
        }
        let mut state = self.cluster.lock();
        for table in &self.tables {
            state.catalog.check(table)?;
        }
        self.cluster.write_locked(&mut state, self.meta, mutations)
    }

    /// Locks the keys and leaves them so: until [`Prewritten`] is committed or rolled back, or others do it.
    ///
    /// # Errors
    /// As for [`Self::commit`].
    pub fn prewrite(mut self) -> Result<Prewritten, PlaygroundError> {
        let mutations = self.settle();
        let start_ts = if self.meta.start_ts == 0 { self.cluster.tso.next() } else { self.meta.start_ts };
        let keys: Vec<_> = mutations.iter().map(|m| m.key.clone()).collect();
        let async_commit = self.meta.mode == Mode::Async;
        let lock = Lock {
            start_ts,
            op: Op::Put,
            value: Bytes::new(),
            primary: keys.first().cloned().unwrap_or_default(),
            ttl_ms: self.lock_ttl_ms,
            min_commit_ts: 0,
            async_commit,
            secondaries: if async_commit { keys.get(1..).unwrap_or_default().to_vec() } else { Vec::new() },
            txn_size: keys.len() as u64,
            txn_source: self.meta.txn_source,
        };
        let mut state = self.cluster.lock();
        for table in &self.tables {
            state.catalog.check(table)?;
        }
        let min_commit_ts = state.prewrite(&lock, mutations)?;
        drop(state);
        Ok(Prewritten { cluster: self.cluster, start_ts, min_commit_ts, async_commit, keys, lock })
    }
}

/// A transaction whose keys are locked. Dropping it leaves the locks, as a crashed client does.
#[derive(Debug)]
pub struct Prewritten {
    cluster: Arc<Cluster>,
    start_ts: u64,
    min_commit_ts: u64,
    async_commit: bool,
    keys: Vec<Bytes>,
    lock: Lock,
}

impl Prewritten {
    /// Start timestamp.
    #[must_use]
    pub const fn start_ts(&self) -> u64 {
        self.start_ts
    }

    /// The locked keys in order; the first is the primary.
    #[must_use]
    pub fn keys(&self) -> &[Bytes] {
        &self.keys
    }

    /// Locks more keys for the same transaction (large transactions come in parts).
    ///
    /// # Errors
    /// As for [`Txn::commit`].
    pub fn prewrite_more(&mut self, mutations: Vec<Mutation>) -> Result<(), PlaygroundError> {
        self.keys.extend(mutations.iter().map(|m| m.key.clone()));
        let min_commit_ts = self.cluster.prewrite(&self.lock, mutations)?;
        self.min_commit_ts = self.min_commit_ts.max(min_commit_ts);
        Ok(())
    }

    /// Takes the commit timestamp, once.
    #[must_use]
    pub fn commit_ts(&self) -> u64 {
        if self.async_commit { self.min_commit_ts } else { self.cluster.tso.next() }
    }

    /// Commits all keys. Gives the commit timestamp.
    ///
    /// # Errors
    /// A lock is gone: somebody rolled the transaction back.
    pub fn commit(self) -> Result<u64, PlaygroundError> {
        let commit_ts = self.commit_ts();
        self.cluster.commit(self.start_ts, commit_ts, &self.keys)?;
        Ok(commit_ts)
    }

    /// Commits some of the keys with a timestamp of [`Self::commit_ts`].
    ///
    /// # Errors
    /// As for [`Self::commit`].
    pub fn commit_part(&self, commit_ts: u64, keys: &[Bytes]) -> Result<(), PlaygroundError> {
        self.cluster.commit(self.start_ts, commit_ts, keys)
    }

    /// Rolls all keys back.
    pub fn roll_back(self) {
        self.cluster.roll_back(self.start_ts, &self.keys);
    }
}
