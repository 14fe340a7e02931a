//! Top-level keys.

use super::{
    ConsistentConfig, FilterConfig, IntegrityConfig, MounterConfig, SchedulerConfig, SinkConfig, SyncedStatusConfig,
    TidegateConfig,
};
use crate::{ByteSize, ConfigError, Interval, Warning, decode};

/// What to optimise for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PerformanceMode {
    /// Rows per second.
    #[default]
    Throughput,
    /// Short lag: progress is reported more often.
    LowLatency,
}

section! {
    /// Everything that can be configured for a changefeed, with TiCDC's defaults.
    ChangefeedConfig {
        /// What to optimise for.
        performance_mode: PerformanceMode = PerformanceMode::Throughput,
        /// Bytes of events in memory per changefeed and node.
        memory_quota: ByteSize = ByteSize::new(1 << 30),
        /// Whether filter rules tell upper from lower case.
        case_sensitive: bool = false,
        /// Replicate tables without a key; duplicates are possible.
        force_replicate: bool = false,
        /// Accepted; the check always happens.
        check_gc_safe_point: bool = true,
        /// Accept tables without a key when the changefeed is created, and leave them out.
        ignore_ineligible_table: Option<bool> = None,
        /// Mark sync points, in a TiDB downstream.
        enable_sync_point: bool = false,
        /// Time between two sync points; at least 30 s.
        sync_point_interval: Interval = Interval::from_secs(600),
        /// How long rows about sync points are kept; at least 1 h.
        sync_point_retention: Interval = Interval::from_secs(24 * 3600),
        /// Do not replicate what a CDC wrote to the upstream.
        bdr_mode: bool = false,
        /// Last writer wins between several active clusters.
        enable_active_active: bool = false,
        /// Time between two writes of the active-active progress table; above zero.
        active_active_progress_interval: Interval = Interval::from_secs(1800),
        /// Time between two readings of conflict counters; zero: never.
        active_active_sync_stats_interval: Interval = Interval::from_secs(60),
        /// How long a changefeed may stand still under errors before it fails; at least 30 min.
        changefeed_error_stuck_duration: Interval = Interval::from_secs(1800),
        /// Accepted without effect.
        enable_table_monitor: bool = false,
        /// Events handed over at a time, at most 8192; zero or absent: chosen by the sink.
        event_collector_batch_count: Option<u32> = None,
        /// Bytes handed over at a time; zero or absent: chosen by the sink.
        event_collector_batch_bytes: Option<u64> = None,
        /// Accepted without effect.
        sql_mode: Option<String> = None,
        /// Which tables, events and rows.
        filter: FilterConfig = FilterConfig::default(),
        /// Decoding of rows.
        mounter: MounterConfig = MounterConfig::default(),
        /// The downstream.
        sink: SinkConfig = SinkConfig::default(),
        /// Redo log.
        consistent: ConsistentConfig = ConsistentConfig::default(),
        /// Distribution over nodes.
        scheduler: SchedulerConfig = SchedulerConfig::default(),
        /// Row checksums.
        integrity: IntegrityConfig = IntegrityConfig::default(),
        /// When the `synced` endpoint says yes.
        synced_status: SyncedStatusConfig = SyncedStatusConfig::default(),
        /// Tidegate's own options.
        tidegate: TidegateConfig = TidegateConfig::default(),
    }
}

impl ChangefeedConfig {
    /// Reads a changefeed file's text; `source` names it in errors.
    ///
    /// # Errors
    /// When the text is no TOML, a key is unknown, a value or a combination of values is not allowed;
    /// each with line, column and key.
    pub fn from_toml(source: &str, text: &str) -> Result<(Self, Vec<Warning>), ConfigError> {
        let config: Self = decode::from_toml(source, text)?;
        let warnings = config.check(&|path| decode::locate(source, text, path))?;
        Ok((config, warnings))
    }

    /// Reads a changefeed file.
    ///
    /// # Errors
    /// As [`Self::from_toml`], and when the file cannot be read.
    pub fn load(path: &std::path::Path) -> Result<(Self, Vec<Warning>), ConfigError> {
        let source = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|e| ConfigError::Unreadable { path: source.clone(), reason: e.to_string() })?;
        Self::from_toml(&source, &text)
    }

    /// The configuration as a changefeed file, secrets masked.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // Every type here is a plain table, list, number or text, which TOML can always hold.
        toml::to_string(self).unwrap_or_default()
    }
}
