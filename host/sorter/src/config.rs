//! What a process grants its sorters.

/// Limits of a [`crate::SorterStore`], shared by all sorters of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SorterConfig {
    /// Bound on changes in memory, pages read back, memtables and block cache together, in bytes.
    /// A quarter of it is RocksDB's.
    pub memory_limit_bytes: usize,
    /// Bound on what lies in RocksDB, in bytes: the greater of uncompressed content and files.
    pub disk_limit_bytes: u64,
    /// A sorter with more than this in memory moves its newest changes to disk.
    ///
    /// It is a bound per sorter (a writer slot), not per span: spilled changes of all spans of a
    /// sorter lie together in release order, which makes reading them back one scan.
    pub spill_threshold_bytes: usize,
    /// How many RocksDB instances share the work; sorters are dealt out in turn. At least one.
    pub instances: usize,
}

impl SorterConfig {
    /// Default of [`Self::memory_limit_bytes`].
    pub const MEMORY_LIMIT_BYTES: usize = 512 << 20;
    /// Default of [`Self::disk_limit_bytes`].
    pub const DISK_LIMIT_BYTES: u64 = 100 << 30;
    /// Default of [`Self::spill_threshold_bytes`].
    pub const SPILL_THRESHOLD_BYTES: usize = 32 << 20;
    /// Default of [`Self::instances`].
    pub const INSTANCES: usize = 2;

    /// Part of the memory limit that is for memtables.
    pub(crate) fn memtable_bytes(&self) -> usize {
        self.memory_limit_bytes / 8
    }

    /// Part of the memory limit that is for cached blocks of files.
    pub(crate) fn cache_bytes(&self) -> usize {
        self.memory_limit_bytes / 8
    }

    /// Part of the memory limit that is for changes and pages of changes.
    pub(crate) fn changes_bytes(&self) -> usize {
        self.memory_limit_bytes - self.memtable_bytes() - self.cache_bytes()
    }
}

impl Default for SorterConfig {
    fn default() -> Self {
        Self {
            memory_limit_bytes: Self::MEMORY_LIMIT_BYTES,
            disk_limit_bytes: Self::DISK_LIMIT_BYTES,
            spill_threshold_bytes: Self::SPILL_THRESHOLD_BYTES,
            instances: Self::INSTANCES,
        }
    }
}
