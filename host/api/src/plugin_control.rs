//! What the API asks of the server about plugins.

use crate::ApiError;
use std::future::Future;
use tg_model::ChangefeedId;

type Answer<T> = Result<T, ApiError>;

/// A version of a plugin.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PluginVersion {
    /// Its name among the versions.
    pub version: String,
    /// `sha256:…`.
    pub digest: String,
    /// `sink`, `dispatcher` or `transform`.
    pub kind: String,
    /// Bytes of the component.
    pub size_bytes: u64,
    /// When it came, Unix milliseconds.
    pub pushed_ms: u64,
    /// The node that took it.
    pub origin: String,
    /// `push`, `folder` or `built-in`.
    pub source: String,
    /// The key that signed it, where signatures are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The bare name means this one.
    pub active: bool,
}

/// A change of the active version.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PluginActivation {
    /// What became active.
    pub version: String,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// `push`, `folder`, `activate`, `rollback` or `failure`.
    pub by: String,
}

/// A changefeed that uses a plugin.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PluginUser {
    /// Changefeed.
    pub changefeed: String,
    /// Its namespace.
    pub namespace: String,
    /// `sink`, `dispatcher` or `transforms[i]`.
    pub role: String,
    /// The version it runs.
    pub version: String,
    /// A new active version takes over.
    pub follows: bool,
}

/// What a plugin did on this node since it was compiled, over all its instances.
#[derive(Clone, PartialEq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct PluginUsage {
    /// Calls into guests.
    pub calls: u64,
    /// Rows handed over.
    pub rows: u64,
    /// Bytes of rows that crossed.
    pub bytes: u64,
    /// Time within guests, nanoseconds.
    pub guest_ns: u64,
    /// Instances that died.
    pub traps: u64,
    /// Greatest linear memory of one instance.
    pub memory_peak_bytes: u64,
    /// Log lines that the rate limit swallowed.
    pub logs_dropped: u64,
    /// Calls by duration: (upper bound in microseconds, calls up to it), rising; empty: not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub call_us: Vec<(u64, u64)>,
    /// The plugin's own counters.
    #[serde(default)]
    pub counters: Vec<(String, u64)>,
    /// The plugin's own gauges.
    #[serde(default)]
    pub gauges: Vec<(String, f64)>,
}

/// A plugin of the cluster.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Plugin {
    /// Name.
    pub name: String,
    /// In the order they came.
    pub versions: Vec<PluginVersion>,
    /// Changes of the active version, the last one last.
    pub history: Vec<PluginActivation>,
    /// Who uses it.
    pub users: Vec<PluginUser>,
    /// What is wrong with its file in the plugin folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A capability that a plugin asks for.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PluginCapability {
    /// Name of the interface.
    pub name: String,
    /// Without it the plugin does not start.
    pub required: bool,
    /// What for.
    pub reason: String,
}

/// One version, looked at.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PluginDetail {
    /// The plugin.
    pub plugin: Plugin,
    /// The version that was asked for.
    pub version: PluginVersion,
    /// What the component says its name is.
    pub manifest_name: String,
    /// What the component says its version is.
    pub manifest_version: String,
    /// What it asks for.
    pub capabilities: Vec<PluginCapability>,
    /// JSON Schema of its configuration; `null`: it takes none.
    pub config_schema: serde_json::Value,
    /// What it did on this node.
    pub usage: PluginUsage,
}

/// How a new version takes over from the one that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TakeOver {
    /// It does not.
    No,
    /// At once.
    Swap,
    /// After it has done this share of the rows beside the old one and come to the same.
    Canary {
        /// Percent of the batches, 1 to 100.
        percent: u8,
    },
}

/// A component to take in.
#[derive(Clone, Debug)]
pub struct NewPlugin {
    /// The component.
    pub bytes: Vec<u8>,
    /// `None`: what it says of itself.
    pub name: Option<String>,
    /// `None`: what it says of itself.
    pub version: Option<String>,
    /// Its signature.
    pub signature: Option<String>,
    /// Whether changefeeds that follow the name are to run it.
    pub take_over: TakeOver,
}

/// A plugin of a changefeed that was to be swapped.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Swapped {
    /// Changefeed.
    pub changefeed: String,
    /// Its namespace.
    pub namespace: String,
    /// What ran before, as `role name@version`.
    pub from: Vec<String>,
    /// What was to run.
    pub to: Vec<String>,
    /// `swapped`, `restarted`, `stored` (it stood still), `rolled-back`, `refused`, or `elsewhere`: another node swaps it.
    pub outcome: String,
    /// Where the new plugins took over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// How long rows waited, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall_us: Option<u64>,
    /// Code of the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What happened, when it is not what was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What became of a push, an activation or a rollback.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PluginChange {
    /// Name.
    pub name: String,
    /// The version it is about.
    pub version: String,
    /// Its bytes.
    pub digest: String,
    /// What it is.
    pub kind: String,
    /// The version was not there before.
    pub new: bool,
    /// The version that was active before; `None`: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The bare name means it now.
    pub active: bool,
    /// Changefeeds that follow the name.
    pub changefeeds: Vec<Swapped>,
}

/// A line that an instance logged, or that the node says of a plugin.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct PluginLine {
    /// Counts up by one per line of the plugin.
    pub seq: u64,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// Changefeed, with its namespace.
    pub changefeed: String,
    /// Slot.
    pub slot: u64,
    /// Lane.
    pub lane: u64,
    /// The line.
    pub text: String,
}

/// A plugin that a changefeed runs.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct FeedPlugin {
    /// `sink`, `dispatcher` or `transforms[i]`.
    pub role: String,
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// `sha256:…`.
    pub digest: String,
    /// A new active version takes over.
    pub follows: bool,
}

/// The plugins of a changefeed.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct FeedPlugins {
    /// In the order rows pass them.
    pub plugins: Vec<FeedPlugin>,
    /// What is happening to them now: empty, or `swapping …`, `canary …`.
    pub doing: String,
    /// The last swap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Swapped>,
}

/// The server's plugins behind the API.
pub trait PluginControl: Send + Sync + 'static {
    /// Largest component that is read, in bytes.
    fn plugin_size_max(&self) -> usize;

    /// All plugins, built-ins first.
    fn plugins(&self) -> impl Future<Output = Answer<Vec<Plugin>>> + Send;

    /// One plugin and one of its versions: `name`, `name@version` or a digest.
    fn inspect(&self, plugin: &str) -> impl Future<Output = Answer<PluginDetail>> + Send;

    /// Takes a component in.
    fn push(&self, new: NewPlugin) -> impl Future<Output = Answer<PluginChange>> + Send;

    /// Makes a version the one the bare name means; changefeeds that follow the name run it.
    fn activate(
        &self,
        name: &str,
        version: &str,
        take_over: TakeOver,
    ) -> impl Future<Output = Answer<PluginChange>> + Send;

    /// Goes back to the version that was active before.
    fn roll_back(&self, name: &str) -> impl Future<Output = Answer<PluginChange>> + Send;

    /// Removes `name@version`, or all versions of `name`; which they were.
    fn remove_plugin(&self, plugin: &str) -> impl Future<Output = Answer<Vec<String>>> + Send;

    /// Lines after `after`, at most `limit`; waits up to `wait_ms` for the first one.
    fn plugin_lines(
        &self,
        name: &str,
        after: u64,
        limit: usize,
        wait_ms: u64,
    ) -> impl Future<Output = Answer<Vec<PluginLine>>> + Send;

    /// The bytes of a component that this node has.
    fn blob(&self, digest: &str) -> impl Future<Output = Answer<Option<Vec<u8>>>> + Send;

    /// What every compiled plugin did: name, version, usage.
    fn plugin_usage(&self) -> impl Future<Output = Answer<Vec<(String, String, PluginUsage)>>> + Send;

    /// The plugins of a changefeed.
    fn feed_plugins(&self, id: &ChangefeedId) -> impl Future<Output = Answer<FeedPlugins>> + Send;
}
