//! Schema changes as TiDB makes them: jobs in `mysql.tidb_ddl_job`, the meta data, the history.
//!
//! A job's row is inserted (queueing), updated (running), updated with the final state (done) in one
//! transaction with the meta data, then moved to the history (synced). The schema version rises in a
//! transaction of its own before the change. All steps of one job run under one hold of the
//! cluster's lock, each as a transaction of its own.

mod bootstrap;
mod job;
mod statements;

pub use statements::Alter;
pub(crate) use statements::Layout;

use crate::PlaygroundError;
use crate::encode::key;
use crate::store::{Cluster, Mutation, State, TxnMeta};
use crate::table::TableDef;
use bytes::Bytes;
use job::{Job, JobState};
use serde_json::Value as Json;
use std::sync::Arc;

/// Jobs kept in the history.
const HISTORY_JOBS_MAX: usize = 256;

/// A change worked out, to be carried through.
pub(crate) struct Plan {
    pub(crate) job: Job,
    /// The table before, if it ends or changes.
    pub(crate) before: Vec<Arc<TableDef>>,
    /// The table after, if there is one; its `update_ts` is set when it is written.
    pub(crate) after: Option<TableDef>,
    /// A schema that begins (name, id) or ends (name, `None`).
    pub(crate) schema: Option<(String, Option<i64>)>,
}

pub(crate) fn put(key: Bytes, value: String) -> Mutation {
    Mutation { key, value: Some(Bytes::from(value)) }
}

pub(crate) fn delete(key: Bytes) -> Mutation {
    Mutation { key, value: None }
}

/// Key of a schema's entry.
pub(crate) fn schema_key(id: i64) -> Bytes {
    key::meta_hash("DBs", format!("DB:{id}").as_bytes())
}

/// Key of a table's entry.
pub(crate) fn table_key(schema_id: i64, table_id: i64) -> Bytes {
    key::meta_hash(&format!("DB:{schema_id}"), format!("Table:{table_id}").as_bytes())
}

impl Cluster {
    /// Works a change out and carries it through; gives the commit timestamp of the done job.
    pub(crate) fn run_ddl(
        &self,
        plan: impl FnOnce(&mut State) -> Result<Plan, PlaygroundError>,
    ) -> Result<u64, PlaygroundError> {
        let mut state = self.lock();
        let mut plan = plan(&mut state)?;
        plan.job.id = state.next_schema_id();
        self.queue(&mut state, &mut plan.job)?;
        state.catalog.version += 1;
        let version = state.catalog.version;
        plan.job.schema_version = version;
        let bump = put(key::meta_string("SchemaVersionKey"), version.to_string());
        self.write_locked(&mut state, TxnMeta::default(), vec![bump])?;
        let commit_ts = self.finish(&mut state, &mut plan)?;
        self.archive(&mut state, &mut plan.job)?;
        Ok(commit_ts)
    }

    fn queue(&self, state: &mut State, job: &mut Job) -> Result<(), PlaygroundError> {
        job.start_ts = self.tso.next();
        let id = put(key::meta_string("NextGlobalID"), state.last_schema_id().to_string());
        self.write_locked(state, TxnMeta::default(), vec![id, job.row(JobState::Queueing, &Json::Null)])?;
        job.real_start_ts = self.tso.next();
        self.write_locked(state, TxnMeta::default(), vec![job.row(JobState::Running, &Json::Null)])?;
        Ok(())
    }

    /// The transaction that makes the change: meta data and the done job.
    fn finish(&self, state: &mut State, plan: &mut Plan) -> Result<u64, PlaygroundError> {
        let start_ts = self.tso.next();
        let mut mutations = Vec::new();
        let mut table_info = plan.before.last().map_or(Json::Null, |t| t.to_json());
        if let Some((name, id)) = &plan.schema {
            mutations.extend(self.schema_mutation(state, name, *id));
        }
        for old in &plan.before {
            mutations.push(delete(table_key(old.schema_id, old.id)));
        }
        if let Some(new) = &mut plan.after {
            new.update_ts = start_ts;
            table_info = new.to_json();
            mutations.push(put(table_key(new.schema_id, new.id), table_info.to_string()));
        }
        if plan.job.no_table_info {
            table_info = Json::Null;
        }
        let meta = TxnMeta { start_ts, ..TxnMeta::default() };
        mutations.push(plan.job.row(JobState::Done, &table_info));
        dedup_last(&mut mutations);
        let commit_ts = self.write_locked(state, meta, mutations)?;
        plan.job.table_info = table_info;
        if let Some((name, id)) = plan.schema.take() {
            match id {
                Some(id) => state.catalog.schemas.insert(name, id),
                None => state.catalog.schemas.remove(&name),
            };
        }
        let after = plan.after.take().map(Arc::new);
        state.catalog.replace(commit_ts, &plan.before, after.clone());
        Ok(commit_ts)
    }

    fn schema_mutation(&self, state: &State, name: &str, id: Option<i64>) -> Option<Mutation> {
        match id {
            Some(id) => Some(put(schema_key(id), crate::table::meta::schema_json(id, name).to_string())),
            None => state.catalog.schemas.get(name).map(|id| delete(schema_key(*id))),
        }
    }

    /// Moves the job's row to the history.
    fn archive(&self, state: &mut State, job: &mut Job) -> Result<(), PlaygroundError> {
        job.history_start_ts = self.tso.next();
        let info = job.table_info.clone();
        let mut mutations = job.history(&info);
        mutations.push(delete(job.key()));
        state.catalog.finished_jobs.push_back(job.id);
        if state.catalog.finished_jobs.len() > HISTORY_JOBS_MAX {
            let oldest = state.catalog.finished_jobs.pop_front();
            mutations.extend(oldest.into_iter().flat_map(job::history_keys).map(delete));
        }
        let meta = TxnMeta { start_ts: job.history_start_ts, ..TxnMeta::default() };
        self.write_locked(state, meta, mutations)?;
        Ok(())
    }
}

/// Keeps the last mutation of each key.
fn dedup_last(mutations: &mut Vec<Mutation>) {
    mutations.reverse();
    mutations.sort_by(|a, b| a.key.cmp(&b.key));
    mutations.dedup_by(|a, b| a.key == b.key);
}

/// Regions for the rows of a new table: one per physical table, and more at every so many handles. At the
/// bound new tables share the last region.
pub(crate) fn lay_out(state: &mut State, table: &TableDef, layout: Layout) {
    let ids = table.physical_ids();
    for id in &ids {
        if state.regions.all().len() >= layout.regions_max {
            return;
        }
        state.split(&key::table_prefix(*id));
        state.split(&key::table_prefix(*id + 1));
        for i in 1..i64::from(layout.regions_per_table) {
            state.split(&key::record_key(*id, i.saturating_mul(layout.region_handles)));
        }
        state.scatter(&key::table_prefix(*id), &key::table_prefix(*id + 1));
    }
}
