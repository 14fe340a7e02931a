//! Puts rows aside, or says why the run ends instead.

use crate::error::PipelineError;
use crate::ports::QuarantineStore;
use crate::quarantine::{BadRow, RowData};
use crate::stats::{Stats, add};
use std::sync::Arc;
use tg_model::{LaneId, Position, RawChange, SlotId, TableVersion, Ts};
use tg_plugin::BadEvent;
use tgr1::BatchBuf;

/// Where rows of one slot go that nobody takes.
#[derive(Clone)]
pub(crate) struct Aside {
    pub(crate) store: Option<Arc<dyn QuarantineStore>>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) slot: SlotId,
    pub(crate) lane: Option<LaneId>,
}

/// Rows of one batch that somebody refused.
pub(crate) struct Refused<'a> {
    pub(crate) by: &'a str,
    pub(crate) version: &'a Arc<TableVersion>,
    pub(crate) batch: &'a BatchBuf,
    pub(crate) rows: &'a [BadEvent],
    pub(crate) position: Position,
}

impl Refused<'_> {
    /// What the run ends with where there is no place for them.
    pub(crate) fn error(&self) -> PipelineError {
        PipelineError::refused_row(self.version, self.batch, self.rows)
    }
}

impl Aside {
    /// Keeps the rows, durably when it returns. Without a place for them the first one is the error.
    pub(crate) async fn put(&self, refused: Refused<'_>) -> Result<(), PipelineError> {
        if refused.rows.is_empty() {
            return Ok(());
        }
        let Some(store) = &self.store else { return Err(refused.error()) };
        let rows: Result<Vec<_>, _> = refused.rows.iter().map(|bad| self.row(&refused, bad)).collect();
        let rows = rows.map_err(|source| PipelineError::Format { slot: self.slot, source })?;
        self.keep(store.as_ref(), rows, &refused.error().to_string()).await
    }

    /// Keeps a change that could not be mounted.
    pub(crate) async fn put_raw(
        &self,
        version: &TableVersion,
        change: &RawChange,
        position: Position,
        error: tg_mounter::MountError,
    ) -> Result<(), PipelineError> {
        let slot = self.slot;
        let Some(store) = &self.store else { return Err(PipelineError::Mount { slot, source: error }) };
        let row = BadRow {
            slot,
            lane: None,
            position,
            table: version.table,
            schema: version.schema.clone(),
            name: version.name.clone(),
            commit_ts: change.commit_ts,
            start_ts: change.start_ts,
            by: "mounter".to_owned(),
            code: tg_model::Coded::code(&error).to_string(),
            message: error.to_string(),
            data: RowData::raw(change),
        };
        self.keep(store.as_ref(), vec![row], &error.to_string()).await
    }

    async fn keep(&self, store: &dyn QuarantineStore, rows: Vec<BadRow>, why: &str) -> Result<(), PipelineError> {
        for row in &rows {
            let BadRow { schema, name, commit_ts, by, code, message, .. } = row;
            tracing::warn!(table = %format!("{schema}.{name}"), %commit_ts, by, code, reason = %message, "a row is put aside");
        }
        let kept = store.keep(rows).await;
        let kept = kept.map_err(|source| PipelineError::Quarantine { row: why.to_owned(), source })?;
        add(&self.stats.rows_quarantined, kept);
        Ok(())
    }

    fn row(&self, refused: &Refused<'_>, bad: &BadEvent) -> Result<BadRow, tgr1::FormatError> {
        let Refused { by, version, batch, position, .. } = *refused;
        let row = batch.batch().row(bad.row as usize).ok_or(tgr1::FormatError::NoRow(bad.row))?;
        let (commit_ts, start_ts) = (Ts::new(row.commit_ts()), Ts::new(row.start_ts()));
        let one = tgr1::select(&batch.batch(), [bad.row])?;
        Ok(BadRow {
            slot: self.slot,
            lane: self.lane,
            position,
            table: version.table,
            schema: version.schema.clone(),
            name: version.name.clone(),
            commit_ts,
            start_ts,
            by: by.to_owned(),
            code: bad.code.clone(),
            message: bad.message.clone(),
            data: RowData::Batch { batch: one, version: Box::new(TableVersion::clone(version)) },
        })
    }
}
