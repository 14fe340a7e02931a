//! The node behind the HTTP API.

use crate::ServerError;
use crate::endpoints::set_up;
use crate::feed::filter;
use crate::node::Node;
use crate::plugins::FeedPlugins;
use crate::progress::now_ms;
use crate::record::{Layout, Record, new_incarnation};
use jiff::Timestamp;
use std::sync::Arc;
use tg_api::{
    ApiError, Capture, ChangedChangefeed, Changefeed, Control, FeedState, NewChangefeed, NodeTables, Progress,
    ServerStatus, SyncedInput, TableList, TableName, Waiting,
};
use tg_config::{ChangefeedConfig, SinkUri};
use tg_metastore::{ChangefeedStatus, MetaError};
use tg_model::{ChangefeedId, Coded, Position, TableVersion, Ts};

type Answer<T> = Result<T, ApiError>;

/// How long the start of a changefeed is held while it is being created.
const CREATING_TTL: std::time::Duration = std::time::Duration::from_secs(300);

impl From<ServerError> for ApiError {
    fn from(e: ServerError) -> Self {
        match e {
            ServerError::Meta(MetaError::NotFound { changefeed }) => Self::NotFound { name: changefeed },
            ServerError::Meta(MetaError::Exists { changefeed }) => Self::AlreadyExists { name: changefeed },
            ServerError::Collected { start, safe_point } => {
                Self::StartBeforeGc { start_ts: start, safepoint_ts: safe_point }
            }
            ServerError::Upstream(tg_upstream::UpstreamError::TsCollected { ts, safe_point }) => {
                Self::StartBeforeGc { start_ts: ts, safepoint_ts: safe_point }
            }
            ServerError::Config(e) => Self::Config(e),
            ServerError::Upstream(tg_upstream::UpstreamError::TsInFuture { .. })
            | ServerError::Filter(_)
            | ServerError::NoPlugin { .. }
            | ServerError::BadPlugin { .. }
            | ServerError::WrongKind { .. }
            | ServerError::WrongDigest { .. } => Self::Rejected { code: e.code(), message: e.to_string() },
            e => Self::Failed { code: e.code(), message: e.to_string(), retryable: e.is_retryable() },
        }
    }
}

/// The node as the API's [`Control`].
#[derive(Clone)]
pub struct NodeControl(Arc<Node>);

impl Node {
    /// What the HTTP API talks to.
    #[must_use]
    pub fn control(self: &Arc<Self>) -> NodeControl {
        NodeControl(Arc::clone(self))
    }
}

impl NodeControl {
    async fn record(&self, id: &ChangefeedId) -> Result<(Record, u64), ServerError> {
        let (info, seen) = self.0.store.info(id).await?;
        Ok((Record::read(&info)?, seen))
    }

    async fn shown(&self, id: &ChangefeedId) -> Result<Changefeed, ServerError> {
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
        Ok(record.show(id, &self.0.facts, progress, state))
    }

    /// Checks that the start can be read and keeps it so.
    async fn hold_start(&self, id: &ChangefeedId, start: Ts) -> Result<(), ServerError> {
        self.0.upstream.check_start_ts(start).await?;
        let kept = self
            .0
            .upstream
            .hold_gc(&self.0.gc_service(id), start.prev(), self.0.options.gc_ttl.max(CREATING_TTL))
            .await?;
        if kept > start { Err(ServerError::Collected { start, safe_point: kept }) } else { Ok(()) }
    }

    /// Tries what a changefeed would use: its filter, its plugins, its downstream.
    async fn try_out(&self, id: &ChangefeedId, uri: &SinkUri, config: &ChangefeedConfig) -> Result<(), ServerError> {
        filter(config)?;
        let setup = set_up(uri, config, Layout::choose(uri, config), "").await?;
        FeedPlugins::find(&self.0.installed, id, (0, 0), uri, config, setup).await.map(|_| ())
    }

    async fn store_state(&self, id: &ChangefeedId, state: FeedState) -> Result<(), ServerError> {
        let (record, seen) = self.record(id).await?;
        let record = Record { state, error: None, ..record };
        self.0.store.update(id, seen, &record.write(), Some(self.0.owner)).await?;
        Ok(())
    }

    /// The place of a changefeed is taken by its record with another checkpoint.
    async fn replace_checkpoint(&self, id: &ChangefeedId, at: Ts) -> Result<(), ServerError> {
        self.hold_start(id, at).await?;
        let record = Record { incarnation: new_incarnation(), ..self.record(id).await?.0 };
        let (status, _) = self.0.store.status(id).await?;
        self.0.store.remove(id, now_ms()).await?;
        let status = ChangefeedStatus { checkpoint: Position::rows(at), emit_ts: at, updated_ms: now_ms(), ..status };
        self.0.store.create(id, &record.write(), &status).await?;
        Ok(())
    }

    async fn new_changefeed(&self, new: NewChangefeed) -> Result<Changefeed, ServerError> {
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

    async fn create_record(&self, new: &NewChangefeed, start: Ts) -> Result<(), ServerError> {
        self.try_out(&new.id, &new.sink_uri, &new.config).await?;
        let record = Record {
            start_ts: start,
            target_ts: new.target_ts,
            layout: Layout::choose(&new.sink_uri, &new.config),
            uri: new.sink_uri.clone(),
            config: Arc::new(new.config.clone()),
            state: FeedState::Normal,
            error: None,
            created: Timestamp::now(),
            incarnation: new_incarnation(),
            upstream_id: Some(self.0.facts.upstream_id),
        };
        let status = ChangefeedStatus {
            checkpoint: Position::ddl(start),
            emit_ts: start,
            epoch: 0,
            updated_ms: now_ms(),
            other: serde_json::Map::default(),
        };
        self.0.store.create(&new.id, &record.write(), &status).await?;
        Ok(())
    }

    async fn change(&self, id: &ChangefeedId, change: ChangedChangefeed) -> Result<(), ServerError> {
        let (mut record, seen) = self.record(id).await?;
        record.target_ts = change.target_ts.or(record.target_ts);
        if let Some(uri) = change.sink_uri {
            record.uri = uri;
        }
        if let Some(config) = change.config {
            record.config = Arc::new(config);
        }
        self.try_out(id, &record.uri, &record.config).await?;
        self.0.store.update(id, seen, &record.write(), Some(self.0.owner)).await?;
        Ok(())
    }

    fn running(&self, id: &ChangefeedId) -> bool {
        let feeds = self.0.feeds.lock();
        feeds.get(id).is_some_and(|h| matches!(h.view.state().0, FeedState::Normal | FeedState::Warning))
    }
}

impl Control for NodeControl {
    fn status(&self) -> ServerStatus {
        ServerStatus {
            version: format!("v{}", env!("CARGO_PKG_VERSION")),
            git_hash: option_env!("TIDEGATE_GIT_HASH").unwrap_or("unknown").to_owned(),
            id: self.0.id.clone(),
            cluster_id: self.0.options.cluster.clone(),
            pid: std::process::id(),
            is_owner: true,
            liveness: 0,
        }
    }

    async fn health(&self) -> Answer<()> {
        self.0.upstream.tso().await.map_err(ServerError::from)?;
        Ok(())
    }

    async fn tso(&self) -> Answer<Ts> {
        Ok(self.0.upstream.tso().await.map_err(ServerError::from)?)
    }

    async fn captures(&self) -> Answer<Vec<Capture>> {
        Ok(vec![Capture {
            id: self.0.id.clone(),
            is_owner: true,
            address: self.0.options.address.clone(),
            cluster_id: self.0.options.cluster.clone(),
        }])
    }

    async fn drain(&self, capture: &str) -> Answer<u64> {
        if capture != self.0.id {
            return Err(ApiError::CaptureNotFound { name: capture.to_owned() });
        }
        Err(ApiError::Unhealthy { reason: "the only node cannot be drained: nobody would be left".to_owned() })
    }

    async fn resign(&self) -> Answer<()> {
        Err(ApiError::Unhealthy { reason: "the only node cannot resign: nobody would be left".to_owned() })
    }

    async fn set_log_level(&self, level: &str) -> Answer<()> {
        (self.0.options.set_log_level)(level);
        Ok(())
    }

    async fn metadata(&self) -> Answer<Vec<(String, String)>> {
        let mut out = Vec::new();
        let (records, _) = self.0.store.list().await.map_err(ServerError::from)?;
        for (id, info) in records {
            if let Ok(record) = info.map_err(ServerError::from).and_then(|i| Record::read(&i)) {
                out.push((format!("cf/{id}/info"), format!("{} {}", record.uri, record.state.name())));
            }
            if let Ok((status, _)) = self.0.store.status(&id).await {
                out.push((
                    format!("cf/{id}/status"),
                    format!("checkpoint {} epoch {}", status.checkpoint, status.epoch),
                ));
            }
        }
        Ok(out)
    }

    async fn list(&self, namespace: &str) -> Answer<Vec<Changefeed>> {
        let (records, _) = self.0.store.list().await.map_err(ServerError::from)?;
        let mut out = Vec::new();
        for (id, _) in records.into_iter().filter(|(id, _)| id.namespace == namespace) {
            match self.shown(&id).await {
                Ok(feed) => out.push(feed),
                Err(e) => tracing::error!(changefeed = %id, error = %e, "the changefeed's record cannot be read"),
            }
        }
        Ok(out)
    }

    async fn get(&self, id: &ChangefeedId) -> Answer<Changefeed> {
        Ok(self.shown(id).await?)
    }

    async fn create(&self, new: NewChangefeed) -> Answer<Changefeed> {
        Ok(self.new_changefeed(new).await?)
    }

    async fn update(&self, id: &ChangefeedId, change: ChangedChangefeed) -> Answer<Changefeed> {
        let _one_at_a_time = self.0.changing.lock().await;
        let (record, _) = self.record(id).await?;
        if record.state == FeedState::Finished {
            return Err(ApiError::UpdateRefused { reason: format!("changefeed {id} is finished") });
        }
        let running = self.running(id);
        // A running changefeed is stopped at a cut, changed, and goes on from there.
        self.0.halt(id).await;
        let changed = self.change(id, change).await;
        if running {
            self.0.launch(id);
        }
        changed?;
        Ok(self.shown(id).await?)
    }

    async fn pause(&self, id: &ChangefeedId) -> Answer<()> {
        let _one_at_a_time = self.0.changing.lock().await;
        self.record(id).await?;
        self.0.halt(id).await;
        self.store_state(id, FeedState::Stopped).await?;
        Ok(())
    }

    async fn resume(&self, id: &ChangefeedId, overwrite: Option<Ts>) -> Answer<()> {
        let _one_at_a_time = self.0.changing.lock().await;
        self.record(id).await?;
        if self.running(id) {
            return Ok(());
        }
        self.0.halt(id).await;
        if let Some(at) = overwrite {
            self.replace_checkpoint(id, at).await?;
        } else {
            let at = self.0.store.status(id).await.map_err(ServerError::from)?.0.checkpoint;
            self.hold_start(id, at.checkpoint_ts()).await?;
        }
        self.store_state(id, FeedState::Normal).await?;
        self.0.launch(id);
        Ok(())
    }

    async fn remove(&self, id: &ChangefeedId) -> Answer<()> {
        let _one_at_a_time = self.0.changing.lock().await;
        self.record(id)
            .await
            .map(|_| ())
            .or_else(|e| if matches!(e, ServerError::Config(_)) { Ok(()) } else { Err(e) })?;
        self.0.halt(id).await;
        self.0.store.remove(id, now_ms()).await.map_err(ServerError::from)?;
        if let Err(e) = self.0.upstream.release_gc(&self.0.gc_service(id)).await {
            tracing::warn!(changefeed = %id, error = %e, "the hold on garbage collection stays until it expires");
        }
        Ok(())
    }

    async fn tables(&self, id: &ChangefeedId) -> Answer<Vec<NodeTables>> {
        let (record, _) = self.record(id).await?;
        let at = self.0.store.status(id).await.map_err(ServerError::from)?.0.checkpoint.checkpoint_ts();
        let list = self.tables_of(&record.config, at).await?;
        let mut table_ids = vec![0];
        table_ids.extend(
            list.iter().filter(|(_, ok)| *ok).flat_map(|(v, _)| v.physical_ids().map(|t| t.0).collect::<Vec<_>>()),
        );
        Ok(vec![NodeTables { node_id: self.0.id.clone(), table_ids }])
    }

    async fn verify_tables(
        &self,
        config: &ChangefeedConfig,
        start_ts: Ts,
        verify: Option<&SinkUri>,
    ) -> Answer<TableList> {
        self.0.upstream.check_start_ts(start_ts).await.map_err(ServerError::from)?;
        if let Some(uri) = verify {
            let id = ChangefeedId { namespace: ChangefeedId::DEFAULT_NAMESPACE.to_owned(), name: "verify".to_owned() };
            self.try_out(&id, uri, config).await?;
        }
        let mut out = TableList::default();
        for (version, eligible) in self.tables_of(config, start_ts).await? {
            let name = TableName {
                database_name: version.schema.clone(),
                table_name: version.name.clone(),
                table_id: version.table,
                is_partition: !version.partitions.is_empty(),
            };
            let list = if eligible { &mut out.eligible_tables } else { &mut out.ineligible_tables };
            list.push(name.clone());
            out.all_tables.push(name);
        }
        Ok(out)
    }

    async fn synced(&self, id: &ChangefeedId) -> Answer<SyncedInput> {
        let feed = self.shown(id).await?;
        let now = self.0.upstream.tso().await.map_err(ServerError::from)?;
        Ok(SyncedInput {
            checkpoint_ts: feed.checkpoint_ts,
            resolved_ts: feed.resolved_ts,
            last_synced_ms: self.0.feeds.lock().get(id).map_or(0, |h| h.view.stats().last_durable_ms),
            now_ms: now.physical_ms(),
        })
    }

    async fn progress(&self, id: &ChangefeedId) -> Answer<Progress> {
        let feed = self.shown(id).await?;
        let now = self.0.upstream.tso().await.map_err(ServerError::from)?;
        let view = self.0.feeds.lock().get(id).map(|h| Arc::clone(&h.view));
        let lags = Progress {
            checkpoint_lag_ms: now.ms_since(feed.checkpoint_ts),
            resolved_lag_ms: now.ms_since(feed.resolved_ts),
            ..Progress::default()
        };
        let Some(view) = view else { return Ok(lags) };
        let stats = view.stats();
        let (rows_per_sec, bytes_per_sec) = view.rates();
        let usage = self.0.sorters.usage();
        Ok(Progress {
            rows_total: stats.rows_durable,
            bytes_total: stats.bytes_out,
            batches_total: stats.flushes,
            ddls_total: stats.ddls,
            retries_total: view.restarts(),
            rows_per_sec,
            bytes_per_sec,
            tables: stats.spans,
            memory_bytes: (usage.changes_bytes + usage.rocksdb_bytes) as u64,
            memory_limit_bytes: self.0.options.memory_limit_bytes as u64,
            spilled_bytes: usage.spilled_bytes,
            waiting: view.waits().into_iter().map(|(what, since)| waiting(what, since)).collect(),
            ..lags
        })
    }
}

fn waiting(what: String, since: std::time::Duration) -> Waiting {
    let next_step = "Nothing, if it passes: it is tried again, and after some tries the changefeed restarts from its checkpoint. \
                     If it stays, look at the downstream named here.";
    Waiting { what, since_ms: since.as_millis() as u64, next_step: next_step.to_owned() }
}

impl NodeControl {
    /// The tables a filter takes in at a timestamp, and whether their rows can be replicated.
    async fn tables_of(
        &self,
        config: &ChangefeedConfig,
        at: Ts,
    ) -> Result<Vec<(Arc<TableVersion>, bool)>, ServerError> {
        let filter = filter(config)?;
        let schema = tg_pipeline::load_schema(&self.0.upstream, at).await?;
        let inside = schema.tables().filter(|v| !v.is_view && !v.is_sequence && filter.matches(&v.schema, &v.name));
        Ok(inside.map(|v| (Arc::clone(v), filter.is_eligible(v))).collect())
    }
}
