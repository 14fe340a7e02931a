//! Plugins of the node behind the HTTP API.

use crate::control::NodeControl;
use crate::node::Node;
use crate::record::Record;
use crate::{ServerError, shown};
use std::sync::Arc;
use std::time::Duration;
use tg_api::{
    ApiError, FeedPlugin, FeedPlugins, NewPlugin, Plugin, PluginCapability, PluginChange, PluginControl, PluginDetail,
    PluginLine, PluginUsage, TakeOver,
};
use tg_model::ChangefeedId;
use tg_pipeline::SwapStatus;
use tg_registry::{Digest, Pinned, PluginRef, RegistryError};

type Answer<T> = Result<T, ApiError>;

impl Node {
    async fn builtins(&self) -> Result<Vec<Plugin>, ServerError> {
        let mut out = Vec::new();
        for name in tg_builtin::NAMES {
            let pinned = self.registry.resolve(&PluginRef::Name((*name).to_owned())).await?;
            let plugin = self.registry.load(&pinned, None).await?;
            let size = tg_builtin::by_name(name).map_or(0, <[u8]>::len) as u64;
            out.push(shown::builtin(&pinned, plugin.kind(), size));
        }
        Ok(out)
    }

    async fn all_plugins(&self) -> Result<Vec<Plugin>, ServerError> {
        let mut all = self.builtins().await?;
        all.extend(self.registry.list().await?.iter().map(|(name, record)| shown::plugin(name, record)));
        for problem in self.registry.problems() {
            let name = problem.name.split('@').next().unwrap_or_default();
            let text = Some(format!("{}: {}", problem.code, problem.message));
            match all.iter_mut().find(|p| p.name == name) {
                Some(plugin) => plugin.problem = text,
                None => all.push(Plugin {
                    name: name.to_owned(),
                    versions: Vec::new(),
                    history: Vec::new(),
                    users: Vec::new(),
                    problem: text,
                }),
            }
        }
        let mut users = self.users_by_name().await?;
        for plugin in &mut all {
            plugin.users = users.remove(&plugin.name).unwrap_or_default();
        }
        Ok(all)
    }

    /// What the active version of a name calls itself: the name it logs under.
    async fn manifest_name(&self, name: &str) -> Result<String, ServerError> {
        let pinned = self.registry.resolve(&name.parse()?).await?;
        Ok(self.registry.load(&pinned, None).await?.manifest().name.clone())
    }

    async fn detail(&self, plugin: &str) -> Result<PluginDetail, ServerError> {
        let pinned = self.registry.resolve(&plugin.parse()?).await?;
        let loaded = self.registry.load(&pinned, None).await?;
        let found = self.all_plugins().await?.into_iter().find(|p| p.name == pinned.name);
        let version = found.as_ref().and_then(|p| p.versions.iter().find(|v| v.version == pinned.version)).cloned();
        let gone = || RegistryError::UnknownDigest { digest: pinned.digest };
        let manifest = loaded.manifest();
        let capability = |c: &tg_plugin::Capability| PluginCapability {
            name: c.name.clone(),
            required: c.required,
            reason: c.reason.clone(),
        };
        Ok(PluginDetail {
            plugin: found.ok_or_else(gone)?,
            version: version.ok_or_else(gone)?,
            manifest_name: manifest.name.clone(),
            manifest_version: manifest.version.clone(),
            capabilities: manifest.capabilities.iter().map(capability).collect(),
            config_schema: serde_json::from_str(&manifest.config_schema).unwrap_or_default(),
            usage: shown::usage(loaded.metrics()),
        })
    }

    /// The plugins a changefeed runs, and what happens to them.
    pub(crate) async fn plugins_of(&self, id: &ChangefeedId) -> Result<FeedPlugins, ServerError> {
        let record = Record::read(&self.store.info(id).await?.0)?;
        let view = self.feeds.lock().get(id).map(|h| Arc::clone(&h.view));
        let running = view.as_ref().and_then(|v| v.running());
        let choice = running.as_ref().map(|r| &r.plugins.choice).or(record.choices.first());
        let plugin = |(role, pinned): &(crate::choice::Role, Pinned)| FeedPlugin {
            role: role.to_string(),
            name: pinned.name.clone(),
            version: pinned.version.clone(),
            digest: pinned.digest.to_string(),
            follows: role.follows(&record.uri, &record.config).is_some(),
        };
        let doing = match running.as_ref().map(|r| r.control.status()) {
            Some(SwapStatus::Swapping) => "swapping",
            Some(SwapStatus::Probation) => "on probation",
            Some(SwapStatus::Steady | SwapStatus::RolledBack(_)) | None => "",
        };
        Ok(FeedPlugins {
            plugins: choice.map(|c| c.plugins.iter().map(plugin).collect()).unwrap_or_default(),
            doing: doing.to_owned(),
            last: view.and_then(|v| v.swapped()),
        })
    }
}

impl PluginControl for NodeControl {
    fn plugin_size_max(&self) -> usize {
        self.0.options.plugins.size_max_bytes
    }

    async fn plugins(&self) -> Answer<Vec<Plugin>> {
        Ok(self.0.all_plugins().await?)
    }

    async fn inspect(&self, plugin: &str) -> Answer<PluginDetail> {
        Ok(self.0.detail(plugin).await?)
    }

    async fn push(&self, new: NewPlugin) -> Answer<PluginChange> {
        Ok(self.0.push_plugin(new).await?)
    }

    async fn activate(&self, name: &str, version: &str, take_over: TakeOver) -> Answer<PluginChange> {
        Ok(self.0.activate_plugin(name, version, take_over).await?)
    }

    async fn roll_back(&self, name: &str) -> Answer<PluginChange> {
        Ok(self.0.roll_back_plugin(name).await?)
    }

    async fn remove_plugin(&self, plugin: &str) -> Answer<Vec<String>> {
        Ok(self.0.take_plugin_out(plugin).await?)
    }

    async fn plugin_lines(&self, name: &str, after: u64, limit: usize, wait_ms: u64) -> Answer<Vec<PluginLine>> {
        let name = self.0.manifest_name(name).await?;
        Ok(self.0.options.plugins.log.lines(&name, after, limit, Duration::from_millis(wait_ms)).await)
    }

    async fn blob(&self, digest: &str) -> Answer<Option<Vec<u8>>> {
        let digest: Digest = digest.parse().map_err(ServerError::from)?;
        Ok(self.0.registry.blob(digest).await.map_err(ServerError::from)?)
    }

    async fn plugin_usage(&self) -> Answer<Vec<(String, String, PluginUsage)>> {
        let of = |plugin: Arc<tg_plugin::Plugin>| {
            let manifest = plugin.manifest();
            (manifest.name.clone(), manifest.version.clone(), shown::usage(plugin.metrics()))
        };
        Ok(self.0.registry.compiled().into_iter().map(|(_, plugin)| of(plugin)).collect())
    }

    async fn feed_plugins(&self, id: &ChangefeedId) -> Answer<FeedPlugins> {
        Ok(self.0.plugins_of(id).await?)
    }
}
