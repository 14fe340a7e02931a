//! Versions of physical tables by time.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::Arc;
use tg_model::{TableId, TableVersion, Ts};

/// One table from `since` (excluded) on; `None`: there is no such table.
type Entry = (Ts, Option<Arc<TableVersion>>);

/// For each physical id its versions, oldest first.
#[derive(Debug, Default)]
pub(crate) struct History {
    entries: HashMap<TableId, Vec<Entry>, RandomState>,
}

impl History {
    /// From `since` (excluded) on `id` is `version`. A later call for the same moment replaces an earlier one.
    pub(crate) fn set(&mut self, id: TableId, since: Ts, version: Option<Arc<TableVersion>>) {
        let list = self.entries.entry(id).or_default();
        while list.last().is_some_and(|(ts, _)| *ts >= since) {
            list.pop();
        }
        list.push((since, version));
    }

    /// The version for a row committed at `commit_ts`.
    pub(crate) fn at(&self, id: TableId, commit_ts: Ts) -> Option<Arc<TableVersion>> {
        let list = self.entries.get(&id)?;
        list.iter().rev().find(|(since, _)| *since < commit_ts)?.1.clone()
    }

    /// Forgets what only rows up to `upto` could need.
    pub(crate) fn gc(&mut self, upto: Ts) {
        self.entries.retain(|_, list| {
            let keep_from = list.iter().rposition(|(since, _)| *since <= upto).unwrap_or(0);
            list.drain(..keep_from);
            list.len() > 1 || list.iter().any(|(since, version)| version.is_some() || *since > upto)
        });
    }

    /// How many versions are held.
    pub(crate) fn len(&self) -> usize {
        self.entries.values().map(Vec::len).sum()
    }
}
