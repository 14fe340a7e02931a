//! The changefeed with the plugin in it.

use super::DevError;
use super::stage::Surroundings;
use std::sync::Arc;
use tg_api::{
    Control, FeedState, NewChangefeed, NewPlugin, PluginChange, PluginControl, PluginLine, Progress, TakeOver,
};
use tg_config::{ChangefeedConfig, SinkUri};
use tg_kit::Settings;
use tg_model::{ChangefeedId, Ts};
use tg_server::Node;

/// Lines of the plugin that are taken at a time.
const LINES_MAX: usize = 100;
/// The plugin that shows rows, behind a dispatcher or a transform.
const PRINT: &str = "print";

/// See the module.
pub(super) struct Feed {
    node: Arc<Node>,
    id: ChangefeedId,
    /// Plugins whose lines are shown, with the last line.
    shown: Vec<(String, u64)>,
    /// How often a component was brought.
    pushes: u32,
    /// The last error that was shown.
    told: Option<(String, String)>,
}

/// How it goes.
pub(super) struct Status {
    state: FeedState,
    progress: Progress,
    /// An error that was not there at the last look.
    pub(super) new_error: Option<(String, String)>,
}

impl Status {
    /// In one line.
    pub(super) fn line(&self) -> String {
        let p = &self.progress;
        let put_aside = if p.quarantined > 0 { format!(", {} put aside", p.quarantined) } else { String::new() };
        format!(
            "{}: {} rows, {:.0}/s, {} DDLs, lag {} ms{put_aside}",
            self.state.name(),
            p.rows_total,
            p.rows_per_sec,
            p.ddls_total,
            p.checkpoint_lag_ms
        )
    }
}

impl Feed {
    pub(super) fn new(node: Arc<Node>) -> Self {
        let id = ChangefeedId { namespace: ChangefeedId::DEFAULT_NAMESPACE.to_owned(), name: "dev".to_owned() };
        Self { node, id, shown: Vec::new(), pushes: 0, told: None }
    }

    /// Brings a component; a changefeed that runs swaps to it.
    pub(super) async fn push(&mut self, bytes: Vec<u8>) -> Result<PluginChange, DevError> {
        self.pushes += 1;
        let new = NewPlugin {
            bytes,
            name: None,
            version: Some(format!("dev-{}", self.pushes)),
            signature: None,
            take_over: TakeOver::Swap,
        };
        let change = self.node.control().push(new).await?;
        if !self.shown.iter().any(|(name, _)| *name == change.name) {
            self.shown.push((change.name.clone(), 0));
        }
        Ok(change)
    }

    /// What a plugin asks for, and whether it needs it.
    pub(super) async fn capabilities(&self, plugin: &PluginChange) -> Result<Vec<(String, bool)>, DevError> {
        let seen = self.node.control().inspect(&plugin.name).await?;
        Ok(seen.capabilities.into_iter().map(|c| (c.name, c.required)).collect())
    }

    /// Creates the changefeed.
    pub(super) async fn create(
        &mut self,
        plugin: &PluginChange,
        settings: &Settings,
        around: &Surroundings,
        start: u64,
    ) -> Result<(), DevError> {
        let (sink, table) = match plugin.kind.as_str() {
            "dispatcher" => (PRINT, "[tidegate.dispatcher]"),
            "transform" => (PRINT, "[[tidegate.transforms]]"),
            _ => (plugin.name.as_str(), "[tidegate.sink]"),
        };
        if sink == PRINT {
            self.shown.push((PRINT.to_owned(), 0));
        }
        let mut config: serde_json::Map<_, _> = serde_json::from_str(&settings.config).unwrap_or_default();
        let schema = self.node.control().inspect(&plugin.name).await?.config_schema;
        if let (Some(_), Some(name)) = (schema.pointer("/properties/endpoint"), around.names.first()) {
            config.entry("endpoint").or_insert_with(|| name.as_str().into());
        }
        let told = toml::Value::try_from(config).ok().filter(|t| t.as_table().is_some_and(|t| !t.is_empty()));
        let told = told.map(|t| format!("config = {}\n", inline(&t))).unwrap_or_default();
        let text = format!("{table}\nplugin = {:?}\n{told}{}", plugin.name, around.grants);
        let (config, _) = ChangefeedConfig::from_toml("the changefeed of tidegate dev", &text)?;
        let sink_uri = SinkUri::parse(&format!("plugin+{sink}://"))?;
        let new =
            NewChangefeed { id: self.id.clone(), start_ts: Some(Ts::new(start)), target_ts: None, sink_uri, config };
        self.node.control().create(new).await?;
        Ok(())
    }

    /// What the plugins logged since the last time.
    pub(super) async fn lines(&mut self) -> Result<Vec<PluginLine>, DevError> {
        let control = self.node.control();
        let mut out = Vec::new();
        for (name, last) in &mut self.shown {
            let lines = control.plugin_lines(name, *last, LINES_MAX, 0).await?;
            *last = lines.last().map_or(*last, |l| l.seq);
            out.extend(lines);
        }
        Ok(out)
    }

    pub(super) async fn status(&mut self) -> Result<Status, DevError> {
        let control = self.node.control();
        let feed = control.get(&self.id).await?;
        let progress = control.progress(&self.id).await?;
        let error = feed.error.map(|e| (e.code, e.message));
        let new_error = error.clone().filter(|e| self.told.as_ref() != Some(e));
        self.told = error;
        Ok(Status { state: feed.state, progress, new_error })
    }
}

/// A table on one line.
fn inline(value: &toml::Value) -> String {
    match value {
        toml::Value::Table(t) => {
            let pairs: Vec<_> = t.iter().map(|(k, v)| format!("{k:?} = {}", inline(v))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        toml::Value::Array(a) => format!("[{}]", a.iter().map(inline).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
