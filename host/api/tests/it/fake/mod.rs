//! A server in memory behind the API: what tests of the API and of the command line talk to.
#![allow(dead_code, unreachable_pub, unused_imports, clippy::unwrap_used, missing_docs)]

mod plugins;
pub use plugins::DIGEST;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tg_api::*;
use tg_config::{ChangefeedConfig, SinkUri};
use tg_model::{ChangefeedId, TableId, Ts};

/// The upstream's clock stands still.
pub const NOW: Ts = Ts::compose(1_795_231_091_643, 8);
pub const GC_SAFEPOINT: Ts = Ts::compose(1_795_000_000_000, 0);

#[derive(Default)]
pub struct Fake {
    pub feeds: Mutex<BTreeMap<ChangefeedId, Changefeed>>,
    pub level: Mutex<String>,
    /// Tables without a key, as the upstream has them.
    pub ineligible: Mutex<Vec<TableName>>,
    pub waiting: Mutex<Vec<Waiting>>,
    /// The scheduler's only limit here, if it was set.
    pub moves: Mutex<Option<u64>>,
    pub plugins: Mutex<Vec<Plugin>>,
    /// What was pushed.
    pub pushed: Mutex<Vec<NewPlugin>>,
}

fn missing(id: &ChangefeedId) -> ApiError {
    ApiError::NotFound { name: id.name.clone() }
}

impl Fake {
    pub(crate) fn with<T>(&self, id: &ChangefeedId, f: impl FnOnce(&mut Changefeed) -> T) -> Result<T, ApiError> {
        self.feeds.lock().unwrap().get_mut(id).map(f).ok_or_else(|| missing(id))
    }

    fn check_start(start_ts: Ts) -> Result<(), ApiError> {
        if start_ts < GC_SAFEPOINT {
            return Err(ApiError::StartBeforeGc { start_ts, safepoint_ts: GC_SAFEPOINT });
        }
        Ok(())
    }
}

impl Control for Fake {
    fn status(&self) -> ServerStatus {
        ServerStatus {
            version: "v9.0.0-tidegate.1".to_owned(),
            git_hash: "abcdef0".to_owned(),
            id: "node-1".to_owned(),
            cluster_id: "default".to_owned(),
            pid: 1,
            is_owner: true,
            liveness: 0,
        }
    }

    async fn health(&self) -> Result<(), ApiError> {
        Ok(())
    }

    async fn tso(&self) -> Result<Ts, ApiError> {
        Ok(NOW)
    }

    async fn captures(&self) -> Result<Vec<Capture>, ApiError> {
        let (id, address) = ("node-1".to_owned(), "127.0.0.1:8300".to_owned());
        Ok(vec![Capture { id, is_owner: true, address, cluster_id: "default".to_owned(), state: "up".to_owned() }])
    }

    async fn maintain(&self, node: &str, away_max_ms: Option<u64>) -> Result<Maintenance, ApiError> {
        if node != "node-1" {
            return Err(ApiError::CaptureNotFound { name: node.to_owned() });
        }
        Ok(Maintenance { node: node.to_owned(), address: "127.0.0.1:8300".to_owned(), away_max_ms })
    }

    async fn limits(&self) -> Result<Vec<Limit>, ApiError> {
        let limit = |value| Limit {
            name: "moves".to_owned(),
            value,
            default: 64,
            least: 0,
            most: 100,
            means: "how many at once".to_owned(),
        };
        Ok(vec![limit(self.moves.lock().unwrap().unwrap_or(64))])
    }

    async fn set_limits(&self, wanted: &BTreeMap<String, Option<u64>>) -> Result<Vec<Limit>, ApiError> {
        if let Some(name) = wanted.keys().find(|name| *name != "moves") {
            return Err(ApiError::InvalidParam { reason: format!("there is no limit `{name}`") });
        }
        if let Some(value) = wanted.get("moves") {
            *self.moves.lock().unwrap() = *value;
        }
        self.limits().await
    }

    async fn drain(&self, capture: &str) -> Result<u64, ApiError> {
        if capture == "node-1" { Ok(2) } else { Err(ApiError::CaptureNotFound { name: capture.to_owned() }) }
    }

    async fn resign(&self) -> Result<(), ApiError> {
        Ok(())
    }

    async fn set_log_level(&self, level: &str) -> Result<(), ApiError> {
        level.clone_into(&mut self.level.lock().unwrap());
        Ok(())
    }

    async fn metadata(&self) -> Result<Vec<(String, String)>, ApiError> {
        Ok(vec![("/tidegate/x".to_owned(), "1".to_owned())])
    }

    async fn list(&self, namespace: &str) -> Result<Vec<Changefeed>, ApiError> {
        Ok(self.feeds.lock().unwrap().values().filter(|f| f.id.namespace == namespace).cloned().collect())
    }

    async fn get(&self, id: &ChangefeedId) -> Result<Changefeed, ApiError> {
        self.with(id, |f| f.clone())
    }

    async fn create(&self, new: NewChangefeed) -> Result<Changefeed, ApiError> {
        let start_ts = new.start_ts.unwrap_or(NOW);
        Self::check_start(start_ts)?;
        let mut feeds = self.feeds.lock().unwrap();
        if feeds.contains_key(&new.id) {
            return Err(ApiError::AlreadyExists { name: new.id.name });
        }
        // Nothing listens on the port of the recording that was refused.
        if new.sink_uri.hosts.iter().any(|(_, port)| *port == Some(1)) {
            let reason = "connection refused".to_owned();
            return Err(ApiError::SinkUri { uri: new.sink_uri.to_string(), reason });
        }
        let feed = Changefeed {
            id: new.id.clone(),
            upstream_id: 7_710_443_664_994_439_459,
            sink_uri: new.sink_uri,
            config: Arc::new(new.config),
            create_time: "2026-11-21T03:18:11.78478653Z".parse().unwrap(),
            start_ts,
            target_ts: new.target_ts,
            state: FeedState::Normal,
            error: None,
            creator_version: "v9.0.0-tidegate.1".to_owned(),
            resolved_ts: start_ts,
            checkpoint_ts: start_ts,
            maintainer: None,
        };
        feeds.insert(new.id.clone(), feed.clone());
        // It runs from now on, and the recording shows its leader from the next query on.
        if let Some(stored) = feeds.get_mut(&new.id) {
            stored.maintainer = Some("127.0.0.1:8300".to_owned());
        }
        Ok(feed)
    }

    async fn update(
        &self,
        id: &ChangefeedId,
        change: ChangedChangefeed,
    ) -> Result<(Changefeed, Option<Swapped>), ApiError> {
        self.with(id, |feed| {
            if !matches!(feed.state, FeedState::Stopped | FeedState::Failed) {
                let reason = "can only update changefeed config when it is stopped or failed".to_owned();
                return Err(ApiError::UpdateRefused { reason });
            }
            feed.target_ts = change.target_ts.or(feed.target_ts);
            if let Some(uri) = change.sink_uri {
                feed.sink_uri = uri;
            }
            if let Some(config) = change.config {
                feed.config = Arc::new(config);
            }
            Ok((feed.clone(), None))
        })?
    }

    async fn pause(&self, id: &ChangefeedId) -> Result<(), ApiError> {
        self.with(id, |feed| {
            feed.state = FeedState::Stopped;
            feed.maintainer = None;
        })
    }

    async fn resume(&self, id: &ChangefeedId, overwrite: Option<Ts>) -> Result<(), ApiError> {
        self.with(id, |feed| {
            feed.state = FeedState::Normal;
            feed.maintainer = Some("127.0.0.1:8300".to_owned());
            feed.checkpoint_ts = overwrite.unwrap_or(feed.checkpoint_ts);
        })
    }

    async fn remove(&self, id: &ChangefeedId) -> Result<(), ApiError> {
        self.feeds.lock().unwrap().remove(id).map(|_| ()).ok_or_else(|| missing(id))
    }

    async fn tables(&self, id: &ChangefeedId) -> Result<Vec<NodeTables>, ApiError> {
        self.with(id, |_| vec![NodeTables { node_id: "node-1".to_owned(), table_ids: vec![0, 271] }])
    }

    async fn verify_tables(
        &self,
        _: &ChangefeedConfig,
        start_ts: Ts,
        _: Option<&SinkUri>,
    ) -> Result<TableList, ApiError> {
        Self::check_start(start_ts)?;
        let (database_name, table_name) = ("perf".to_owned(), "sb".to_owned());
        let eligible = TableName { database_name, table_name, table_id: TableId(271), is_partition: false };
        let ineligible_tables = self.ineligible.lock().unwrap().clone();
        let all_tables = ineligible_tables.iter().cloned().chain([eligible.clone()]).collect();
        Ok(TableList { ineligible_tables, eligible_tables: vec![eligible], all_tables })
    }

    async fn synced(&self, id: &ChangefeedId) -> Result<SyncedInput, ApiError> {
        self.with(id, |feed| SyncedInput {
            checkpoint_ts: feed.checkpoint_ts,
            resolved_ts: feed.resolved_ts,
            last_synced_ms: 0,
            now_ms: NOW.physical_ms(),
        })
    }

    async fn progress(&self, id: &ChangefeedId) -> Result<Progress, ApiError> {
        let waiting = self.waiting.lock().unwrap().clone();
        self.with(id, |feed| Progress {
            checkpoint_lag_ms: NOW.ms_since(feed.checkpoint_ts),
            rows_total: 1_234_567,
            rows_per_sec: 2500.5,
            bytes_total: 5 << 20,
            syncpoints_total: 3,
            memory_bytes: 1 << 20,
            memory_limit_bytes: 1 << 30,
            tables: 2,
            waiting,
            ..Progress::default()
        })
    }
}

/// Serves the API over `fake` on a free port until the runtime ends.
pub async fn serve(fake: Arc<Fake>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let options = ApiOptions { tz: jiff::tz::TimeZone::UTC, registry: None };
    let app = router(fake, options);
    tokio::spawn(async move { axum::serve(listener, app).await });
    addr
}
