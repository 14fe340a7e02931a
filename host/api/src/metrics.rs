//! `/metrics`: our names, and TiCDC's where they mean the same.

use crate::{
    Changefeed, Control, FeedState, Progress,
    plugin_metrics::PluginFamilies,
    router::{Handled, Shared},
};
use axum::{extract::State, http::header, response::IntoResponse};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};
use std::sync::atomic::AtomicU64;
use tg_model::ChangefeedId;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Feed {
    namespace: String,
    changefeed: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct StateLabel {
    state: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Slot {
    namespace: String,
    changefeed: String,
    slot: u16,
    node: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct LastError {
    namespace: String,
    changefeed: String,
    state: String,
    code: String,
}

type Whole = Family<Feed, Gauge>;
type Real = Family<Feed, Gauge<f64, AtomicU64>>;
type Total = Family<Feed, Counter>;

/// Everything of one scrape. A fresh registry each time: what is gone leaves no stale series.
#[derive(Default)]
struct Families {
    checkpoint_ts_ms: Whole,
    checkpoint_lag: Real,
    resolved_ts_ms: Whole,
    resolved_lag: Real,
    state: Whole,
    states: Family<StateLabel, Gauge>,
    errors: Family<LastError, Gauge>,
    tables: Whole,
    rows: Whole,
    rows_total: Total,
    bytes_total: Total,
    batches_total: Total,
    ddls_total: Total,
    syncpoints_total: Total,
    retries_total: Total,
    rows_rate: Real,
    bytes_rate: Real,
    memory: Whole,
    memory_limit: Whole,
    spilled: Whole,
    slot_lag: Family<Slot, Gauge<f64, AtomicU64>>,
    slot_rows: Family<Slot, Counter>,
    quarantined: Total,
}

fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn secs(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

fn feed_label(id: &ChangefeedId) -> Feed {
    Feed { namespace: id.namespace.clone(), changefeed: id.name.clone() }
}

impl Families {
    fn add(&self, feed: &Changefeed, progress: &Progress) {
        let label = feed_label(&feed.id);
        let set = |family: &Whole, value: u64| {
            family.get_or_create(&label).set(whole(value));
        };
        let set_real = |family: &Real, value: f64| {
            family.get_or_create(&label).set(value);
        };
        let count = |family: &Total, value: u64| {
            family.get_or_create(&label).inc_by(value);
        };
        set(&self.checkpoint_ts_ms, feed.checkpoint_ts.physical_ms());
        set(&self.resolved_ts_ms, feed.resolved_ts.physical_ms());
        set_real(&self.checkpoint_lag, secs(progress.checkpoint_lag_ms));
        set_real(&self.resolved_lag, secs(progress.resolved_lag_ms));
        self.state.get_or_create(&label).set(feed.state.metric());
        set(&self.tables, progress.tables);
        set(&self.rows, progress.rows_total);
        count(&self.rows_total, progress.rows_total);
        count(&self.bytes_total, progress.bytes_total);
        count(&self.batches_total, progress.batches_total);
        count(&self.ddls_total, progress.ddls_total);
        count(&self.syncpoints_total, progress.syncpoints_total);
        count(&self.retries_total, progress.retries_total);
        set_real(&self.rows_rate, progress.rows_per_sec);
        set_real(&self.bytes_rate, progress.bytes_per_sec);
        set(&self.memory, progress.memory_bytes);
        set(&self.memory_limit, progress.memory_limit_bytes);
        set(&self.spilled, progress.spilled_bytes);
        count(&self.quarantined, progress.quarantined);
        self.add_slots(feed, progress);
        if let Some(error) = &feed.error {
            let label = LastError {
                namespace: label.namespace.clone(),
                changefeed: label.changefeed.clone(),
                state: feed.state.name().to_owned(),
                code: error.code.clone(),
            };
            self.errors.get_or_create(&label).set(1);
        }
        self.states.get_or_create(&StateLabel { state: feed.state.name().to_owned() }).inc();
    }

    fn add_slots(&self, feed: &Changefeed, progress: &Progress) {
        for slot in &progress.slots {
            let label = Slot {
                namespace: feed.id.namespace.clone(),
                changefeed: feed.id.name.clone(),
                slot: slot.slot,
                node: slot.node.clone(),
            };
            // The feed's lag is against now, the slot's lag differs from it by how far it is ahead.
            let ahead = slot.checkpoint_ts.ms_since(feed.checkpoint_ts);
            self.slot_lag.get_or_create(&label).set(secs(progress.checkpoint_lag_ms.saturating_sub(ahead)));
            self.slot_rows.get_or_create(&label).inc_by(slot.rows_total);
        }
    }

    /// Counters whose name already ends in `_total` get that ending from the encoder.
    fn register(&self, to: &mut Registry) {
        let lag = "Seconds from the checkpoint to now";
        to.register("ticdc_owner_checkpoint_ts", "Checkpoint in Unix milliseconds", self.checkpoint_ts_ms.clone());
        to.register("ticdc_owner_checkpoint_ts_lag", lag, self.checkpoint_lag.clone());
        to.register("ticdc_owner_resolved_ts", "Resolved-ts in Unix milliseconds", self.resolved_ts_ms.clone());
        to.register("ticdc_owner_resolved_ts_lag", "Seconds from the resolved-ts to now", self.resolved_lag.clone());
        to.register("ticdc_owner_status", "0 normal, 2 failed, 3 stopped, 4 finished, 6 warning", self.state.clone());
        to.register("ticdc_owner_changefeed_error_info", "1 for the last error", self.errors.clone());
        to.register("ticdc_coordinator_changefeed_state", "Changefeeds by state", self.states.clone());
        to.register("ticdc_scheduler_table_count", "Tables", self.tables.clone());
        to.register("ticdc_sink_dml_event_count", "Rows written", self.rows.clone());
        to.register("ticdc_sink_write_bytes", "Bytes of rows written", self.bytes_total.clone());
        to.register("tidegate_checkpoint_lag_seconds", lag, self.checkpoint_lag.clone());
        let resolved = "Seconds from the resolved-ts to now";
        to.register("tidegate_resolved_lag_seconds", resolved, self.resolved_lag.clone());
        to.register("tidegate_rows", "Rows written", self.rows_total.clone());
        to.register("tidegate_bytes", "Bytes of rows written", self.bytes_total.clone());
        to.register("tidegate_batches", "Batches written", self.batches_total.clone());
        to.register("tidegate_ddls", "DDL statements run", self.ddls_total.clone());
        to.register("tidegate_syncpoints", "Sync points marked", self.syncpoints_total.clone());
        to.register("tidegate_retries", "Starts after an error", self.retries_total.clone());
        to.register("tidegate_rows_per_second", "Rows written per second", self.rows_rate.clone());
        to.register("tidegate_bytes_per_second", "Bytes written per second", self.bytes_rate.clone());
        to.register("tidegate_memory_bytes", "Memory in use", self.memory.clone());
        to.register("tidegate_memory_limit_bytes", "Bound of the memory in use", self.memory_limit.clone());
        to.register("tidegate_spilled_bytes", "Sorted data on disk", self.spilled.clone());
        to.register("tidegate_slot_checkpoint_lag_seconds", lag, self.slot_lag.clone());
        to.register("tidegate_quarantined_rows", "Rows put aside", self.quarantined.clone());
        to.register("tidegate_slot_rows", "Rows written", self.slot_rows.clone());
    }
}

pub(crate) async fn scrape<C: Control>(State(api): State<Shared<C>>) -> Handled {
    let families = Families::default();
    for feed in api.control.list(ChangefeedId::DEFAULT_NAMESPACE).await? {
        if feed.state == FeedState::Removed {
            continue;
        }
        // One that was removed meanwhile has no progress; its last state is shown once more.
        let progress = api.control.progress(&feed.id).await.unwrap_or_default();
        families.add(&feed, &progress);
    }
    let status = api.control.status();
    let mut registry = Registry::default();
    families.register(&mut registry);
    let plugins = PluginFamilies::default();
    for (name, version, usage) in api.control.plugin_usage().await? {
        plugins.add(&name, &version, &usage);
    }
    plugins.register(&mut registry);
    let build = Info::new(vec![("release_version", status.version), ("git_hash", status.git_hash)]);
    registry.register("tidegate_build", "What is running", build);
    let owner: Gauge = Gauge::default();
    owner.set(i64::from(status.is_owner));
    registry.register("tidegate_is_owner", "1 on the owner", owner);
    let mut out = String::new();
    // Writing to a String cannot fail; an encoder's own error leaves a shorter answer.
    let _ = text::encode_registry(&mut out, &registry);
    if let Some(more) = &api.options.registry {
        let _ = text::encode_registry(&mut out, more);
    }
    let _ = text::encode_eof(&mut out);
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], out).into_response())
}
