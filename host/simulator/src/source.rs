//! The schema source an owner runs for a changefeed.

use crate::upstream::Upstream;
use std::sync::Arc;
use tg_cluster::FeedInput;
use tg_model::{Position, Ts};

/// Reads tables once, then DDLs.
#[derive(Debug)]
pub(crate) struct Source {
    from: Position,
    /// When the tables have been read, and when the first DDLs come.
    tables: u64,
    ddls: u64,
    started: bool,
    told: Ts,
}

impl Source {
    pub(crate) const fn new(from: Position, tables: u64, ddls: u64) -> Self {
        Self { from, tables, ddls, started: false, told: from.ts.prev() }
    }

    /// What there is to tell now.
    pub(crate) fn poll(&mut self, now: u64, up: &Upstream) -> Vec<FeedInput> {
        let mut inputs = Vec::new();
        if now >= self.tables && !self.started {
            self.started = true;
            inputs.extend(up.tables_at(self.from).into_iter().map(FeedInput::Table));
            inputs.push(FeedInput::Started);
        }
        let resolved = Upstream::ddl_resolved(now);
        if self.started && now >= self.ddls && resolved > self.told {
            let new = up.ddls.iter().filter(|d| d.commit_ts > self.told && d.commit_ts <= resolved);
            let new = new.filter(|d| Position::ddl(d.commit_ts) > self.from);
            inputs.extend(new.map(|d| FeedInput::Ddl(Arc::clone(d))));
            inputs.push(FeedInput::DdlResolved(resolved));
            self.told = resolved;
        }
        inputs
    }
}
