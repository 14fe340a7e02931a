//! `[mounter]`, `[scheduler]`, `[integrity]`, `[synced-status]`, `[consistent]`.

use crate::{Interval, SecretUri};

section! {
    /// Decoding of rows.
    MounterConfig {
        /// Accepted without effect.
        worker_num: u32 = 16,
    }
}

section! {
    /// Distribution of a changefeed's tables over nodes.
    SchedulerConfig {
        /// Split big tables into spans on several nodes.
        enable_table_across_nodes: bool = false,
        /// Regions from which a table is split; zero: never for its regions.
        region_threshold: u32 = 10_000,
        /// Regions per span at the first split.
        region_count_per_span: u32 = 100,
        /// Time between two looks at region counts.
        region_count_refresh_interval: Interval = Interval::from_secs(300),
        /// Bytes per second from which a table is split; zero: never for its traffic.
        write_key_threshold: u64 = 0,
        /// Spans being added at a time, per node and table.
        scheduling_task_count_per_node: u32 = 20,
        /// Split only tables with a primary key and no other unique key.
        enable_splittable_check: bool = false,
        /// Split even where the check says no.
        force_split: bool = false,
        /// Observations of an imbalance before something moves.
        balance_score_threshold: u32 = 20,
        /// Lower edge of balanced traffic, relative to the mean of all nodes.
        min_traffic_percentage: f64 = 0.8,
        /// Upper edge of balanced traffic, relative to the mean of all nodes.
        max_traffic_percentage: f64 = 1.25,
    }
}

section! {
    /// Row checksums.
    IntegrityConfig {
        /// `none` or `correctness`.
        integrity_check_level: String = "none".to_owned(),
        /// `warn` or `error`.
        corruption_handle_level: String = "warn".to_owned(),
    }
}

section! {
    /// When the `synced` endpoint says yes.
    SyncedStatusConfig {
        /// Seconds without a written row.
        synced_check_interval: u64 = 300,
        /// Seconds the checkpoint may lag.
        checkpoint_interval: u64 = 15,
    }
}

section! {
    /// Redo log.
    ConsistentConfig {
        /// `none` or `eventual`.
        level: String = "none".to_owned(),
        /// Greatest size of a log file in MiB.
        max_log_size: u64 = 64,
        /// Time between two flushes in milliseconds; at least 50.
        flush_interval: u64 = 2000,
        /// Time between two writes of the meta file in milliseconds; at least 50.
        meta_flush_interval: u64 = 200,
        /// Encoders.
        encoding_worker_num: u32 = 16,
        /// Writers.
        flush_worker_num: u32 = 8,
        /// URI of the storage.
        storage: SecretUri = SecretUri::default(),
        /// Write to a local file first.
        use_file_backend: bool = false,
        /// Empty, `none` or `lz4`.
        compression: String = String::new(),
        /// Uploads of one file at a time.
        flush_concurrency: Option<u32> = None,
        /// Events handed over at a time; zero or absent: chosen for the storage.
        event_collector_batch_count: Option<u32> = None,
        /// Share of the memory quota.
        memory_usage: MemoryUsage = MemoryUsage::default(),
    }
}

section! {
    /// `[consistent.memory-usage]`.
    MemoryUsage {
        /// Percent of the changefeed's memory quota for the redo log, 0 to 100.
        memory_quota_percentage: u32 = 50,
    }
}
