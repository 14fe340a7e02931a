//! Quarantines of the node's changefeeds, and the API on them.

use crate::cluster::ClusterError;
use crate::control::NodeControl;
use crate::node::Node;
use crate::{ServerError, row_json};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tg_api::{ApiError, Chosen, QuarantineControl, QuarantineList, QuarantinedRow, Replayed};
use tg_config::ChangefeedConfig;
use tg_model::ChangefeedId;
use tg_pipeline::{FileQuarantine, Kept, QuarantineError, QuarantineLimits, ReplayError};

/// Rows of one request that are looked up at a time.
const PAGE_ROWS: usize = 1_000;

type Answer<T> = Result<T, ApiError>;

/// One file per changefeed: `<folder>/<namespace>/<name>.rows`. A run and the API share what is open.
pub(crate) struct Quarantines {
    folder: PathBuf,
    open: Mutex<BTreeMap<ChangefeedId, (u32, FileQuarantine)>>,
}

impl Quarantines {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder, open: Mutex::new(BTreeMap::new()) }
    }

    fn path(&self, id: &ChangefeedId) -> PathBuf {
        self.folder.join(&id.namespace).join(format!("{}.rows", id.name))
    }

    /// Opens it, or begins it.
    async fn open(&self, id: &ChangefeedId, per_hour: u32) -> Result<FileQuarantine, ServerError> {
        if let Some((limit, open)) = self.open.lock().get(id)
            && *limit == per_hour
        {
            return Ok(open.clone());
        }
        let path = self.path(id);
        let opened = blocking(move || FileQuarantine::open(&path, QuarantineLimits { per_hour })).await?;
        self.open.lock().insert(id.clone(), (per_hour, opened.clone()));
        Ok(opened)
    }

    /// What there is of a changefeed; `None`: no row was ever put aside.
    async fn existing(&self, id: &ChangefeedId) -> Result<Option<FileQuarantine>, ServerError> {
        if let Some((_, open)) = self.open.lock().get(id) {
            return Ok(Some(open.clone()));
        }
        if !self.path(id).exists() {
            return Ok(None);
        }
        self.open(id, QuarantineLimits::PER_HOUR).await.map(Some)
    }

    /// The changefeed is gone.
    pub(crate) fn forget(&self, id: &ChangefeedId) {
        self.open.lock().remove(id);
        let path = self.path(id);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), error = %e, "the quarantine of a removed changefeed stays on the disk");
            }
            _ => {}
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QuarantineError> + Send + 'static,
) -> Result<T, ServerError> {
    let done = tokio::task::spawn_blocking(work).await;
    let gone = |e: tokio::task::JoinError| QuarantineError::Io { path: String::new(), reason: e.to_string() };
    Ok(done.unwrap_or_else(|e| Err(gone(e)))?)
}

impl Node {
    /// Where a run puts rows aside; `None`: such a row ends it.
    pub(crate) async fn quarantine_of_run(
        &self,
        id: &ChangefeedId,
        config: &ChangefeedConfig,
    ) -> Result<Option<FileQuarantine>, ServerError> {
        match config.tidegate.quarantine.limit_per_hour {
            0 => Ok(None),
            per_hour => self.quarantines.open(id, per_hour).await.map(Some),
        }
    }

    /// Rows put aside now.
    pub(crate) async fn quarantined_count(&self, id: &ChangefeedId) -> u64 {
        match self.quarantines.existing(id).await {
            Ok(found) => found.map_or(0, |q| q.count() as u64),
            Err(e) => {
                tracing::error!(changefeed = %id, error = %e, "the quarantine cannot be read");
                0
            }
        }
    }

    /// The quarantine of a changefeed that exists.
    async fn quarantine(&self, id: &ChangefeedId) -> Result<Option<FileQuarantine>, ServerError> {
        self.store.info(id).await?;
        self.quarantines.existing(id).await
    }

    async fn chosen(&self, quarantine: &FileQuarantine, chosen: Chosen) -> Result<Vec<Kept>, ServerError> {
        let quarantine = quarantine.clone();
        blocking(move || match chosen {
            Chosen::Ids(ids) => ids.into_iter().map(|id| quarantine.get(id)).collect(),
            Chosen::All => {
                let mut all: Vec<Kept> = Vec::new();
                loop {
                    let page = quarantine.list(all.last().map_or(0, |k| k.id), PAGE_ROWS)?;
                    if page.is_empty() {
                        return Ok(all);
                    }
                    all.extend(page);
                }
            }
        })
        .await
    }

    async fn replay_rows(&self, id: &ChangefeedId, chosen: Chosen) -> Result<Replayed, ServerError> {
        let mut done = Replayed::default();
        let Some(quarantine) = self.quarantine(id).await? else { return Ok(done) };
        let rows = self.chosen(&quarantine, chosen).await?;
        if rows.is_empty() {
            return Ok(done);
        }
        let failed = |source| ServerError::Replay { changefeed: id.to_string(), source };
        let view = self.feeds.lock().get(id).map(|h| Arc::clone(&h.view));
        let view = view.ok_or_else(|| failed(ReplayError::NotRunning))?;
        let _gathered = view.gather().await.ok_or_else(|| ClusterError::NotGathered { changefeed: id.to_string() })?;
        let running = view.running().ok_or_else(|| failed(ReplayError::NotRunning))?;
        for kept in rows {
            let row = kept.id;
            match running.control.replay(kept.row).await {
                Ok(()) => {
                    let quarantine = quarantine.clone();
                    blocking(move || quarantine.drop_row(row)).await?;
                    done.written += 1;
                }
                Err(e @ ReplayError::NotRunning) => return Err(failed(e)),
                Err(e) => done.refused.push((row, e.to_string())),
            }
        }
        Ok(done)
    }
}

fn shown(kept: &Kept, values: bool) -> QuarantinedRow {
    let row = &kept.row;
    QuarantinedRow {
        id: kept.id,
        at_ms: kept.at_ms,
        schema: row.schema.clone(),
        table: row.name.clone(),
        commit_ts: row.commit_ts,
        op: row_json::op(&row.data).to_owned(),
        by: row.by.clone(),
        code: row.code.clone(),
        message: row.message.clone(),
        row: if values { row_json::row(&row.data) } else { serde_json::Value::Null },
    }
}

impl QuarantineControl for NodeControl {
    async fn quarantined(&self, id: &ChangefeedId, after: u64, limit: usize) -> Answer<QuarantineList> {
        let Some(quarantine) = self.0.quarantine(id).await? else { return Ok(QuarantineList::default()) };
        let total = quarantine.count() as u64;
        let rows = blocking(move || quarantine.list(after, limit)).await?;
        Ok(QuarantineList { total, items: rows.iter().map(|k| shown(k, false)).collect() })
    }

    async fn quarantined_row(&self, id: &ChangefeedId, row: u64) -> Answer<QuarantinedRow> {
        let none = || ServerError::from(QuarantineError::NoRow { id: row });
        let quarantine = self.0.quarantine(id).await?.ok_or_else(none)?;
        let kept = blocking(move || quarantine.get(row)).await?;
        Ok(shown(&kept, true))
    }

    async fn replay(&self, id: &ChangefeedId, chosen: Chosen) -> Answer<Replayed> {
        let _one_at_a_time = self.0.changing.lock().await;
        Ok(self.0.replay_rows(id, chosen).await?)
    }

    async fn drop_rows(&self, id: &ChangefeedId, chosen: Chosen) -> Answer<u64> {
        let Some(quarantine) = self.0.quarantine(id).await? else { return Ok(0) };
        let rows = self.0.chosen(&quarantine, chosen).await?;
        let dropped = rows.len() as u64;
        let drop_all = move || rows.into_iter().try_for_each(|kept| quarantine.drop_row(kept.id));
        blocking(drop_all).await?;
        Ok(dropped)
    }
}
