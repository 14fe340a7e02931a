//! The store: schemas and tables as they are, and tables as they were.

use crate::convert::{Place, table_version};
use crate::history::History;
use crate::info::{DbInfo, JobInfo, STATE_PUBLIC, TableInfo};
use crate::job::{Holds, Job, Seen, classify};
use crate::{SchemaError, action, is_system_schema, key, row};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tg_model::{ChangeOp, RawChange, Span, TableId, TableVersion, Ts};

/// Schema that holds the job table.
const SYSTEM_SCHEMA: &str = "mysql";
/// Name of the job table.
const JOB_TABLE: &str = "tidb_ddl_job";
/// Its fixed id, and the id of its column `job_meta`, for when the meta data does not have it.
const JOB_TABLE_ID: i64 = 0x0000_ffff_ffff_ffff - 1;
const JOB_META_COLUMN: i64 = 5;
/// Applied jobs that are remembered by id; a job is seen again within a few moments or not at all.
const APPLIED_MAX: usize = 1024;

/// A schema (database) as it is.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) name: String,
}

/// Schemas of the upstream: as they are after the last applied job, and the table versions that rows on the way need.
#[derive(Debug)]
pub struct SchemaStore {
    pub(crate) snapshot_ts: Ts,
    pub(crate) schemas: BTreeMap<i64, Schema>,
    pub(crate) tables: BTreeMap<TableId, Arc<TableVersion>>,
    pub(crate) history: History,
    pub(crate) holds: Holds,
    applied: VecDeque<i64>,
    applied_ts: Ts,
    job_table: TableId,
    job_meta_column: i64,
}

impl SchemaStore {
    /// The key ranges whose pairs [`Self::from_snapshot`] wants.
    #[must_use]
    pub fn scan_ranges() -> Vec<Span> {
        key::scan_ranges()
    }

    /// Reads the schemas out of the meta data as of `ts`. Pairs of other keys are skipped, so the whole
    /// of the prefix `m` will do; the order of pairs means nothing.
    ///
    /// # Errors
    /// When an entry of a schema that is replicated is damaged or has a column of an unknown type.
    pub fn from_snapshot(ts: Ts, pairs: impl IntoIterator<Item = (Bytes, Bytes)>) -> Result<Self, SchemaError> {
        let mut store = Self::empty(ts);
        let mut tables = Vec::new();
        for (raw_key, value) in pairs {
            let Some((hash, field)) = key::hash_field(&raw_key) else {
                continue;
            };
            if hash == b"DBs" && key::numbered(&field, "DB:").is_some() {
                store.load_schema(&field, &value)?;
            } else if let (Some(schema), Some(table)) = (key::numbered(&hash, "DB:"), key::numbered(&field, "Table:")) {
                tables.push((schema, table, value));
            }
        }
        for (schema_id, table_id, value) in tables {
            store.load_table(schema_id, table_id, &value)?;
        }
        Ok(store)
    }

    fn empty(ts: Ts) -> Self {
        Self {
            snapshot_ts: ts,
            schemas: BTreeMap::new(),
            tables: BTreeMap::new(),
            history: History::default(),
            holds: Holds::default(),
            applied: VecDeque::new(),
            applied_ts: ts,
            job_table: TableId(JOB_TABLE_ID),
            job_meta_column: JOB_META_COLUMN,
        }
    }

    fn load_schema(&mut self, field: &[u8], value: &[u8]) -> Result<(), SchemaError> {
        let db: DbInfo = self.parse("DBs", field, value)?;
        if db.state == STATE_PUBLIC {
            self.schemas.insert(db.id, Schema { name: db.db_name.original });
        }
        Ok(())
    }

    fn load_table(&mut self, schema_id: i64, table_id: i64, value: &[u8]) -> Result<(), SchemaError> {
        let Some(schema) = self.schemas.get(&schema_id).cloned() else {
            return Ok(());
        };
        if is_system_schema(&schema.name) && (schema.name != SYSTEM_SCHEMA || !names(value, JOB_TABLE)) {
            return Ok(());
        }
        let field = format!("Table:{table_id}");
        let info: TableInfo = self.parse(&format!("DB:{schema_id}"), field.as_bytes(), value)?;
        if info.state != STATE_PUBLIC || info.temp_table_type != 0 {
            return Ok(());
        }
        if schema.name == SYSTEM_SCHEMA {
            self.load_job_table(&info);
            return Ok(());
        }
        let place = Place { schema_id, schema: &schema.name, since: self.snapshot_ts };
        let version = table_version(&info, place)?;
        self.put_table(version);
        Ok(())
    }

    fn load_job_table(&mut self, info: &TableInfo) {
        if info.name.original != JOB_TABLE {
            return;
        }
        self.job_table = TableId(info.id);
        if let Some(column) = info.cols.iter().find(|c| c.name.original == "job_meta") {
            self.job_meta_column = column.id;
        }
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, hash: &str, field: &[u8], value: &[u8]) -> Result<T, SchemaError> {
        serde_json::from_slice(value).map_err(|source| SchemaError::MetaJson {
            entry: format!("{hash}/{}", String::from_utf8_lossy(field)),
            ts: self.snapshot_ts,
            source,
        })
    }

    /// What to subscribe to for DDL jobs: the records of the job table.
    #[must_use]
    pub fn ddl_spans(&self) -> Vec<Span> {
        vec![Span::of_table(self.job_table)]
    }

    /// Decodes a change of the job table; `Some` for a job that is done. Every change of
    /// [`Self::ddl_spans`] is to be shown, in any order, before the resolved-ts that covers it is
    /// given to [`Self::cap_resolved`]. Changes of other keys are nothing.
    ///
    /// # Errors
    /// When the row or the description in it cannot be decoded.
    pub fn decode_job(&mut self, change: &RawChange) -> Result<Option<Job>, SchemaError> {
        let Some((table, job_id)) = key::record(&change.key) else {
            return Ok(None);
        };
        if TableId(table) != self.job_table {
            return Ok(None);
        }
        if change.op == ChangeOp::Delete {
            self.holds.end(job_id);
            return Ok(None);
        }
        let commit_ts = change.commit_ts;
        let meta = row::bytes_of_column(&change.value, self.job_meta_column)
            .and_then(|m| m.ok_or("it has no job description"))
            .map_err(|reason| SchemaError::JobRow { job_id, commit_ts, reason })?;
        let info: JobInfo =
            serde_json::from_slice(meta).map_err(|source| SchemaError::JobJson { job_id, commit_ts, source })?;
        Ok(self.note(info, change))
    }

    fn note(&mut self, info: JobInfo, change: &RawChange) -> Option<Job> {
        match classify(&info) {
            Seen::Nothing => None,
            Seen::ColumnsPublic => {
                if !self.applied.contains(&info.id) {
                    self.holds.begin(info.id, change.commit_ts);
                }
                None
            }
            Seen::Ended => {
                self.holds.end(info.id);
                None
            }
            Seen::Done => {
                let since = self.holds.end(info.id).unwrap_or(change.commit_ts);
                Some(Job {
                    commit_ts: since.min(change.commit_ts),
                    start_ts: change.start_ts,
                    finished_ts: change.commit_ts,
                    info,
                })
            }
        }
    }

    /// How far the DDL stream counts as resolved when its spans are resolved to `resolved`: less, while
    /// the columns of an unfinished multi schema change are already public (see the crate's text).
    /// Never goes back. A caller that never asks is never held, and then gets such a job at the ts it is done.
    pub fn cap_resolved(&mut self, resolved: Ts) -> Ts {
        self.holds.cap(resolved)
    }

    /// The table that a row of `physical` committed at `commit_ts` belongs to; partitions give their
    /// table. `None`: not known, dropped, not replicated, or before the snapshot.
    #[must_use]
    pub fn table_at(&self, physical: TableId, commit_ts: Ts) -> Option<Arc<TableVersion>> {
        self.history.at(physical, commit_ts)
    }

    /// The tables as they are after the last applied job, by logical id; views and sequences too.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<TableVersion>> {
        self.tables.values()
    }

    /// The table with this logical id as it is after the last applied job.
    #[must_use]
    pub fn table(&self, logical: TableId) -> Option<&Arc<TableVersion>> {
        self.tables.get(&logical)
    }

    /// Forgets versions that only rows committed up to `upto` could need.
    pub fn gc(&mut self, upto: Ts) {
        self.history.gc(upto);
    }

    /// How many table versions are held for rows on the way.
    #[must_use]
    pub fn version_count(&self) -> usize {
        self.history.len()
    }

    /// Commit-ts of the last applied job, or the snapshot's ts.
    #[must_use]
    pub const fn applied_ts(&self) -> Ts {
        self.applied_ts
    }

    /// Whether a job was applied before or is in the snapshot.
    pub(crate) fn is_applied(&self, job: &Job) -> bool {
        job.commit_ts < self.applied_ts || job.commit_ts <= self.snapshot_ts || self.applied.contains(&job.info.id)
    }

    pub(crate) fn remember(&mut self, job: &Job) {
        if self.applied.len() == APPLIED_MAX {
            self.applied.pop_front();
        }
        self.applied.push_back(job.info.id);
        self.applied_ts = self.applied_ts.max(job.commit_ts);
    }

    /// Makes `version` the table with its id. Physical ids that the table had and has no more end.
    pub(crate) fn put_table(&mut self, version: TableVersion) -> Arc<TableVersion> {
        let version = Arc::new(version);
        if let Some(old) = self.tables.insert(version.table, Arc::clone(&version)) {
            self.end_ids(&old, version.since);
        }
        for id in physical_ids(&version) {
            self.history.set(id, version.since, Some(Arc::clone(&version)));
        }
        version
    }

    /// Takes a table away from `since` (excluded) on.
    pub(crate) fn remove_table(&mut self, logical: TableId, since: Ts) -> Option<Arc<TableVersion>> {
        let old = self.tables.remove(&logical)?;
        self.end_ids(&old, since);
        Some(old)
    }

    fn end_ids(&mut self, old: &TableVersion, since: Ts) {
        for id in physical_ids(old) {
            self.history.set(id, since, None);
        }
    }
}

/// The ids under which rows of a table are stored: none for views and sequences.
pub(crate) fn physical_ids(version: &TableVersion) -> Vec<TableId> {
    if version.is_view || version.is_sequence { Vec::new() } else { version.physical_ids().collect() }
}

/// Whether a description may be that of the table `name`; spares parsing all system tables.
fn names(value: &[u8], name: &str) -> bool {
    value.windows(name.len()).any(|w| w == name.as_bytes())
}

/// Whether the action is one that is known to change what rows look like but cannot be followed.
pub(crate) fn refuse(job: &Job) -> Result<(), SchemaError> {
    if job.info.action == action::FLASHBACK_CLUSTER {
        return Err(SchemaError::FlashbackCluster { job_id: job.info.id, commit_ts: job.commit_ts });
    }
    Ok(())
}
