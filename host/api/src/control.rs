//! What the API asks of the server that it belongs to.

use crate::{ApiError, FeedPlugins, Limit, PluginControl, QuarantineControl, SpanControl, Swapped, TapControl};
use jiff::Timestamp;
use std::{collections::BTreeMap, future::Future, sync::Arc};
use tg_config::{ChangefeedConfig, SinkUri, Warning};
use tg_model::{ChangefeedId, TableId, Ts};

/// State of a changefeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedState {
    /// Running.
    Normal,
    /// Running or waiting to run again after an error.
    Warning,
    /// Stopped by an error that trying again will not mend.
    Failed,
    /// Paused by a user.
    Stopped,
    /// Its checkpoint reached the target.
    Finished,
    /// Gone.
    Removed,
}

impl FeedState {
    /// The name users know.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::Removed => "removed",
        }
    }

    /// The number that TiCDC's `ticdc_owner_status` metric has for it.
    #[must_use]
    pub const fn metric(self) -> i64 {
        match self {
            Self::Normal => 0,
            Self::Failed => 2,
            Self::Stopped => 3,
            Self::Finished => 4,
            Self::Removed => 5,
            Self::Warning => 6,
        }
    }
}

/// The error that a changefeed met last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedError {
    /// When.
    pub time: Timestamp,
    /// The node it happened on, `host:port`.
    pub addr: String,
    /// `TG-xxxx`, or a `CDC:Err…` name.
    pub code: String,
    /// What happened, without secrets.
    pub message: String,
}

/// A changefeed as it is now.
#[derive(Clone, Debug)]
pub struct Changefeed {
    /// Its name.
    pub id: ChangefeedId,
    /// Id of the upstream cluster.
    pub upstream_id: u64,
    /// Where it writes.
    pub sink_uri: SinkUri,
    /// How.
    pub config: Arc<ChangefeedConfig>,
    /// When it was created.
    pub create_time: Timestamp,
    /// Where it began.
    pub start_ts: Ts,
    /// Where it ends; `None`: never.
    pub target_ts: Option<Ts>,
    /// State.
    pub state: FeedState,
    /// The last error, while it matters.
    pub error: Option<FeedError>,
    /// Version of the program that created it.
    pub creator_version: String,
    /// Every change up to here has been received; at least `checkpoint_ts`.
    pub resolved_ts: Ts,
    /// Everything up to here is durable downstream.
    pub checkpoint_ts: Ts,
    /// The node that leads it, `host:port`; `None` while it does not run.
    pub maintainer: Option<String>,
}

/// A changefeed to create. The ids, the URI and the configuration have been checked.
#[derive(Clone, Debug)]
pub struct NewChangefeed {
    /// Its name.
    pub id: ChangefeedId,
    /// Where it begins; `None`: now.
    pub start_ts: Option<Ts>,
    /// Where it ends; above `start_ts` when both are given.
    pub target_ts: Option<Ts>,
    /// Where it writes.
    pub sink_uri: SinkUri,
    /// How.
    pub config: ChangefeedConfig,
}

/// What to change in a changefeed; `None`: leave it.
#[derive(Clone, Debug, Default)]
pub struct ChangedChangefeed {
    /// Where it ends; above the start (checked).
    pub target_ts: Option<Ts>,
    /// Where it writes.
    pub sink_uri: Option<SinkUri>,
    /// How; the whole of it, with the secrets the client saw masked put back.
    pub config: Option<ChangefeedConfig>,
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Capture {
    /// Id, unique in the cluster.
    pub id: String,
    /// It is the owner.
    pub is_owner: bool,
    /// `host:port`.
    pub address: String,
    /// The cluster.
    pub cluster_id: String,
    /// What is wanted of it: `up`, `draining` or `maintenance`. TiCDC's answers have no such member, so its name says whose it is.
    #[serde(rename = "tidegate_state")]
    pub state: String,
}

/// A node that was put into maintenance, or taken out of it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Maintenance {
    /// The node: its data directory.
    pub node: String,
    /// `host:port`.
    pub address: String,
    /// For so long what it had waits for it while it is away; `None`: it is in no maintenance.
    pub away_max_ms: Option<u64>,
}

/// The node that answers.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct ServerStatus {
    /// Version; TiCDC's client compares it with its own.
    pub version: String,
    /// Short commit hash.
    pub git_hash: String,
    /// Node id.
    pub id: String,
    /// Cluster.
    pub cluster_id: String,
    /// Process id.
    pub pid: u32,
    /// It is the owner.
    pub is_owner: bool,
    /// 0 alive, 1 draining, 2 stopping.
    pub liveness: u8,
}

/// A table by name.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct TableName {
    /// Schema.
    pub database_name: String,
    /// Table.
    pub table_name: String,
    /// Id.
    pub table_id: TableId,
    /// It has partitions.
    pub is_partition: bool,
}

/// The tables that a filter lets through.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct TableList {
    /// Without a usable key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ineligible_tables: Vec<TableName>,
    /// To be replicated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eligible_tables: Vec<TableName>,
    /// Both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all_tables: Vec<TableName>,
}

/// The tables of a changefeed on one node.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct NodeTables {
    /// The node.
    pub node_id: String,
    /// Physical ids; 0 stands for the DDL stream.
    pub table_ids: Vec<i64>,
}

/// What the `synced` answer is made from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncedInput {
    /// Everything up to here is durable downstream.
    pub checkpoint_ts: Ts,
    /// Everything up to here has been received.
    pub resolved_ts: Ts,
    /// When a row was last written, Unix milliseconds; 0: never.
    pub last_synced_ms: u64,
    /// PD's time, Unix milliseconds.
    pub now_ms: u64,
}

/// What a slot does.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct SlotProgress {
    /// Number within the changefeed.
    pub slot: u16,
    /// The node it runs on.
    pub node: String,
    /// Fencing epoch; never zero.
    pub epoch: u64,
    /// Parallel streams of writes.
    pub lanes: u16,
    /// Tables and spans it holds.
    pub spans: u64,
    /// Everything up to here is durable downstream.
    pub checkpoint_ts: Ts,
    /// Everything up to here has been received.
    pub resolved_ts: Ts,
    /// Rows written since it opened.
    pub rows_total: u64,
    /// Plugin it writes with, `name@version`.
    pub plugin: String,
    /// What it does right now: `writing`, `idle`, `waiting for …`.
    pub doing: String,
}

/// Something that a changefeed waits for.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Waiting {
    /// What: a region, a barrier, the downstream, memory, a retry.
    pub what: String,
    /// For how long, in milliseconds.
    pub since_ms: u64,
    /// What a person can do about it.
    pub next_step: String,
}

/// How a changefeed gets on.
#[derive(Clone, PartialEq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Progress {
    /// Milliseconds from the checkpoint to now.
    pub checkpoint_lag_ms: u64,
    /// Milliseconds from the resolved-ts to now.
    pub resolved_lag_ms: u64,
    /// Rows written since the process started.
    pub rows_total: u64,
    /// Bytes of rows written since the process started.
    pub bytes_total: u64,
    /// Batches written since the process started.
    pub batches_total: u64,
    /// DDL statements run since the process started.
    pub ddls_total: u64,
    /// Sync points marked downstream.
    pub syncpoints_total: u64,
    /// Times it was started again after an error.
    pub retries_total: u64,
    /// Rows per second, over the last seconds.
    pub rows_per_sec: f64,
    /// Bytes per second, over the last seconds.
    pub bytes_per_sec: f64,
    /// Tables (physical).
    pub tables: u64,
    /// Bytes of memory in use.
    pub memory_bytes: u64,
    /// The bound of that.
    pub memory_limit_bytes: u64,
    /// Bytes on disk.
    pub spilled_bytes: u64,
    /// Writers.
    #[serde(default)]
    pub slots: Vec<SlotProgress>,
    /// Its plugins.
    #[serde(default)]
    pub plugins: FeedPlugins,
    /// Rows put aside, over its whole life.
    #[serde(default)]
    pub quarantined: u64,
    /// What it waits for; empty while it moves.
    #[serde(default)]
    pub waiting: Vec<Waiting>,
}

type Answer<T> = Result<T, ApiError>;

/// The server behind the API. Calls that change something return when the change is stored.
///
/// A call on a changefeed that does not exist fails with [`ApiError::NotFound`].
pub trait Control: PluginControl + QuarantineControl + SpanControl + TapControl {
    /// This node.
    fn status(&self) -> ServerStatus;

    /// Whether the cluster works.
    fn health(&self) -> impl Future<Output = Answer<()>> + Send;

    /// A fresh timestamp of the upstream.
    fn tso(&self) -> impl Future<Output = Answer<Ts>> + Send;

    /// The nodes of the cluster.
    fn captures(&self) -> impl Future<Output = Answer<Vec<Capture>>> + Send;

    /// Moves everything off a node; the number of spans it still holds.
    fn drain(&self, capture: &str) -> impl Future<Output = Answer<u64>> + Send;

    /// Puts a node (by address, capture or node id) into maintenance: it keeps what it runs, gets nothing new, and may be away for so
    /// many milliseconds until its work goes elsewhere. `None`: takes it out.
    fn maintain(&self, node: &str, away_max_ms: Option<u64>) -> impl Future<Output = Answer<Maintenance>> + Send;

    /// The limits of the scheduler.
    fn limits(&self) -> impl Future<Output = Answer<Vec<Limit>>> + Send;

    /// Sets limits of the scheduler by name, all of them or none; `None` takes the default back. What they are then.
    fn set_limits(&self, wanted: &BTreeMap<String, Option<u64>>) -> impl Future<Output = Answer<Vec<Limit>>> + Send;

    /// The owner steps down.
    fn resign(&self) -> impl Future<Output = Answer<()>> + Send;

    /// Sets the log level; one of [`tg_config::server::LOG_LEVELS`].
    fn set_log_level(&self, level: &str) -> impl Future<Output = Answer<()>> + Send;

    /// Keys and values of the metadata store, without secrets.
    fn metadata(&self) -> impl Future<Output = Answer<Vec<(String, String)>>> + Send;

    /// Every changefeed of a namespace, in any state and order.
    fn list(&self, namespace: &str) -> impl Future<Output = Answer<Vec<Changefeed>>> + Send;

    /// One changefeed.
    fn get(&self, id: &ChangefeedId) -> impl Future<Output = Answer<Changefeed>> + Send;

    /// Creates a changefeed: checks that its name is free, its start is not lost to GC, its downstream can be
    /// reached and is not its upstream.
    fn create(&self, new: NewChangefeed) -> impl Future<Output = Answer<Changefeed>> + Send;

    /// Changes a changefeed. Refuses with [`ApiError::UpdateRefused`] what cannot be changed in its state.
    /// What became of running plugins comes beside it, if the change is one of them.
    fn update(
        &self,
        id: &ChangefeedId,
        change: ChangedChangefeed,
    ) -> impl Future<Output = Answer<(Changefeed, Option<Swapped>)>> + Send;

    /// Stops a changefeed and keeps its place.
    fn pause(&self, id: &ChangefeedId) -> impl Future<Output = Answer<()>> + Send;

    /// Starts a changefeed that stands still, from its checkpoint or from `overwrite`.
    fn resume(&self, id: &ChangefeedId, overwrite: Option<Ts>) -> impl Future<Output = Answer<()>> + Send;

    /// Removes a changefeed.
    fn remove(&self, id: &ChangefeedId) -> impl Future<Output = Answer<()>> + Send;

    /// The tables of a changefeed by node.
    fn tables(&self, id: &ChangefeedId) -> impl Future<Output = Answer<Vec<NodeTables>>> + Send;

    /// The tables at `start_ts` that `config` lets through. With `verify`, the downstream is tried as well.
    fn verify_tables(
        &self,
        config: &ChangefeedConfig,
        start_ts: Ts,
        verify: Option<&SinkUri>,
    ) -> impl Future<Output = Answer<TableList>> + Send;

    /// What the `synced` answer is made from.
    fn synced(&self, id: &ChangefeedId) -> impl Future<Output = Answer<SyncedInput>> + Send;

    /// How a changefeed gets on.
    fn progress(&self, id: &ChangefeedId) -> impl Future<Output = Answer<Progress>> + Send;

    /// Called with what a request's configuration was warned about, after it was accepted.
    fn warned(&self, id: &ChangefeedId, warnings: &[Warning]) {
        for warning in warnings {
            tracing::warn!(changefeed = %id, "{warning}");
        }
    }
}
