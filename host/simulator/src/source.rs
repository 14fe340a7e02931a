//! The schema source an owner runs for a changefeed.

use crate::upstream::Upstream;
use std::sync::Arc;
use tg_cluster::FeedInput;
use tg_model::{Position, Ts};

/// Reads tables once, then DDLs.
#[derive(Debug)]
pub(crate) struct Source {
    from: Position,
    /// When the tables have been read.
    ready: u64,
    told: Option<Ts>,
}

impl Source {
    pub(crate) const fn new(from: Position, ready: u64) -> Self {
        Self { from, ready, told: None }
    }

    /// What there is to tell now.
    pub(crate) fn poll(&mut self, now: u64, up: &Upstream) -> Vec<FeedInput> {
        let mut inputs = Vec::new();
        if now < self.ready {
            return inputs;
        }
        let resolved = Upstream::ddl_resolved(now);
        let told = match self.told {
            Some(told) => told,
            None => {
                inputs.extend(up.tables_at(self.from).into_iter().map(FeedInput::Table));
                inputs.push(FeedInput::Started);
                self.from.ts.prev()
            }
        };
        if resolved > told || self.told.is_none() {
            let new = up.ddls.iter().filter(|d| d.commit_ts > told && d.commit_ts <= resolved);
            let new = new.filter(|d| Position::ddl(d.commit_ts) > self.from);
            inputs.extend(new.map(|d| FeedInput::Ddl(Arc::clone(d))));
            inputs.push(FeedInput::DdlResolved(resolved));
            self.told = Some(resolved.max(told));
        }
        inputs
    }
}
