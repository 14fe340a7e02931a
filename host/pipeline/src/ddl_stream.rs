//! The DDL stream: job rows in, schema changes out, in commit order.

use crate::error::PipelineError;
use crate::exchange::both_tables;
use crate::frontier::Frontier;
use std::collections::BTreeMap;
use tg_filter::Filter;
use tg_model::{DdlEvent, SpanId, Ts};
use tg_schema::{Job, SchemaStore};
use tg_upstream::FeedEvent;

/// Most job rows that may wait for the stream's resolved-ts.
const WAITING_MAX: usize = 65_536;

/// Collects finished jobs until they are final, then turns them into events for the controller.
pub(crate) struct DdlStream {
    frontier: Frontier,
    /// By the ts they take effect and the ts they were done: jobs read twice stand once.
    waiting: BTreeMap<(Ts, Ts), Job>,
    resolved: Ts,
}

impl DdlStream {
    pub(crate) fn new(spans: impl Iterator<Item = SpanId>, start: Ts) -> Self {
        let mut frontier = Frontier::default();
        spans.for_each(|s| frontier.add(s, start));
        Self { frontier, waiting: BTreeMap::new(), resolved: start }
    }

    /// Takes one feed event. Answers a new resolved-ts when the stream got one.
    pub(crate) fn take(&mut self, event: FeedEvent, schema: &mut SchemaStore) -> Result<Option<Ts>, PipelineError> {
        match event {
            FeedEvent::Changes { changes, .. } => {
                for change in changes {
                    let job = schema.decode_job(&change).map_err(|source| PipelineError::Schema { source })?;
                    if let Some(job) = job {
                        self.waiting.insert((job.commit_ts, job.finished_ts), job);
                    }
                }
                if self.waiting.len() > WAITING_MAX {
                    return Err(PipelineError::DdlFlood { ts: self.resolved, limit: WAITING_MAX });
                }
            }
            FeedEvent::Resolved { span, ts } => self.frontier.advance(span, ts),
            FeedEvent::Initialized { .. } => {}
            FeedEvent::Failed { error, .. } => {
                return Err(PipelineError::Upstream { table: "mysql.tidb_ddl_job".to_owned(), source: error });
            }
        }
        let now = self.frontier.min();
        if now == Ts::MAX {
            return Ok(None);
        }
        let now = schema.cap_resolved(now);
        if now <= self.resolved {
            return Ok(None);
        }
        self.resolved = now;
        Ok(Some(now))
    }

    /// Applies every job at or below the resolved-ts; the events a changefeed with this filter has to see, in order.
    pub(crate) fn apply(&mut self, schema: &mut SchemaStore, filter: &Filter) -> Result<Vec<DdlEvent>, PipelineError> {
        let mut events = Vec::new();
        while let Some(entry) = self.waiting.first_entry() {
            if entry.key().0 > self.resolved {
                break;
            }
            let job = entry.remove();
            let made = schema.apply(&job).map_err(|source| PipelineError::Schema { source })?;
            for event in made.into_iter().flat_map(|e| both_tables(e, schema, filter)) {
                events.extend(crate::select::select_ddl(event, job.start_ts, filter)?);
            }
        }
        Ok(events)
    }
}
