//! What all sorters of a process share: the disk store and the accounts.

use crate::rocks::Rocks;
use crate::{Sorter, SorterConfig, SorterError};
use rocksdb::{DB, ReadOptions, WriteBatch, WriteOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Memory (in hundredths of the share for changes) from which a sorter above its fair part spills.
const PRESSURE_PERCENT: usize = 75;

/// The sorters' common ground: RocksDB instances in a directory that is wiped at start, and accounts of
/// memory and disk. One per process.
pub struct SorterStore {
    cfg: SorterConfig,
    rocks: Rocks,
    next_sorter: AtomicU64,
    sorters: AtomicUsize,
    changes_bytes: AtomicUsize,
    memory_peak_bytes: AtomicUsize,
    spilled_bytes: AtomicU64,
}

/// What the sorters of a process hold, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Changes in memory, pages read back from disk included.
    pub changes_bytes: usize,
    /// Memtables and cached blocks.
    pub rocksdb_bytes: usize,
    /// The greatest sum of the two that was seen when either grew.
    pub memory_peak_bytes: usize,
    /// Spilled and not given back yet, uncompressed.
    pub spilled_bytes: u64,
    /// Files on disk.
    pub file_bytes: u64,
}

impl SorterStore {
    /// Opens the store. Everything in `dir` is deleted first: spilled data never outlives a process.
    ///
    /// # Errors
    /// [`SorterError::Open`] when the directory cannot be wiped or used.
    pub fn open(dir: &Path, cfg: SorterConfig) -> Result<Arc<Self>, SorterError> {
        let rocks = Rocks::open(dir, &cfg)?;
        Ok(Arc::new(Self {
            cfg,
            rocks,
            next_sorter: AtomicU64::new(1),
            sorters: AtomicUsize::new(0),
            changes_bytes: AtomicUsize::new(0),
            memory_peak_bytes: AtomicUsize::new(0),
            spilled_bytes: AtomicU64::new(0),
        }))
    }

    /// A new, empty sorter.
    #[must_use]
    pub fn sorter(self: &Arc<Self>) -> Sorter {
        self.sorters.fetch_add(1, Relaxed);
        Sorter::new(Arc::clone(self), self.next_sorter.fetch_add(1, Relaxed))
    }

    /// What is held now. Asks RocksDB: some microseconds.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage {
            changes_bytes: self.changes_bytes.load(Relaxed),
            rocksdb_bytes: self.rocks.memory_bytes(),
            memory_peak_bytes: self.memory_peak_bytes.load(Relaxed),
            spilled_bytes: self.spilled_bytes.load(Relaxed),
            file_bytes: self.rocks.file_bytes(),
        }
    }

    /// Rewrites what is left of files with dead content. Blocks for as long as that takes; RocksDB does
    /// the same by itself in time.
    pub fn compact(&self) {
        for db in &self.rocks.dbs {
            if let Err(e) = db.flush() {
                tracing::warn!(error = %e, "cannot flush a memtable of the sorter");
            }
            db.compact_range(None::<&[u8]>, None::<&[u8]>);
        }
    }

    pub(crate) fn cfg(&self) -> &SorterConfig {
        &self.cfg
    }

    pub(crate) fn sorter_gone(&self) {
        self.sorters.fetch_sub(1, Relaxed);
    }

    /// Replaces a sorter's share of the memory account.
    pub(crate) fn account_memory(&self, before: usize, now: usize) {
        if now <= before {
            self.changes_bytes.fetch_sub(before - now, Relaxed);
            return;
        }
        let sum = self.changes_bytes.fetch_add(now - before, Relaxed) + now - before;
        // The part of RocksDB is bounded by its share; asking it here would cost more than the push.
        self.memory_peak_bytes.fetch_max(sum, Relaxed);
    }

    /// How much a sorter that holds `pending` should spill because the whole process holds too much.
    pub(crate) fn excess_bytes(&self, pending: usize) -> usize {
        let limit = self.cfg.changes_bytes();
        let sum = self.changes_bytes.load(Relaxed);
        if sum > limit {
            return sum - limit;
        }
        let pressure = limit / 100 * PRESSURE_PERCENT;
        let fair = pressure / self.sorters.load(Relaxed).max(1);
        if sum > pressure { pending.saturating_sub(fair).min(sum - pressure) } else { 0 }
    }

    fn db(&self, sorter: u64) -> Option<&DB> {
        let n = usize::try_from(sorter).unwrap_or(0) % self.rocks.dbs.len();
        self.rocks.dbs.get(n)
    }

    /// The instance a sorter's data lies in.
    pub(crate) fn instance(&self, sorter: u64, what: &'static str) -> Result<&DB, SorterError> {
        self.db(sorter).ok_or_else(|| SorterError::Disk { what, cause: "no instance is open".to_owned() })
    }

    /// Reserves disk for a spill.
    pub(crate) fn reserve_disk(&self, need_bytes: u64) -> Result<(), SorterError> {
        let limit_bytes = self.cfg.disk_limit_bytes;
        let used_bytes = self.spilled_bytes.fetch_add(need_bytes, Relaxed).max(self.rocks.file_bytes());
        if used_bytes.saturating_add(need_bytes) > limit_bytes {
            self.release_disk(need_bytes);
            return Err(SorterError::DiskLimit { need_bytes, used_bytes, limit_bytes });
        }
        Ok(())
    }

    pub(crate) fn release_disk(&self, bytes: u64) {
        self.spilled_bytes.fetch_sub(bytes, Relaxed);
    }

    /// Writes without a log: what is lost is pulled again.
    pub(crate) fn write(&self, sorter: u64, batch: WriteBatch, what: &'static str) -> Result<(), SorterError> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        let written = self.instance(sorter, what)?.write_opt(batch, &options).map_err(SorterError::disk(what));
        let rocksdb = self.rocks.memory_bytes();
        self.memory_peak_bytes.fetch_max(self.changes_bytes.load(Relaxed) + rocksdb, Relaxed);
        written
    }

    /// Options for one sequential read up to `end`, exclusive.
    pub(crate) fn read_options(end: Vec<u8>, readahead_bytes: usize) -> ReadOptions {
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(end);
        options.set_readahead_size(readahead_bytes);
        options.set_total_order_seek(true);
        options.fill_cache(false);
        options
    }
}

impl std::fmt::Debug for SorterStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SorterStore").field("cfg", &self.cfg).field("usage", &self.usage()).finish_non_exhaustive()
    }
}
