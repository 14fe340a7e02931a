//! The node behind the HTTP API.

use crate::cluster::Cluster;
use crate::feed::filter;
use crate::node::Node;
use crate::progress::now_ms;
use crate::record::Record;
use crate::{ClusterError, ServerError};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_api::{
    ApiError, Capture, ChangedChangefeed, Changefeed, Control, FeedState, Limit, Maintenance, NewChangefeed,
    NodeTables, Progress, ServerStatus, Swapped, SyncedInput, TableList, TableName, Waiting,
};
use tg_config::{ChangefeedConfig, SinkUri};
use tg_metastore::MetaError;
use tg_model::{ChangefeedId, Coded, TableVersion, Ts};

type Answer<T> = Result<T, ApiError>;

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
            | ServerError::BadPlugin { .. }
            | ServerError::WrongKind { .. }
            | ServerError::Secret { .. }
            | ServerError::NoEndpoint { .. }
            | ServerError::NoRole { .. }
            | ServerError::Swap { .. }
            | ServerError::Quarantine(tg_pipeline::QuarantineError::NoRow { .. })
            | ServerError::Canary { .. }
            | ServerError::Rules { .. }
            | ServerError::BadGrant { .. }
            | ServerError::Replay { .. } => Self::Rejected { code: e.code(), message: e.to_string() },
            ServerError::Registry(e) if e.is_refusal() => Self::Rejected { code: e.code(), message: e.to_string() },
            ServerError::Cluster(
                e @ (ClusterError::NobodyLeft { .. }
                | ClusterError::NoSuccessor
                | ClusterError::CanaryElsewhere { .. }
                | ClusterError::NoMaintenance { .. }
                | ClusterError::NoLimit { .. }),
            ) => Self::Rejected { code: e.code(), message: e.to_string() },
            e => Self::Failed { code: e.code(), message: e.to_string(), retryable: e.is_retryable() },
        }
    }
}

/// The node as the API's [`Control`].
#[derive(Clone)]
pub struct NodeControl(pub(crate) Arc<Node>);

impl Node {
    /// What the HTTP API talks to.
    #[must_use]
    pub fn control(self: &Arc<Self>) -> NodeControl {
        NodeControl(Arc::clone(self))
    }
}

impl Node {
    /// The cluster whose schedule can be changed.
    fn scheduled(&self) -> Result<&Cluster, ServerError> {
        let alone = || ClusterError::NoLimit { why: "this server is alone".to_owned() };
        self.cluster.as_deref().ok_or_else(|| alone().into())
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
            is_owner: self.0.is_owner(),
            liveness: u8::from(self.0.cluster.as_ref().is_some_and(|c| c.drains())),
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
        if let Some(cluster) = &self.0.cluster {
            return Ok(cluster.captures(&self.0.options.cluster));
        }
        Ok(vec![Capture {
            id: self.0.id.clone(),
            is_owner: true,
            address: self.0.options.address.clone(),
            cluster_id: self.0.options.cluster.clone(),
            state: "up".to_owned(),
        }])
    }

    async fn maintain(&self, node: &str, away_max_ms: Option<u64>) -> Answer<Maintenance> {
        match &self.0.cluster {
            Some(cluster) => Ok(cluster.maintain(node, away_max_ms).await?),
            None => Err(ServerError::from(ClusterError::NoMaintenance {
                node: node.to_owned(),
                why: "this server is alone".to_owned(),
            })
            .into()),
        }
    }

    async fn limits(&self) -> Answer<Vec<Limit>> {
        Ok(self.0.scheduled()?.limits().await?)
    }

    async fn set_limits(&self, wanted: &BTreeMap<String, Option<u64>>) -> Answer<Vec<Limit>> {
        Ok(self.0.scheduled()?.set_limits(wanted).await?)
    }

    async fn drain(&self, capture: &str) -> Answer<u64> {
        if let Some(cluster) = &self.0.cluster {
            let left = cluster.drain(capture).await?;
            return left.ok_or_else(|| ApiError::CaptureNotFound { name: capture.to_owned() });
        }
        if capture != self.0.id {
            return Err(ApiError::CaptureNotFound { name: capture.to_owned() });
        }
        Err(ApiError::Unhealthy { reason: "the only node cannot be drained: nobody would be left".to_owned() })
    }

    async fn resign(&self) -> Answer<()> {
        if let Some(cluster) = &self.0.cluster {
            return Ok(cluster.resign().await?);
        }
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

    async fn update(&self, id: &ChangefeedId, change: ChangedChangefeed) -> Answer<(Changefeed, Option<Swapped>)> {
        let _one_at_a_time = self.0.changing.lock().await;
        let (record, _) = self.record(id).await?;
        if record.state == FeedState::Finished {
            return Err(ApiError::UpdateRefused { reason: format!("changefeed {id} is finished") });
        }
        if let Some(config) = self.only_plugins(id, &record, &change) {
            let swapped = self.0.swap_plugins(id, &config).await?;
            return Ok((self.shown(id).await?, swapped));
        }
        let running = self.running(id);
        // A running changefeed is stopped at a cut, changed, and goes on from there.
        self.0.halt(id).await;
        let changed = self.change(id, change).await;
        if running {
            self.0.launch(id);
        }
        changed?;
        Ok((self.shown(id).await?, None))
    }

    async fn pause(&self, id: &ChangefeedId) -> Answer<()> {
        let _one_at_a_time = self.0.changing.lock().await;
        self.record(id).await?;
        self.0.halt(id).await;
        self.store_state(id, FeedState::Stopped).await?;
        self.0.rests(id).await?;
        Ok(())
    }

    async fn resume(&self, id: &ChangefeedId, overwrite: Option<Ts>) -> Answer<()> {
        let _one_at_a_time = self.0.changing.lock().await;
        self.record(id).await?;
        if self.running(id) {
            return Ok(());
        }
        self.0.halt(id).await;
        self.0.rests(id).await?;
        if let Some(at) = overwrite {
            self.replace_checkpoint(id, at).await?;
        } else {
            let at = self.0.store.status(id).await.map_err(ServerError::from)?.0.checkpoint;
            self.hold_start(id, at.checkpoint_ts()).await?;
        }
        self.follow_names(id).await?;
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
        if self.0.cluster.is_some() && self.store_state(id, FeedState::Stopped).await.is_ok() {
            self.0.rests(id).await?;
        }
        self.0.store.remove(id, now_ms()).await.map_err(ServerError::from)?;
        self.0.quarantines.forget(id);
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
            self.try_out(&id, uri, &Arc::new(config.clone())).await?;
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
            plugins: self.0.plugins_of(id).await?,
            quarantined: self.0.quarantined_count(id).await,
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
            syncpoints_total: stats.syncpoints,
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
