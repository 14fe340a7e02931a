//! A changefeed's progress in the metadata store.

use crate::record::INCARNATION_FIELD;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tg_metastore as meta;
use tg_model::{ChangefeedId, Coded, Position, Ts};
use tg_pipeline::{DdlState, PipelineError, ProgressStore, Resume, Stats};

/// Names in the status what belongs to the checkpoint.
const RESUME_FIELD: &str = "resume";

/// What was stored beside the checkpoint.
pub(crate) fn resume_of(status: &meta::ChangefeedStatus) -> Result<Resume, PipelineError> {
    let read = status.other.get(RESUME_FIELD).map_or_else(|| Ok(Resume::default()), Resume::from_json);
    read.map_err(|e| PipelineError::Store { retryable: false, detail: e.to_string() })
}

/// What was stored beside the checkpoint under this incarnation; what was stored under another is ahead somewhere else.
pub(crate) fn resume_under(incarnation: &str, status: &meta::ChangefeedStatus) -> Result<Resume, PipelineError> {
    let stored = resume_of(status)?;
    let under = status.other.get(INCARNATION_FIELD).and_then(serde_json::Value::as_str);
    // Versions that did not write it had one per changefeed and place.
    if under.is_none_or(|under| under == incarnation) {
        return Ok(stored);
    }
    Ok(Resume { label: stored.label, ..Resume::default() })
}

/// What is stored beside a checkpoint.
fn resume_fields(incarnation: &str, resume: &Resume) -> serde_json::Map<String, serde_json::Value> {
    let incarnation = (INCARNATION_FIELD.to_owned(), incarnation.into());
    serde_json::Map::from_iter([(RESUME_FIELD.to_owned(), resume.to_json()), incarnation])
}

/// Beside the checkpoint of a changefeed that begins there with these plugins: nothing is ahead of it.
pub(crate) fn resume_at_start(incarnation: &str, label: &str) -> serde_json::Map<String, serde_json::Value> {
    resume_fields(incarnation, &Resume { label: label.to_owned(), ..Resume::default() })
}

/// Progress of one run, guarded by the revision that gave it the right.
pub(crate) struct StoredProgress {
    store: meta::ChangefeedStore,
    id: ChangefeedId,
    guard: meta::Guard,
    epoch: u64,
    incarnation: String,
    stats: Arc<Stats>,
    /// DDLs on record, so that asking for one costs nothing.
    ddls: Mutex<BTreeMap<(Ts, u32), DdlState>>,
}

impl StoredProgress {
    pub(crate) async fn open(
        store: meta::ChangefeedStore,
        id: ChangefeedId,
        guard: meta::Guard,
        (epoch, incarnation): (u64, &str),
        stats: Arc<Stats>,
    ) -> Result<Self, meta::MetaError> {
        let state = |d: &meta::DdlRecord| match d.state {
            meta::DdlState::Done | meta::DdlState::Skipped => DdlState::Done,
            meta::DdlState::Running | meta::DdlState::Failed => DdlState::Begun,
        };
        let known = store.ddls(&id).await?;
        let ddls = known.iter().map(|d| ((d.commit_ts, d.seq), state(d))).collect();
        let incarnation = incarnation.to_owned();
        Ok(Self { store, id, guard, epoch, incarnation, stats, ddls: Mutex::new(ddls) })
    }

    async fn save(&self, at: Position, resume: &Resume) -> Result<(), meta::MetaError> {
        let status = meta::ChangefeedStatus {
            checkpoint: at,
            emit_ts: Ts::new(self.stats.snapshot().emit_ts),
            epoch: self.epoch,
            updated_ms: now_ms(),
            other: resume_fields(&self.incarnation, resume),
        };
        self.store.advance(&self.id, self.guard, &status).await?;
        let upto = at.checkpoint_ts().prev();
        if self.forget(upto) {
            self.store.forget_ddls(&self.id, self.guard, upto).await?;
        }
        Ok(())
    }

    /// Forgets DDLs up to here; whether there were any.
    fn forget(&self, upto: Ts) -> bool {
        let mut known = self.ddls.lock();
        let kept = known.split_off(&(upto.next(), 0));
        !std::mem::replace(&mut *known, kept).is_empty()
    }

    async fn put(&self, ts: Ts, seq: u32, state: DdlState) -> Result<(), meta::MetaError> {
        let record = meta::DdlRecord {
            commit_ts: ts,
            seq,
            state: match state {
                DdlState::Begun => meta::DdlState::Running,
                DdlState::Done => meta::DdlState::Done,
            },
            executor_epoch: self.epoch,
            query: String::new(),
            outcome: String::new(),
            other: serde_json::Map::default(),
        };
        self.store.put_ddl(&self.id, self.guard, &record).await?;
        self.ddls.lock().insert((ts, seq), state);
        Ok(())
    }
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn failed(e: meta::MetaError) -> PipelineError {
    PipelineError::Store { retryable: e.is_retryable(), detail: e.to_string() }
}

impl ProgressStore for StoredProgress {
    fn checkpoint<'a>(&'a self, at: Position, resume: &'a Resume) -> BoxFuture<'a, Result<(), PipelineError>> {
        async move { self.save(at, resume).await.map_err(failed) }.boxed()
    }

    fn ddl(&self, ts: Ts, seq: u32) -> BoxFuture<'_, Result<Option<DdlState>, PipelineError>> {
        let known = self.ddls.lock().get(&(ts, seq)).copied();
        async move { Ok(known) }.boxed()
    }

    fn set_ddl(&self, ts: Ts, seq: u32, state: DdlState) -> BoxFuture<'_, Result<(), PipelineError>> {
        async move { self.put(ts, seq, state).await.map_err(failed) }.boxed()
    }
}
