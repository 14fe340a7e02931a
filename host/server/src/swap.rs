//! Other plugins, or another configuration of them, for a changefeed that runs.
//!
//! The record names both choices before the run is asked; the run stores with its progress which of them it is at. So whenever the
//! process dies, the next start reads from one write which version goes on, and from where.

use crate::ServerError;
use crate::choice::Choice;
use crate::cluster::ClusterError;
use crate::endpoints::Endpoints;
use crate::handle::{Gathered, Running, View};
use crate::node::Node;
use crate::plugins::FeedPlugins;
use crate::record::Record;
use std::sync::Arc;
use std::time::Duration;
use tg_api::Swapped;
use tg_config::ChangefeedConfig;
use tg_model::{ChangefeedId, Coded, Position};
use tg_pipeline::{SwapError, SwapOutcome, SwapParts, SwapRequest};
use tg_registry::Pinned;

/// For so long the versions before come back when the new ones fail.
const PROBATION: Duration = Duration::from_secs(10);

/// One swap, from the plugins that run to those that are to.
pub(crate) struct Change {
    id: ChangefeedId,
    view: Arc<View>,
    pub(crate) before: Running,
    pub(crate) after: Arc<FeedPlugins>,
    /// Plugins change where all slots are in one process.
    _gathered: Gathered,
}

impl Node {
    /// Gives a changefeed that runs the plugins that `config` means now; `None`: it has them. The caller serialises changes.
    pub(crate) async fn swap_plugins(
        self: &Arc<Self>,
        id: &ChangefeedId,
        config: &Arc<ChangefeedConfig>,
    ) -> Result<Option<Swapped>, ServerError> {
        let Some((change, parts)) = self.change(id, config, None).await? else { return Ok(None) };
        if parts == SwapParts::default() {
            return self.relabel(&change).await.map(Some);
        }
        self.swap(change, parts).await.map(Some)
    }

    /// What a swap would do, with instances that can be started; `None`: the changefeed has these plugins. With `active`: if that were
    /// the active version of its name.
    pub(crate) async fn change(
        &self,
        id: &ChangefeedId,
        config: &Arc<ChangefeedConfig>,
        active: Option<&Pinned>,
    ) -> Result<Option<(Change, SwapParts)>, ServerError> {
        let view = self.feeds.lock().get(id).map(|h| Arc::clone(&h.view));
        let not_running = || ServerError::Swap { changefeed: id.to_string(), source: SwapError::NotRunning };
        let view = view.ok_or_else(not_running)?;
        let record = Record::read(&self.store.info(id).await?.0)?;
        let next = Choice::resolve_if(&self.registry, &record.uri, config, active).await?;
        // Bringing the slots together begins another run: not for nothing.
        if view.running().is_some_and(|now| next.same(&now.plugins.choice)) {
            return Ok(None);
        }
        let gathered = view.gather().await.ok_or_else(|| ClusterError::NotGathered { changefeed: id.to_string() })?;
        let before = view.running().ok_or_else(not_running)?;
        if next.same(&before.plugins.choice) {
            return Ok(None);
        }
        let endpoints = if before.plugins.endpoints.serve(&record.uri, config) {
            Arc::clone(&before.plugins.endpoints)
        } else {
            let layout = (record.layout, record.incarnation.as_str());
            Arc::new(Endpoints::connect(&record.uri, config, layout, &self.options.secrets_dir()).await?)
        };
        let after = FeedPlugins::find(&self.registry, id, before.plugins.epoch, next, endpoints).await?;
        let after = after.gated(before.plugins.gate.clone());
        let parts = after.parts_changed(&before.plugins);
        let change = Change { id: id.clone(), view, before, after: Arc::new(after), _gathered: gathered };
        Ok(Some((change, parts)))
    }

    /// The instances would be the same: only the record changes, under the label that progress is stored under.
    async fn relabel(&self, change: &Change) -> Result<Swapped, ServerError> {
        let choice = Choice { label: change.before.plugins.choice.label.clone(), ..change.after.choice.clone() };
        self.rewrite(&change.id, |record| record.settle(choice.clone())).await?;
        Ok(change.shown("stored"))
    }

    async fn swap(self: &Arc<Self>, change: Change, parts: SwapParts) -> Result<Swapped, ServerError> {
        let (running, next) = (&change.before.plugins.choice, &change.after.choice);
        self.rewrite(&change.id, |record| record.announce(running, next)).await?;
        let request = SwapRequest { plugins: Arc::<FeedPlugins>::clone(&change.after), parts, probation: PROBATION };
        match change.before.control.swap(request).await {
            Ok(outcome) => {
                let swapped = change.done(&outcome);
                change.view.runs(Arc::clone(&change.after));
                change.view.set_swapped(swapped.clone());
                self.note(&change, "info", "swapped in");
                tokio::spawn(Arc::clone(self).settle(change));
                Ok(swapped)
            }
            Err(source) => {
                self.rewrite(&change.id, |record| record.settle(running.clone())).await?;
                let failed = change.failed(&source);
                change.view.set_swapped(failed);
                self.note(&change, "error", &source.to_string());
                Err(ServerError::Swap { changefeed: change.id.to_string(), source })
            }
        }
    }

    /// Waits for the end of the probation, and lets the record say how it ended.
    async fn settle(self: Arc<Self>, change: Change) {
        let ended = change.before.control.settled().await;
        let lock = self.changing.lock().await;
        // Another swap, or another run, has come in between: its own end says what holds.
        let label = |r: Running| r.plugins.choice.label.clone();
        if change.view.running().map(label).as_deref() != Some(change.after.choice.label.as_str()) {
            return;
        }
        let stays = match &ended {
            Ok(()) => &change.after.choice,
            Err(SwapError::RolledBack(_)) => &change.before.plugins.choice,
            // The next start reads from the progress which one it is.
            Err(_) => return,
        };
        if let Err(e) = self.rewrite(&change.id, |record| record.settle(stays.clone())).await {
            tracing::error!(changefeed = %change.id, error = %e, "the end of a swap could not be stored; the next start finds it");
        }
        let Err(error) = ended else { return self.note(&change, "info", "stays") };
        change.view.runs(Arc::clone(&change.before.plugins));
        change.view.set_swapped(change.failed(&error));
        self.note(&change, "error", &error.to_string());
        drop(lock);
        self.withdraw(&change.before.plugins.choice, &change.after.choice).await;
    }

    fn note(&self, change: &Change, level: &str, text: &str) {
        for name in change.after.manifest_names() {
            self.options.plugins.log.note(&name, &change.id.to_string(), level, text.to_owned());
        }
    }

    /// Changes a record as its owner.
    pub(crate) async fn rewrite(
        &self,
        id: &ChangefeedId,
        change: impl Fn(&mut Record) + Send,
    ) -> Result<(), ServerError> {
        let (info, seen) = self.store.info(id).await?;
        let mut record = Record::read(&info)?;
        change(&mut record);
        self.store.update(id, seen, &record.write(), self.guard(id)).await?;
        Ok(())
    }
}

impl Change {
    fn shown(&self, outcome: &str) -> Swapped {
        Swapped {
            changefeed: self.id.name.clone(),
            namespace: self.id.namespace.clone(),
            from: self.before.plugins.choice.shown(),
            to: self.after.choice.shown(),
            outcome: outcome.to_owned(),
            position: None,
            stall_us: None,
            code: None,
            message: None,
        }
    }

    fn done(&self, outcome: &SwapOutcome) -> Swapped {
        let stall = u64::try_from(outcome.stall.as_micros()).unwrap_or(u64::MAX);
        let position = outcome.positions.iter().min().map(Position::to_string);
        Swapped { position, stall_us: Some(stall), ..self.shown("swapped") }
    }

    fn failed(&self, error: &SwapError) -> Swapped {
        let outcome = if matches!(error, SwapError::RolledBack(_)) { "rolled-back" } else { "refused" };
        Swapped { code: Some(error.code().to_string()), message: Some(error.to_string()), ..self.shown(outcome) }
    }
}
