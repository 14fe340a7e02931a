//! What calls on changefeeds do: create, change, look.

use crate::ServerError;
use crate::choice::Choice;
use crate::control::NodeControl;
use crate::endpoints::Endpoints;
use crate::feed::filter;
use crate::plugins::FeedPlugins;
use crate::progress::{now_ms, resume_at_start, resume_of};
use crate::record::{Layout, Record, new_incarnation};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_api::{ChangedChangefeed, Changefeed, FeedState, NewChangefeed};
use tg_config::{ChangefeedConfig, SinkUri};
use tg_metastore::{ChangefeedStatus, MetaError};
use tg_model::{ChangefeedId, Position, Ts};

/// How long the start of a changefeed is held while it is being created.
const CREATING_TTL: std::time::Duration = std::time::Duration::from_secs(300);

impl NodeControl {
    pub(crate) async fn record(&self, id: &ChangefeedId) -> Result<(Record, u64), ServerError> {
        let (info, seen) = self.0.store.info(id).await?;
        Ok((Record::read(&info)?, seen))
    }

    pub(crate) async fn shown(&self, id: &ChangefeedId) -> Result<Changefeed, ServerError> {
        let (mut record, _) = self.record(id).await?;
        let stored = self.0.store.status(id).await?.0.checkpoint.checkpoint_ts();
        let live = self.0.feeds.lock().get(id).map(|h| (h.view.state(), h.view.progress()));
        let (state, progress) = match live {
            Some(((state, error), (checkpoint, resolved))) => {
                record.error = error.or(record.error);
                (state, (checkpoint.max(stored), resolved))
            }
            None => (record.state, (stored, stored)),
        };
        let mut shown = record.show(id, &self.0.facts, progress, state);
        if self.0.cluster.is_some() {
            shown.maintainer = self.0.runs_at(id);
        }
        Ok(shown)
    }

    /// Checks that the start can be read and keeps it so.
    pub(crate) async fn hold_start(&self, id: &ChangefeedId, start: Ts) -> Result<(), ServerError> {
        self.0.upstream.check_start_ts(start).await?;
        let kept = self
            .0
            .upstream
            .hold_gc(&self.0.gc_service(id), start.prev(), self.0.options.gc_ttl.max(CREATING_TTL))
            .await?;
        if kept > start { Err(ServerError::Collected { start, safe_point: kept }) } else { Ok(()) }
    }

    /// Tries what a changefeed would use: its filter, its plugins, its downstream; the plugins.
    pub(crate) async fn try_out(
        &self,
        id: &ChangefeedId,
        uri: &SinkUri,
        config: &Arc<ChangefeedConfig>,
    ) -> Result<Choice, ServerError> {
        filter(config)?;
        let choice = Choice::resolve(&self.0.registry, uri, config).await?;
        let layout = (Layout::choose(uri, config), "");
        let endpoints = Endpoints::connect(uri, config, layout, &self.0.options.secrets_dir()).await?;
        FeedPlugins::find(&self.0.registry, id, (0, 0), choice.clone(), Arc::new(endpoints)).await?;
        Ok(choice)
    }

    pub(crate) async fn store_state(&self, id: &ChangefeedId, state: FeedState) -> Result<(), ServerError> {
        let (record, seen) = self.record(id).await?;
        // Another run begins: who still runs the one before has to end it.
        let run = record.run + u64::from(state == FeedState::Normal);
        let record = Record { state, error: None, run, ..record };
        self.0.store.update(id, seen, &record.write(), self.0.guard(id)).await?;
        Ok(())
    }

    /// The place of a changefeed is taken by its record with another checkpoint.
    pub(crate) async fn replace_checkpoint(&self, id: &ChangefeedId, at: Ts) -> Result<(), ServerError> {
        self.hold_start(id, at).await?;
        let record = Record { incarnation: new_incarnation(), ..self.record(id).await?.0 };
        let (status, _) = self.0.store.status(id).await?;
        self.0.store.remove(id, now_ms()).await?;
        // Whatever was ahead of the old checkpoint says nothing of the new one.
        let other = resume_at_start(&record.incarnation, &resume_of(&status)?.label);
        let checkpoint = Position::rows(at);
        let status = ChangefeedStatus { checkpoint, emit_ts: at, updated_ms: now_ms(), other, ..status };
        self.0.store.create(id, &record.write(), &status).await?;
        Ok(())
    }

    pub(crate) async fn new_changefeed(&self, new: NewChangefeed) -> Result<Changefeed, ServerError> {
        let node = &self.0;
        let _one_at_a_time = node.changing.lock().await;
        if node.store.info(&new.id).await.is_ok() {
            return Err(MetaError::Exists { changefeed: new.id.to_string() }.into());
        }
        let start = match new.start_ts {
            Some(ts) => ts,
            None => node.upstream.tso().await?,
        };
        self.hold_start(&new.id, start).await?;
        let made = self.create_record(&new, start).await;
        if made.is_err() {
            // The record does not exist, so nobody else will let go.
            let _ = node.upstream.release_gc(&node.gc_service(&new.id)).await;
        }
        made?;
        node.launch(&new.id);
        self.shown(&new.id).await
    }

    pub(crate) async fn create_record(&self, new: &NewChangefeed, start: Ts) -> Result<(), ServerError> {
        let config = Arc::new(new.config.clone());
        let choice = self.try_out(&new.id, &new.sink_uri, &config).await?;
        let record = Record {
            start_ts: start,
            target_ts: new.target_ts,
            layout: Layout::choose(&new.sink_uri, &new.config),
            uri: new.sink_uri.clone(),
            config,
            choices: vec![choice.clone()],
            pins: BTreeMap::new(),
            repeat_until: Ts::ZERO,
            state: FeedState::Normal,
            error: None,
            created: Timestamp::now(),
            incarnation: new_incarnation(),
            run: 1,
            upstream_id: Some(self.0.facts.upstream_id),
        };
        let status = ChangefeedStatus {
            checkpoint: Position::ddl(start),
            emit_ts: start,
            epoch: 0,
            updated_ms: now_ms(),
            other: resume_at_start(&record.incarnation, &choice.label),
        };
        self.0.store.create(&new.id, &record.write(), &status).await?;
        Ok(())
    }

    pub(crate) async fn change(&self, id: &ChangefeedId, change: ChangedChangefeed) -> Result<(), ServerError> {
        let (mut record, seen) = self.record(id).await?;
        record.target_ts = change.target_ts.or(record.target_ts);
        if let Some(uri) = change.sink_uri {
            if !same_place(&record.uri, &uri) {
                // What was written there is not here. It may be the same database by another name, though.
                record.incarnation = new_incarnation();
                record.repeat_until = self.0.upstream.tso().await?;
            }
            record.uri = uri;
        }
        if let Some(config) = change.config {
            record.config = Arc::new(config);
        }
        let choice = self.try_out(id, &record.uri, &record.config).await?;
        let choice = self.named(id, &record, choice).await?;
        record.settle(choice);
        self.0.store.update(id, seen, &record.write(), self.0.guard(id)).await?;
        Ok(())
    }

    /// What a changefeed that stands still is to go on with. Where its rows take the lanes that they took, it goes by the name under which
    /// the lanes' progress is stored; under another name a run believes no lane.
    async fn named(&self, id: &ChangefeedId, record: &Record, next: Choice) -> Result<Choice, ServerError> {
        let label = resume_of(&self.0.store.status(id).await?.0)?.label;
        let counted_under = record.choices.iter().find(|c| c.label == label);
        let same = counted_under.is_some_and(|then| !then.routes_otherwise(&next));
        Ok(if same { Choice { label, ..next } } else { next })
    }

    /// A change of a run's plugins and nothing else needs no stop: the configuration to swap to.
    pub(crate) fn only_plugins(
        &self,
        id: &ChangefeedId,
        record: &Record,
        change: &ChangedChangefeed,
    ) -> Option<Arc<ChangefeedConfig>> {
        let uri = change.sink_uri.as_ref().is_none_or(|uri| *uri == record.uri);
        let target = change.target_ts.is_none_or(|ts| Some(ts) == record.target_ts);
        let runs = self.0.feeds.lock().get(id).is_some_and(|h| h.view.running().is_some());
        let next = change.config.as_ref().filter(|_| uri && target && runs)?;
        let mut same = record.config.as_ref().clone();
        same.tidegate.sink.clone_from(&next.tidegate.sink);
        same.tidegate.dispatcher.clone_from(&next.tidegate.dispatcher);
        same.tidegate.transforms.clone_from(&next.tidegate.transforms);
        same.tidegate.grants.clone_from(&next.tidegate.grants);
        (same == *next).then(|| Arc::new(same))
    }

    /// A changefeed that goes on runs what the names mean now.
    pub(crate) async fn follow_names(&self, id: &ChangefeedId) -> Result<(), ServerError> {
        let (record, _) = self.record(id).await?;
        let choice = Choice::resolve(&self.0.registry, &record.uri, &record.config).await?;
        if record.choices.first().is_some_and(|now| now.same(&choice)) {
            return Ok(());
        }
        let choice = self.named(id, &record, choice).await?;
        self.0.rewrite(id, |record| record.settle(choice.clone())).await
    }

    pub(crate) fn running(&self, id: &ChangefeedId) -> bool {
        let feeds = self.0.feeds.lock();
        feeds.get(id).is_some_and(|h| matches!(h.view.state().0, FeedState::Normal | FeedState::Warning))
            || self.0.runs_at(id).is_some()
    }
}

/// Whether two sink URIs name one downstream, as far as they tell.
fn same_place(a: &SinkUri, b: &SinkUri) -> bool {
    let shared = a.hosts.is_empty() && b.hosts.is_empty() || a.hosts.iter().any(|host| b.hosts.contains(host));
    a.scheme.family() == b.scheme.family() && a.path == b.path && shared && a.text("endpoint") == b.text("endpoint")
}

#[cfg(test)]
mod tests {
    use super::same_place;
    use tg_config::SinkUri;

    #[test]
    fn other_hosts_paths_and_endpoints_are_other_places_and_other_users_are_not() {
        let same = |a: &str, b: &str| same_place(&SinkUri::parse(a).unwrap(), &SinkUri::parse(b).unwrap());
        assert!(same("mysql://root:a@h:3306/", "mysql+ssl://app:b@h:3306/?worker-count=3"));
        assert!(same("kafka://a:9092,b:9092/t?protocol=canal-json", "kafka://b:9092,c:9092/t?protocol=canal-json"));
        assert!(!same("mysql://root@h:3306/", "mysql://root@g:3306/"));
        assert!(!same("mysql://root@h:3306/", "mysql://root@h:3307/"));
        assert!(!same("s3://b/x?protocol=csv", "s3://b/y?protocol=csv"));
        assert!(!same("s3://b/x?protocol=csv", "s3://b/x?protocol=csv&endpoint=http://h:1"));
        assert!(same("blackhole://", "blackhole://"));
    }
}
