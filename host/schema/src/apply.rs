//! Finished jobs → what they change, and the events that say so.

use crate::convert::{Place, table_version};
use crate::info::TableInfo;
use crate::job::Job;
use crate::store::{Schema, SchemaStore, physical_ids, refuse};
use crate::{SchemaError, action, is_system_schema, sql, statement};
use std::collections::BTreeSet;
use std::sync::Arc;
use tg_model::{DdlEvent, DdlKind, TableId, TableVersion, Ts};

/// What an event is made of besides its job.
pub(crate) struct Draft {
    pub(crate) seq: u32,
    pub(crate) query: String,
    pub(crate) before: Option<Arc<TableVersion>>,
    pub(crate) after: Option<Arc<TableVersion>>,
}

impl SchemaStore {
    /// Applies a job: to be called in the order of [`Job::commit_ts`]. Returns the statements to replicate;
    /// none for a job that was applied before, is in the snapshot, or stays upstream.
    ///
    /// # Errors
    /// When the job lacks what its action needs, or when nothing can follow it. The store is then as before.
    pub fn apply(&mut self, job: &Job) -> Result<Vec<DdlEvent>, SchemaError> {
        if self.is_applied(job) {
            return Ok(Vec::new());
        }
        refuse(job)?;
        let events = match job.info.action {
            action::CREATE_SCHEMA => self.create_schema(job)?,
            action::DROP_SCHEMA => self.drop_schema(job),
            action::CREATE_TABLE | action::CREATE_VIEW | action::CREATE_SEQUENCE | action::RECOVER_TABLE => {
                self.create(job)?
            }
            action::CREATE_TABLES => self.create_many(job)?,
            action::DROP_TABLE | action::DROP_VIEW | action::DROP_SEQUENCE => self.drop_table(job)?,
            action::TRUNCATE_TABLE | action::ALTER_PARTITIONING | action::REMOVE_PARTITIONING => self.replace(job)?,
            action::RENAME_TABLE | action::RENAME_TABLES => self.rename(job)?,
            action::EXCHANGE_PARTITION => self.exchange(job)?,
            _ => self.alter(job)?,
        };
        self.remember(job);
        Ok(events)
    }

    fn create_schema(&mut self, job: &Job) -> Result<Vec<DdlEvent>, SchemaError> {
        let db = job.info.binlog.db.as_ref().ok_or_else(|| incomplete(job, "schema description"))?;
        let name = db.db_name.original.clone();
        let known = self.schemas.insert(db.id, Schema { name: name.clone() }).is_some();
        if known || is_system_schema(&name) {
            return Ok(Vec::new());
        }
        Ok(vec![schema_event(job, name, statement::create_schema(db), Vec::new(), Vec::new())])
    }

    fn drop_schema(&mut self, job: &Job) -> Vec<DdlEvent> {
        let name = self.schema_name(job.info.schema_id, job);
        self.schemas.remove(&job.info.schema_id);
        let gone: Vec<TableId> =
            self.tables.values().filter(|t| t.schema_id == job.info.schema_id).map(|t| t.table).collect();
        let ids: Vec<TableId> = gone
            .into_iter()
            .filter_map(|id| self.remove_table(id, job.commit_ts))
            .flat_map(|t| physical_ids(&t))
            .collect();
        if is_system_schema(&name) {
            return Vec::new();
        }
        let query = format!("DROP DATABASE {}", sql::ident(&name));
        vec![schema_event(job, name, query, ids.clone(), ids)]
    }

    fn create(&mut self, job: &Job) -> Result<Vec<DdlEvent>, SchemaError> {
        let info = need_table(job)?;
        Ok(self.create_one(job, info, 0, &job.info.query)?.into_iter().collect())
    }

    fn create_many(&mut self, job: &Job) -> Result<Vec<DdlEvent>, SchemaError> {
        let statements = sql::split(&job.info.query, job.info.sql_mode);
        let aligned = statements.len() == job.info.binlog.tables.len();
        let mut events = Vec::new();
        for (seq, info) in (0_u32..).zip(&job.info.binlog.tables) {
            let text = if aligned { statements.get(seq as usize).map_or("", |s| s.as_str()) } else { "" };
            events.extend(self.create_one(job, info, seq, text)?);
        }
        Ok(events)
    }

    fn create_one(
        &mut self,
        job: &Job,
        info: &TableInfo,
        seq: u32,
        text: &str,
    ) -> Result<Option<DdlEvent>, SchemaError> {
        let schema = self.schema_name(job.info.schema_id, job);
        if is_system_schema(&schema) || info.temp_table_type != 0 || self.tables.contains_key(&TableId(info.id)) {
            return Ok(None);
        }
        let version = self.version(job, info, job.info.schema_id)?;
        if version.is_view {
            self.remove_view_named(&version, job.commit_ts);
        }
        let query = statement::create(job, info, &version, text);
        let after = self.put_table(version);
        Ok(event(job, Draft { seq, query, before: None, after: Some(after) }))
    }

    /// CREATE OR REPLACE VIEW makes a view with another id.
    fn remove_view_named(&mut self, new: &TableVersion, since: Ts) {
        let same = |t: &&Arc<TableVersion>| {
            t.is_view && t.schema_id == new.schema_id && t.name.eq_ignore_ascii_case(&new.name)
        };
        if let Some(old) = self.tables.values().find(same).map(|t| t.table) {
            self.remove_table(old, since);
        }
    }

    fn drop_table(&mut self, job: &Job) -> Result<Vec<DdlEvent>, SchemaError> {
        let mut before = self.remove_table(TableId(job.info.table_id), job.commit_ts);
        if before.is_none() {
            // In the snapshot a table that is being dropped is not public any more, but the drop is still to be told.
            before = job
                .info
                .binlog
                .table
                .as_ref()
                .filter(|i| self.is_followed(i, job))
                .map(|i| self.version(job, i, job.info.schema_id))
                .transpose()?
                .map(Arc::new);
        }
        let Some(before) = before else {
            return Ok(Vec::new());
        };
        let what = if before.is_view { "VIEW" } else { "TABLE" };
        let query = format!("DROP {what} {}", sql::full(&before.schema, &before.name));
        Ok(event(job, Draft { seq: 0, query, before: Some(before), after: None }).into_iter().collect())
    }

    /// A table takes over from another of the same name: TRUNCATE and changes from or to a partitioned table.
    fn replace(&mut self, job: &Job) -> Result<Vec<DdlEvent>, SchemaError> {
        let info = need_table(job)?;
        if !self.is_followed(info, job) {
            return Ok(Vec::new());
        }
        let version = self.version(job, info, job.info.schema_id)?;
        let old = TableId(job.info.table_id);
        let before =
            if old == version.table { self.tables.get(&old).cloned() } else { self.remove_table(old, job.commit_ts) };
        let query = if job.info.action == action::TRUNCATE_TABLE {
            format!("TRUNCATE TABLE {}", sql::full(&version.schema, &version.name))
        } else {
            statement::qualified(job, &version.schema)
        };
        let after = self.put_table(version);
        Ok(event(job, Draft { seq: 0, query, before, after: Some(after) }).into_iter().collect())
    }

    fn alter(&mut self, job: &Job) -> Result<Vec<DdlEvent>, SchemaError> {
        if let Some(db) = job.info.binlog.db.as_ref().filter(|db| self.schemas.contains_key(&db.id)) {
            let name = db.db_name.original.clone();
            self.schemas.insert(db.id, Schema { name: name.clone() });
            let told = job.info.action == action::ALTER_SCHEMA && !is_system_schema(&name);
            let ids = || self.tables.values().filter(|t| t.schema_id == db.id).flat_map(|t| physical_ids(t)).collect();
            return Ok(told
                .then(|| schema_event(job, name, statement::alter_schema(db), ids(), Vec::new()))
                .into_iter()
                .collect());
        }
        if job.info.action == action::RECOVER_SCHEMA {
            tracing::warn!(
                job = job.info.id,
                schema = job.info.schema_name,
                "FLASHBACK DATABASE is not replicated: its tables are not followed"
            );
        }
        let Some(info) = &job.info.binlog.table else {
            return Ok(Vec::new());
        };
        let before = self.tables.get(&TableId(info.id)).cloned();
        if before.is_none() && (action::kind(job.info.action).is_none() || !self.is_followed(info, job)) {
            return Ok(Vec::new());
        }
        let schema_id = before.as_ref().map_or(job.info.schema_id, |b| b.schema_id);
        let version = self.version(job, info, schema_id)?;
        let in_snapshot = before.as_ref().is_some_and(|b| self.has_columns_already(job, b, &version));
        let query = statement::qualified(job, &version.schema);
        let after = self.put_table(version);
        if in_snapshot {
            return Ok(Vec::new());
        }
        Ok(event(job, Draft { seq: 0, query, before, after: Some(after) }).into_iter().collect())
    }

    /// Whether the snapshot was taken between the moment when a multi schema change made its columns
    /// public, which is when it counts, and its end.
    fn has_columns_already(&self, job: &Job, before: &TableVersion, after: &TableVersion) -> bool {
        let adds = |a: u8| matches!(a, action::ADD_COLUMN | action::MODIFY_COLUMN);
        job.info.action == action::MULTI_SCHEMA_CHANGE
            && self.holds.are_heeded()
            && before.since == self.snapshot_ts
            && job.info.multi_schema_info.sub_jobs.iter().any(|s| adds(s.action))
            && after.columns.iter().all(|c| before.by_id.contains_key(&c.id))
            && after.by_id.keys().max() == before.by_id.keys().max()
    }

    pub(crate) fn version(&self, job: &Job, info: &TableInfo, schema_id: i64) -> Result<TableVersion, SchemaError> {
        let schema = self.schema_name(schema_id, job);
        table_version(info, Place { schema_id, schema: &schema, since: job.commit_ts })
    }

    /// The name of a schema as written; what the job says when the schema is not known.
    pub(crate) fn schema_name(&self, id: i64, job: &Job) -> String {
        self.schemas.get(&id).map_or_else(|| job.info.schema_name.clone(), |s| s.name.clone())
    }

    /// Whether a table that is not known is one that ought to be.
    fn is_followed(&self, info: &TableInfo, job: &Job) -> bool {
        info.temp_table_type == 0
            && info.sequence.is_none()
            && !is_system_schema(&self.schema_name(job.info.schema_id, job))
    }
}

pub(crate) fn incomplete(job: &Job, missing: &'static str) -> SchemaError {
    SchemaError::JobIncomplete {
        job_id: job.info.id,
        action: job.info.action,
        object: job.object(),
        commit_ts: job.commit_ts,
        missing,
    }
}

pub(crate) fn need_table(job: &Job) -> Result<&TableInfo, SchemaError> {
    job.info.binlog.table.as_ref().ok_or_else(|| incomplete(job, "table description"))
}

fn schema_event(job: &Job, schema: String, query: String, blocks: Vec<TableId>, removes: Vec<TableId>) -> DdlEvent {
    let kind = action::kind(job.info.action).unwrap_or(DdlKind::AlterSchema);
    DdlEvent { kind, schema, query, blocks, removes, ..blank(job) }
}

/// An event about tables; `None` when the action stays upstream. What it blocks, removes and adds follows
/// from the ids before and after.
pub(crate) fn event(job: &Job, draft: Draft) -> Option<DdlEvent> {
    let kind = action::kind(job.info.action)?;
    let named = draft.after.as_ref().or(draft.before.as_ref())?;
    let ids = |v: &Option<Arc<TableVersion>>| v.as_deref().map(physical_ids).unwrap_or_default();
    let (old, new) = (ids(&draft.before), ids(&draft.after));
    let (old_set, new_set): (BTreeSet<_>, BTreeSet<_>) = (old.iter().collect(), new.iter().collect());
    Some(DdlEvent {
        seq: draft.seq,
        kind,
        schema: named.schema.clone(),
        table: named.name.clone(),
        query: draft.query,
        removes: old.iter().filter(|id| !new_set.contains(id)).copied().collect(),
        adds: new.iter().filter(|id| !old_set.contains(id)).copied().collect(),
        blocks: old.clone(),
        before: draft.before,
        after: draft.after,
        ..blank(job)
    })
}

fn blank(job: &Job) -> DdlEvent {
    DdlEvent {
        commit_ts: job.commit_ts,
        seq: 0,
        job_id: job.info.id,
        action: job.info.action,
        kind: DdlKind::AlterTable,
        schema: String::new(),
        table: String::new(),
        query: String::new(),
        charset: job.info.charset.clone(),
        collation: job.info.collate.clone(),
        sql_mode: job.info.sql_mode,
        before: None,
        after: None,
        blocks: Vec::new(),
        removes: Vec::new(),
        adds: Vec::new(),
    }
}
