//! Changes of the registry, and what changefeeds that follow make of them.

use crate::node::Node;
use crate::{ClusterError, ServerError, shown};
use std::sync::Arc;
use tg_api::{NewPlugin, PluginChange, TakeOver};
use tg_registry::{By, Pinned, PluginRef, Push, Source};

impl Node {
    /// A version was pushed or activated; what its followers do.
    async fn changed(
        self: &Arc<Self>,
        pinned: Pinned,
        (new, before): (bool, Option<String>),
        follow: bool,
    ) -> Result<PluginChange, ServerError> {
        let mut changefeeds = Vec::new();
        if follow {
            changefeeds = self.follow(&pinned.name).await?;
            changefeeds.extend(self.followers_elsewhere(&pinned).await?);
        }
        let active = self.registry.record(&pinned.name).await?;
        let active = active.and_then(|r| r.active().map(|v| v.version.clone()));
        let plugin = self.registry.load(&pinned, None).await?;
        Ok(PluginChange {
            active: active.as_ref() == Some(&pinned.version),
            digest: pinned.digest.to_string(),
            kind: shown::kind_name(plugin.kind()).to_owned(),
            name: pinned.name,
            version: pinned.version,
            new,
            before,
            changefeeds,
        })
    }

    async fn active(&self, name: &str) -> Result<Option<String>, ServerError> {
        let record = self.registry.record(name).await?;
        Ok(record.and_then(|r| r.active().map(|v| v.version.clone())))
    }

    /// Runs a version beside what runs, before the name means it. Only what this node runs can be tried.
    async fn try_first(self: &Arc<Self>, version: &Pinned, percent: u8) -> Result<(), ServerError> {
        let elsewhere = self.followers_elsewhere(version).await?;
        if elsewhere.is_empty() {
            return self.try_beside(version, percent).await;
        }
        let changefeeds: Vec<_> = elsewhere.into_iter().map(|f| f.changefeed).collect();
        Err(ClusterError::CanaryElsewhere { plugin: version.to_string(), changefeeds: changefeeds.join(", ") }.into())
    }

    pub(crate) async fn push_plugin(self: &Arc<Self>, new: NewPlugin) -> Result<PluginChange, ServerError> {
        let _alone = self.following.lock().await;
        let users = self.users().await?;
        let before = match &new.name {
            Some(name) => self.active(name).await?,
            None => None,
        };
        let NewPlugin { bytes, name, version, signature, take_over } = new;
        // With a canary the name means the new version only after it.
        let activate = take_over == TakeOver::Swap;
        let push = Push { bytes, name, version, signature, activate, source: Source::Push };
        let pushed = self.registry.push(push, &users).await?;
        let mut follow = pushed.activated;
        if let TakeOver::Canary { percent } = take_over {
            self.try_first(&pushed.pinned, percent).await?;
            follow = self.registry.activate(&pushed.pinned.name, &pushed.pinned.version, By::Push).await?;
        }
        self.changed(pushed.pinned, (pushed.new, before), follow).await
    }

    pub(crate) async fn activate_plugin(
        self: &Arc<Self>,
        name: &str,
        version: &str,
        take_over: TakeOver,
    ) -> Result<PluginChange, ServerError> {
        let _alone = self.following.lock().await;
        let before = self.active(name).await?;
        let pinned = self.registry.resolve(&PluginRef::Version(name.to_owned(), version.to_owned())).await?;
        if let TakeOver::Canary { percent } = take_over {
            self.try_first(&pinned, percent).await?;
        }
        self.registry.activate(name, version, By::Activate).await?;
        self.changed(pinned, (false, before), true).await
    }

    pub(crate) async fn roll_back_plugin(self: &Arc<Self>, name: &str) -> Result<PluginChange, ServerError> {
        let _alone = self.following.lock().await;
        let (from, to) = self.registry.roll_back(name, By::Rollback).await?;
        let pinned = self.registry.resolve(&PluginRef::Version(name.to_owned(), to)).await?;
        self.changed(pinned, (false, Some(from)), true).await
    }

    pub(crate) async fn take_plugin_out(&self, plugin: &str) -> Result<Vec<String>, ServerError> {
        let (name, version) = match plugin.parse::<PluginRef>()? {
            PluginRef::Name(name) => (name, None),
            PluginRef::Version(name, version) => (name, Some(version)),
            PluginRef::Digest(digest) => {
                let pinned = self.registry.resolve(&PluginRef::Digest(digest)).await?;
                (pinned.name, Some(pinned.version))
            }
        };
        // No changefeed may begin to use it between the look and the removal.
        let _one_at_a_time = self.changing.lock().await;
        let users = self.users().await?;
        Ok(self.registry.remove(&name, version.as_deref(), &users).await?)
    }
}
