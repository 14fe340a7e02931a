//! Finished DDL jobs, and jobs on the way whose columns are already public.

use crate::action;
use crate::info::{JobInfo, MultiSchemaInfo, STATE_PUBLIC};
use std::collections::BTreeMap;
use tg_model::Ts;

/// Job states, by the numbers of TiDB.
const STATE_RUNNING: u8 = 1;
const STATE_DONE: u8 = 4;
const STATES_ENDED: [u8; 3] = [3, 5, 6];

/// Jobs watched at a time; TiDB runs a handful.
const WATCHED_MAX: usize = 4096;

/// A DDL job that is done upstream. Made by [`crate::SchemaStore::decode_job`], consumed by [`crate::SchemaStore::apply`].
#[derive(Clone, Debug)]
pub struct Job {
    /// From when (excluded) on rows have the new form; jobs are applied in this order.
    /// The commit-ts of the job's last state, or for a held multi schema change that of its public columns.
    pub commit_ts: Ts,
    /// Start-ts of the transaction that finished the job: what `ignore-txn-start-ts` names.
    pub start_ts: Ts,
    /// Commit-ts of the job's last state.
    pub finished_ts: Ts,
    pub(crate) info: JobInfo,
}

impl Job {
    /// Upstream's job id.
    #[must_use]
    pub const fn id(&self) -> i64 {
        self.info.id
    }

    /// Upstream's action number.
    #[must_use]
    pub const fn action(&self) -> u8 {
        self.info.action
    }

    /// Schema and table as the job names them, for messages.
    #[must_use]
    pub fn object(&self) -> String {
        format!("{}.{}", self.info.schema_name, self.info.table_name)
    }

    /// The statement as the user wrote it.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.info.query
    }
}

/// What a row of the job table says.
pub(crate) enum Seen {
    /// Nothing of interest yet.
    Nothing,
    /// Columns turned public before the job is done.
    ColumnsPublic,
    /// The job came to nothing, or its end was seen.
    Ended,
    /// The job is done.
    Done,
}

pub(crate) fn classify(info: &JobInfo) -> Seen {
    match info.state {
        STATE_DONE if info.binlog.schema_version != 0 => Seen::Done,
        STATE_DONE => Seen::Ended,
        s if STATES_ENDED.contains(&s) => Seen::Ended,
        STATE_RUNNING if info.action == action::MULTI_SCHEMA_CHANGE && columns_public(&info.multi_schema_info) => {
            Seen::ColumnsPublic
        }
        _ => Seen::Nothing,
    }
}

/// TiDB makes the columns of all parts public in one transaction, the first in which the job cannot be taken back.
fn columns_public(multi: &MultiSchemaInfo) -> bool {
    let adds = |a: u8| matches!(a, action::ADD_COLUMN | action::MODIFY_COLUMN);
    !multi.revertible && multi.sub_jobs.iter().any(|s| adds(s.action) && s.schema_state == STATE_PUBLIC)
}

/// Holds the resolved-ts of the DDL stream below jobs that are in force before they are done.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    /// Commit-ts of the public columns by job.
    by_job: BTreeMap<i64, Ts>,
    /// Highest resolved-ts let through; nothing may take effect at or below it. `None`: nobody asks.
    released: Option<Ts>,
}

impl Holds {
    /// Columns of a job are public since `ts`.
    pub(crate) fn begin(&mut self, job: i64, ts: Ts) {
        let heeded = self.released.is_some_and(|released| ts > released);
        if heeded && self.by_job.len() < WATCHED_MAX {
            self.by_job.entry(job).or_insert(ts);
        }
    }

    /// The job is at its end; returns since when its columns were public, if that was held.
    pub(crate) fn end(&mut self, job: i64) -> Option<Ts> {
        self.by_job.remove(&job)
    }

    /// Whether the caller lets itself be held.
    pub(crate) const fn are_heeded(&self) -> bool {
        self.released.is_some()
    }

    /// How far the stream counts as resolved.
    pub(crate) fn cap(&mut self, resolved: Ts) -> Ts {
        let held = self.by_job.values().min().map_or(resolved, |ts| resolved.min(ts.prev()));
        let released = self.released.map_or(held, |r| r.max(held));
        self.released = Some(released);
        released
    }
}
