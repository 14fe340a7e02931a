//! How RocksDB is set up: data that may be lost at any moment, written once, read once, in order.

use crate::{SorterConfig, SorterError};
use rocksdb::{BlockBasedOptions, Cache, DB, DBCompressionType, Options, WriteBufferManager};
use std::path::Path;

/// Least size of a memtable.
const MEMTABLE_MIN_BYTES: usize = 256 << 10;
/// Greatest size of a memtable.
const MEMTABLE_MAX_BYTES: usize = 64 << 20;
/// Memtables of one instance: one is filled, one is flushed.
const MEMTABLES: i32 = 2;
/// Files on the lowest level that start a compaction. Many: most data is dead before it would pay.
const L0_COMPACTION_FILES: i32 = 8;
/// Files on the lowest level that slow writers down and that stop them.
const L0_SLOWDOWN_FILES: i32 = 32;
const L0_STOP_FILES: i32 = 48;
/// Size of a data block: large, since reading is sequential.
const BLOCK_BYTES: usize = 32 << 10;
const FILES_OPEN_MAX: i32 = 256;

/// The instances of a process and the memory they share.
pub(crate) struct Rocks {
    pub(crate) dbs: Vec<DB>,
    cache: Cache,
    memtables: WriteBufferManager,
}

impl Rocks {
    /// Opens all instances below `dir`, which is wiped first.
    pub(crate) fn open(dir: &Path, cfg: &SorterConfig) -> Result<Self, SorterError> {
        let failed = |cause: String| SorterError::Open { dir: dir.to_owned(), cause };
        match std::fs::remove_dir_all(dir) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(e.to_string()));
            }
            _ => {}
        }
        std::fs::create_dir_all(dir).map_err(|e| failed(e.to_string()))?;
        let cache = Cache::new_lru_cache(cfg.cache_bytes());
        let memtables = WriteBufferManager::new_write_buffer_manager(cfg.memtable_bytes(), false);
        let options = options(cfg, &cache, &memtables);
        let dbs = (0..cfg.instances.max(1))
            .map(|n| DB::open(&options, dir.join(format!("{n:02}"))).map_err(|e| failed(e.to_string())))
            .collect::<Result<_, _>>()?;
        Ok(Self { dbs, cache, memtables })
    }

    /// Memory of memtables and cached blocks.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.cache.get_usage() + self.memtables.get_usage()
    }

    /// Size of all files, those that wait for deletion included.
    pub(crate) fn file_bytes(&self) -> u64 {
        let size = |db: &DB| db.property_int_value("rocksdb.total-sst-files-size").ok().flatten().unwrap_or(0);
        self.dbs.iter().map(size).sum()
    }
}

fn options(cfg: &SorterConfig, cache: &Cache, memtables: &WriteBufferManager) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_block_size(BLOCK_BYTES);
    table.set_cache_index_and_filter_blocks(true);

    let memtable_bytes = cfg.memtable_bytes() / (cfg.instances.max(1) * MEMTABLES as usize);
    let memtable_bytes = memtable_bytes.clamp(MEMTABLE_MIN_BYTES, MEMTABLE_MAX_BYTES);
    let mut o = Options::default();
    o.create_if_missing(true);
    o.set_block_based_table_factory(&table);
    o.set_compression_type(DBCompressionType::Lz4);
    o.set_write_buffer_manager(memtables);
    o.set_write_buffer_size(memtable_bytes);
    o.set_max_write_buffer_number(MEMTABLES);
    o.set_target_file_size_base(memtable_bytes as u64);
    o.set_max_bytes_for_level_base(memtable_bytes as u64 * 16);
    o.set_level_zero_file_num_compaction_trigger(L0_COMPACTION_FILES);
    o.set_level_zero_slowdown_writes_trigger(L0_SLOWDOWN_FILES);
    o.set_level_zero_stop_writes_trigger(L0_STOP_FILES);
    o.set_max_background_jobs(2);
    o.set_max_open_files(FILES_OPEN_MAX);
    o.set_stats_dump_period_sec(0);
    o.set_keep_log_file_num(1);
    o
}
