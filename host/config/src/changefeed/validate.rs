//! What a type cannot say: limits, allowed words, combinations, keys without effect.

use super::{ChangefeedConfig, LargeMessageOption, PluginConfig, filter::EVENT_TYPES, validate_grants};
use crate::{ConfigError, Interval, Location, Warning, did_you_mean};
use std::{fmt::Display, ops::RangeInclusive};

/// Says where the key with this path stands.
pub(super) type Locate<'a> = &'a dyn Fn(&str) -> Location;

/// Partition rules of dispatchers.
const PARTITION_RULES: &[&str] = &["default", "table", "ts", "index-value", "rowid", "columns"];
/// Transforms of one changefeed.
const TRANSFORMS_MAX: usize = 16;
const COMPRESSIONS: &[&str] = &["none", "gzip", "snappy", "lz4", "zstd"];

pub(super) struct Checker<'a> {
    locate: Locate<'a>,
}

impl Checker<'_> {
    pub(super) fn bad(&self, key: &str, reason: impl Display) -> ConfigError {
        ConfigError::BadValue { at: (self.locate)(key), key: key.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn conflict(&self, key: &str, reason: impl Display) -> ConfigError {
        ConfigError::Conflict { at: (self.locate)(key), key: key.to_owned(), reason: reason.to_string() }
    }

    fn at_least(&self, key: &str, value: Interval, min: Interval) -> Result<(), ConfigError> {
        if value < min { Err(self.bad(key, format!("{value} is too short; at least {min}"))) } else { Ok(()) }
    }

    fn range<T: PartialOrd + Display + Copy>(
        &self,
        key: &str,
        value: T,
        range: &RangeInclusive<T>,
    ) -> Result<(), ConfigError> {
        if range.contains(&value) {
            return Ok(());
        }
        Err(self.bad(key, format!("{value} is not within {} to {}", range.start(), range.end())))
    }

    pub(super) fn word(&self, key: &str, value: &str, words: &[&str]) -> Result<(), ConfigError> {
        if words.contains(&value) {
            return Ok(());
        }
        let hint = did_you_mean(value, words.iter().copied()).map(|s| format!("; did you mean `{s}`?"));
        let hint = hint.unwrap_or_else(|| format!("; one of {}", words.join(", ")));
        Err(self.bad(key, format!("`{value}` is not known{hint}")))
    }

    fn some_word(&self, key: &str, value: Option<&str>, words: &[&str]) -> Result<(), ConfigError> {
        value.map_or(Ok(()), |v| self.word(key, v, words))
    }
}

impl ChangefeedConfig {
    /// Checks what holds whatever the downstream is.
    pub(super) fn check(&self, locate: Locate<'_>) -> Result<Vec<Warning>, ConfigError> {
        let c = Checker { locate };
        self.check_top(&c)?;
        self.check_filter(&c)?;
        self.check_sink(&c)?;
        self.check_csv(&c)?;
        self.check_queues(&c)?;
        self.check_rest(&c)?;
        self.check_tidegate(&c)?;
        Ok(self.without_effect())
    }

    fn check_top(&self, c: &Checker<'_>) -> Result<(), ConfigError> {
        c.at_least("sync-point-interval", self.sync_point_interval, Interval::from_secs(30))?;
        c.at_least("sync-point-retention", self.sync_point_retention, Interval::from_secs(3600))?;
        c.at_least("changefeed-error-stuck-duration", self.changefeed_error_stuck_duration, Interval::from_secs(1800))?;
        let key = "active-active-progress-interval";
        c.at_least(key, self.active_active_progress_interval, Interval::from_millis(1))?;
        c.range("event-collector-batch-count", self.event_collector_batch_count.unwrap_or(0), &(0..=8192))?;
        if self.memory_quota.get() == 0 {
            return Err(c.bad("memory-quota", "a changefeed needs some memory; at least 1 byte, usually 1 GiB"));
        }
        if self.enable_active_active && self.consistent.level != "none" {
            return Err(c.conflict("enable-active-active", "does not go together with a redo log (`consistent.level`)"));
        }
        Ok(())
    }

    fn check_filter(&self, c: &Checker<'_>) -> Result<(), ConfigError> {
        for (i, rule) in self.filter.rules.iter().enumerate() {
            if rule.trim().is_empty() {
                return Err(c.bad("filter.rules", format!("rule {} is empty", i + 1)));
            }
        }
        for (i, filter) in self.filter.event_filters.iter().enumerate() {
            let key = |name: &str| format!("filter.event-filters[{i}].{name}");
            if filter.matcher.is_empty() {
                return Err(c.bad(&key("matcher"), "is missing: say which tables the filter is for"));
            }
            for event in &filter.ignore_event {
                c.word(&key("ignore-event"), event, EVENT_TYPES)?;
            }
        }
        Ok(())
    }

    fn check_sink(&self, c: &Checker<'_>) -> Result<(), ConfigError> {
        let sink = &self.sink;
        c.some_word("sink.protocol", sink.protocol.as_deref(), crate::uri::PROTOCOLS)?;
        c.some_word("sink.transaction-atomicity", sink.transaction_atomicity.as_deref(), &["", "none", "table"])?;
        c.word("sink.date-separator", &sink.date_separator, &["none", "year", "month", "day"])?;
        c.range("sink.encoder-concurrency", sink.encoder_concurrency, &(1..=1024))?;
        for (i, rule) in sink.dispatchers.iter().enumerate() {
            let key = |name: &str| format!("sink.dispatchers[{i}].{name}");
            if rule.matcher.is_empty() {
                return Err(c.bad(&key("matcher"), "is missing: say which tables the rule is for"));
            }
            if rule.partition.is_some() && rule.dispatcher.is_some() {
                return Err(c.conflict(&key("dispatcher"), "is the old name of `partition`; give one of the two"));
            }
            // TiCDC takes other words too (Pulsar: a constant key), so only a near miss is refused.
            let near = rule.partition_rule().filter(|r| !PARTITION_RULES.contains(r));
            if let Some((word, meant)) = near.and_then(|r| Some((r, did_you_mean(r, PARTITION_RULES.iter().copied())?)))
            {
                return Err(c.bad(&key("partition"), format!("`{word}` is not known; did you mean `{meant}`?")));
            }
            if rule.index.is_some() && !matches!(rule.partition_rule(), Some("index-value" | "rowid")) {
                return Err(c.conflict(&key("index"), "needs `partition = \"index-value\"`"));
            }
            if (rule.partition_rule() == Some("columns")) == rule.columns.is_empty() {
                return Err(c.conflict(&key("columns"), "and `partition = \"columns\"` need each other"));
            }
        }
        for (i, selector) in sink.column_selectors.iter().enumerate() {
            if selector.matcher.is_empty() || selector.columns.is_empty() {
                let key = format!("sink.column-selectors[{i}]");
                return Err(c.bad(&key, "needs both `matcher` and `columns`"));
            }
        }
        let checksums = self.integrity.integrity_check_level == "correctness";
        if checksums && !sink.column_selectors.is_empty() {
            let reason = "does not go together with `sink.column-selectors`: a checksum is about all columns";
            return Err(c.conflict("integrity.integrity-check-level", reason));
        }
        Ok(())
    }

    fn check_csv(&self, c: &Checker<'_>) -> Result<(), ConfigError> {
        let csv = &self.sink.csv;
        c.word("sink.csv.binary-encoding-method", &csv.binary_encoding_method, &["base64", "hex"])?;
        c.range("sink.csv.quote", csv.quote.chars().count(), &(0..=1))
            .map_err(|_| c.bad("sink.csv.quote", "is one character or none"))?;
        let length = csv.delimiter.chars().count();
        if !(1..=3).contains(&length) || csv.delimiter.contains(['\r', '\n']) {
            return Err(c.bad("sink.csv.delimiter", "is 1 to 3 characters, none of them a line break"));
        }
        if !csv.quote.is_empty() && csv.delimiter.contains(csv.quote.as_str()) {
            return Err(c.conflict("sink.csv.delimiter", "must not contain the quote"));
        }
        if matches!(csv.quote.as_str(), "\r" | "\n") {
            return Err(c.bad("sink.csv.quote", "must not be a line break"));
        }
        Ok(())
    }

    fn check_queues(&self, c: &Checker<'_>) -> Result<(), ConfigError> {
        let Some(kafka) = &self.sink.kafka_config else {
            return Ok(());
        };
        let key = |name: &str| format!("sink.kafka-config.{name}");
        c.some_word(&key("compression"), kafka.compression.as_deref(), COMPRESSIONS)?;
        c.some_word(&key("event-id"), kafka.event_id.as_deref(), crate::kafka_options::EVENT_IDS)?;
        c.range(&key("required-acks"), kafka.required_acks.unwrap_or(-1), &(-1..=1))?;
        c.range(&key("partition-num"), kafka.partition_num.unwrap_or(1), &(1..=i32::MAX))?;
        if let Some(large) = &kafka.large_message_handle {
            let name = "large-message-handle.large-message-handle-compression";
            c.word(&key(name), &large.large_message_handle_compression, &["", "none", "snappy", "lz4"])?;
            let claim_check = large.large_message_handle_option == LargeMessageOption::ClaimCheck;
            if claim_check && large.claim_check_storage_uri.is_empty() {
                let reason = "is missing: `claim-check` needs a storage";
                return Err(c.conflict(&key("large-message-handle.claim-check-storage-uri"), reason));
            }
        }
        if let Some(glue) = &kafka.glue_schema_registry_config {
            if self.sink.schema_registry.is_some() {
                let reason = "does not go together with `sink.schema-registry`";
                return Err(c.conflict(&key("glue-schema-registry-config"), reason));
            }
            if glue.registry_name.is_empty() || glue.region.is_empty() {
                let reason = "needs `registry-name` and `region`";
                return Err(c.conflict(&key("glue-schema-registry-config"), reason));
            }
        }
        Ok(())
    }

    fn check_rest(&self, c: &Checker<'_>) -> Result<(), ConfigError> {
        let (integrity, redo, scheduler) = (&self.integrity, &self.consistent, &self.scheduler);
        c.word("integrity.integrity-check-level", &integrity.integrity_check_level, &["none", "correctness"])?;
        c.word("integrity.corruption-handle-level", &integrity.corruption_handle_level, &["warn", "error"])?;
        c.word("consistent.level", &redo.level, &["none", "eventual"])?;
        c.word("consistent.compression", &redo.compression, &["", "none", "lz4"])?;
        c.range("consistent.flush-interval", redo.flush_interval, &(50..=3_600_000))?;
        c.range("consistent.meta-flush-interval", redo.meta_flush_interval, &(50..=3_600_000))?;
        let percent = redo.memory_usage.memory_quota_percentage;
        c.range("consistent.memory-usage.memory-quota-percentage", percent, &(0..=100))?;
        if redo.level == "eventual" && redo.storage.is_empty() {
            return Err(c.conflict("consistent.level", "`eventual` needs `consistent.storage`"));
        }
        c.range("scheduler.min-traffic-percentage", scheduler.min_traffic_percentage, &(0.0..=1.0))?;
        c.range("scheduler.max-traffic-percentage", scheduler.max_traffic_percentage, &(1.0..=1000.0))?;
        Ok(())
    }

    fn check_tidegate(&self, c: &Checker<'_>) -> Result<(), ConfigError> {
        let own = &self.tidegate;
        c.range("tidegate.slots", own.slots.unwrap_or(1), &(1..=256))?;
        c.range("tidegate.lanes", own.lanes.unwrap_or(1), &(1..=64))?;
        let plugins = [("tidegate.sink", &own.sink), ("tidegate.dispatcher", &own.dispatcher)];
        for (key, plugin) in plugins.into_iter().filter_map(|(k, p)| Some((k, p.as_ref()?))) {
            check_plugin(c, key, plugin)?;
        }
        c.range("tidegate.transforms", own.transforms.len(), &(0..=TRANSFORMS_MAX))?;
        for (i, plugin) in own.transforms.iter().enumerate() {
            check_plugin(c, &format!("tidegate.transforms[{i}]"), plugin)?;
        }
        validate_grants::check(c, own)
    }

    /// Keys that were set and do nothing.
    fn without_effect(&self) -> Vec<Warning> {
        let sink = &self.sink;
        let set = [
            ("mounter.worker-num", self.mounter.worker_num != 16),
            ("enable-table-monitor", self.enable_table_monitor),
            ("check-gc-safe-point", !self.check_gc_safe_point),
            ("sql-mode", self.sql_mode.is_some()),
            ("sink.advance-timeout-in-sec", sink.advance_timeout_in_sec != 150),
            ("sink.enable-kafka-sink-v2", sink.enable_kafka_sink_v2.is_some()),
            ("sink.csv.output-handle-key", sink.csv.output_handle_key),
            ("sink.send-all-bootstrap-at-start", sink.send_all_bootstrap_at_start),
            ("sink.case-sensitive", sink.case_sensitive.is_some()),
            ("sink.force-replicate", sink.force_replicate.is_some()),
            ("sink.output-row-key", sink.output_row_key.is_some()),
            ("sink.integrity", sink.integrity.is_some()),
        ];
        let warning = |key: &str, message: &str| Warning { key: key.to_owned(), message: message.to_owned() };
        let idle = set.into_iter().filter(|(_, set)| *set).map(|(key, _)| warning(key, "is accepted without effect"));
        let missing = self.not_implemented().into_iter().filter(|(_, set)| *set);
        let missing = missing.map(|(key, _)| warning(key, "is not implemented yet and has no effect"));
        idle.chain(missing).collect()
    }

    /// Keys that were set, and whose effect this version does not have.
    fn not_implemented(&self) -> [(&'static str, bool); 10] {
        let (default, own) = (Self::default(), &self.tidegate);
        let stuck = self.changefeed_error_stuck_duration != default.changefeed_error_stuck_duration;
        let batches = self.event_collector_batch_count.unwrap_or(0) != 0;
        let routed = |r: &super::DispatchRule| r.target_schema.is_some() || r.target_table.is_some();
        [
            ("enable-active-active", self.enable_active_active),
            ("consistent.level", self.consistent.level != default.consistent.level),
            ("performance-mode", self.performance_mode != default.performance_mode),
            ("memory-quota", self.memory_quota != default.memory_quota),
            ("changefeed-error-stuck-duration", stuck),
            ("event-collector-batch-count", batches),
            ("event-collector-batch-bytes", self.event_collector_batch_bytes.unwrap_or(0) != 0),
            ("sink.dispatchers.target-schema", self.sink.dispatchers.iter().any(routed)),
            ("scheduler.enable-table-across-nodes", self.scheduler.enable_table_across_nodes),
            ("tidegate.memory-quota", own.memory_quota.is_some()),
        ]
    }
}

fn check_plugin(c: &Checker<'_>, key: &str, plugin: &PluginConfig) -> Result<(), ConfigError> {
    let is_digest =
        |d: &str| d.strip_prefix("sha256:").is_some_and(|d| d.len() == 64 && d.bytes().all(|b| b.is_ascii_hexdigit()));
    let (name, version) = plugin.plugin.split_once('@').unwrap_or((&plugin.plugin, "0"));
    let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b));
    if !is_digest(&plugin.plugin) && (!plain(name) || !plain(version)) {
        let reason = format!("`{}` is no plugin; write `name`, `name@version` or `sha256:…`", plugin.plugin);
        return Err(c.bad(&format!("{key}.plugin"), reason));
    }
    match &plugin.digest {
        Some(d) if !is_digest(d) => Err(c.bad(&format!("{key}.digest"), "is `sha256:` and 64 hex digits")),
        _ => Ok(()),
    }
}
