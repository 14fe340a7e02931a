//! Changefeeds that follow names: who uses what, and what happens to them when a name means another version.

use crate::ServerError;
use crate::choice::{Choice, Role};
use crate::node::Node;
use crate::record::Record;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tg_api::{PluginUser, Swapped};
use tg_config::ChangefeedConfig;
use tg_config::changefeed::PluginConfig;
use tg_model::{ChangefeedId, Coded};
use tg_registry::{By, Digest, Pinned};

/// What became of a changefeed that could not follow.
pub(crate) const REFUSED: &str = "refused";
/// Another node runs it, which follows by itself.
const ELSEWHERE: &str = "elsewhere";

/// Changefeeds by the digests they use.
pub(crate) type Users = BTreeMap<Digest, Vec<String>>;

impl Node {
    /// Records that can be read.
    async fn records(&self) -> Result<Vec<(ChangefeedId, Record)>, ServerError> {
        let (records, _) = self.store.list().await?;
        Ok(records.into_iter().filter_map(|(id, info)| Some((id, Record::read(&info.ok()?).ok()?))).collect())
    }

    /// Which components changefeeds run, or would run.
    pub(crate) async fn users(&self) -> Result<Users, ServerError> {
        let mut users = Users::new();
        for (id, record) in self.records().await? {
            for (_, pinned) in record.choices.iter().flat_map(|c| &c.plugins).filter(|(_, p)| !p.builtin) {
                let of = users.entry(pinned.digest).or_default();
                let user = format!("changefeed {id}");
                if !of.contains(&user) {
                    of.push(user);
                }
            }
        }
        Ok(users)
    }

    /// Which changefeeds use which name, and how.
    pub(crate) async fn users_by_name(&self) -> Result<BTreeMap<String, Vec<PluginUser>>, ServerError> {
        let mut users: BTreeMap<String, Vec<PluginUser>> = BTreeMap::new();
        for (id, record) in self.records().await? {
            let Some(choice) = record.choices.first() else { continue };
            for (role, pinned) in &choice.plugins {
                let user = PluginUser {
                    changefeed: id.name.clone(),
                    namespace: id.namespace.clone(),
                    role: role.to_string(),
                    version: pinned.version.clone(),
                    follows: role.follows(&record.uri, &choice.config).is_some(),
                };
                users.entry(pinned.name.clone()).or_default().push(user);
            }
        }
        Ok(users)
    }

    /// Changefeeds that run here and follow a name, with their records.
    pub(crate) async fn followers(&self, name: &str) -> Result<Vec<(ChangefeedId, Record)>, ServerError> {
        let runs = |id: &ChangefeedId| self.feeds.lock().get(id).is_some_and(|h| h.view.running().is_some());
        let all = self.records().await?.into_iter();
        Ok(all.filter(|(id, record)| runs(id) && follows(record, name)).collect())
    }

    /// Changefeeds that other nodes run and that follow a name to this version, as an answer shows them. Those nodes look for themselves.
    pub(crate) async fn followers_elsewhere(&self, to: &Pinned) -> Result<Vec<Swapped>, ServerError> {
        let Some(cluster) = &self.cluster else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for (id, record) in self.records().await? {
            let Some(run) = cluster.elsewhere(&id).filter(|_| follows(&record, &to.name)) else { continue };
            let choice = record.choices.first();
            let of_name = |c: &&Choice| c.plugins.iter().any(|(_, p)| p.name == to.name && p.digest != to.digest);
            let Some(choice) = choice.filter(of_name) else { continue };
            let message = format!("it runs on {}, which swaps it within seconds", run.address);
            let next =
                choice.plugins.iter().map(|(role, p)| format!("{role} {}", if p.name == to.name { to } else { p }));
            found.push(Swapped {
                from: choice.shown(),
                to: next.collect(),
                message: Some(message),
                ..outcome(&id, ELSEWHERE)
            });
        }
        Ok(found)
    }

    /// A name means another version: changefeeds that run here and follow it swap. Those that stand still run it when they go on.
    pub(crate) async fn follow(self: &Arc<Self>, name: &str) -> Result<Vec<Swapped>, ServerError> {
        let Some(meaning) = self.registry.record(name).await?.and_then(|r| r.meaning()) else { return Ok(Vec::new()) };
        let mut swapped = Vec::new();
        for (id, record) in self.followers(name).await? {
            self.attempts.begins(&id, name, meaning);
            swapped.extend(self.follow_one(&id, &record.config, name).await);
        }
        Ok(swapped)
    }

    /// A changefeed swaps to what its configuration means now; `None`: it has that.
    pub(crate) async fn follow_one(
        self: &Arc<Self>,
        id: &ChangefeedId,
        config: &Arc<ChangefeedConfig>,
        name: &str,
    ) -> Option<Swapped> {
        let _one_at_a_time = self.changing.lock().await;
        match self.swap_plugins(id, config).await {
            Ok(done) => done,
            Err(e) => {
                if e.is_retryable() {
                    self.attempts.may_pass(id, name, Instant::now());
                }
                Some(refused(id, &e))
            }
        }
    }

    /// A choice failed on probation: versions that it brought in by following a name are no longer what the name means, and
    /// whoever else runs them goes back too.
    pub(crate) fn withdraw<'a>(self: &'a Arc<Self>, before: &'a Choice, failed: &'a Choice) -> BoxFuture<'a, ()> {
        async move {
            for pinned in brought_in(before, failed) {
                self.withdraw_one(pinned).await;
            }
        }
        .boxed()
    }

    async fn withdraw_one(self: &Arc<Self>, pinned: &Pinned) {
        let name = pinned.name.as_str();
        let active = self.registry.record(name).await.ok().flatten();
        if active.and_then(|r| r.active().map(|v| v.digest)) != Some(pinned.digest) {
            return;
        }
        match self.registry.roll_back(name, By::Failure).await {
            Ok((from, to)) => tracing::warn!(plugin = name, from, to, "the version failed and was withdrawn"),
            Err(e) => {
                return tracing::error!(plugin = name, error = %e, "the version failed and could not be withdrawn");
            }
        }
        if let Err(e) = self.follow(name).await {
            tracing::error!(plugin = name, error = %e, "changefeeds could not follow the plugin back");
        }
    }
}

/// Whether a changefeed runs whatever a name means.
pub(crate) fn follows(record: &Record, name: &str) -> bool {
    Role::all(&record.config).into_iter().any(|role| role.follows(&record.uri, &record.config) == Some(name))
}

/// What `failed` runs because a name came to mean it.
fn brought_in<'a>(before: &'a Choice, failed: &'a Choice) -> Vec<&'a Pinned> {
    let was = |role: Role| before.plugins.iter().find(|(r, _)| *r == role).map(|(_, p)| p);
    let followed = |role: Role| role.config(&failed.config).is_none_or(PluginConfig::follows);
    let new = failed.plugins.iter().filter(|(role, p)| !p.builtin && followed(*role) && was(*role) != Some(p));
    new.map(|(_, pinned)| pinned).collect()
}

fn refused(id: &ChangefeedId, error: &ServerError) -> Swapped {
    Swapped { code: Some(error.code().to_string()), message: Some(error.to_string()), ..outcome(id, REFUSED) }
}

fn outcome(id: &ChangefeedId, outcome: &str) -> Swapped {
    Swapped {
        changefeed: id.name.clone(),
        namespace: id.namespace.clone(),
        from: Vec::new(),
        to: Vec::new(),
        outcome: outcome.to_owned(),
        position: None,
        stall_us: None,
        code: None,
        message: None,
    }
}
