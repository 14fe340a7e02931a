//! Schemas and tables as they are and as they were.

use crate::PlaygroundError;
use crate::store::State;
use crate::table::TableDef;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Tables by schema and name.
pub(crate) type Tables = BTreeMap<(String, String), Arc<TableDef>>;

/// Keys removed in one hold of the lock when a dropped table's rows go.
const REMOVE_KEYS_MAX: usize = 4096;

/// The schema as the playground's own writers see it.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    /// Ids of schemas by name.
    pub(crate) schemas: BTreeMap<String, i64>,
    tables: Arc<Tables>,
    /// The tables as they became at a commit timestamp, oldest first.
    history: VecDeque<(u64, Arc<Tables>)>,
    /// Revisions in force by table id: what a writer's rows must have been made for.
    revisions: HashMap<i64, u64>,
    /// The schema version of the meta data.
    pub(crate) version: i64,
    /// Physical tables that are gone since a commit timestamp, whose rows still exist.
    dropped: VecDeque<(u64, i64)>,
    /// Jobs in the history table.
    pub(crate) finished_jobs: VecDeque<i64>,
}

impl Catalog {
    pub(crate) fn table(&self, schema: &str, name: &str) -> Result<Arc<TableDef>, PlaygroundError> {
        let key = (schema.to_owned(), name.to_owned());
        let unknown = || PlaygroundError::UnknownTable { name: format!("{schema}.{name}") };
        self.tables.get(&key).cloned().ok_or_else(unknown)
    }

    pub(crate) fn schema(&self, name: &str) -> Result<i64, PlaygroundError> {
        self.schemas.get(name).copied().ok_or_else(|| PlaygroundError::UnknownTable { name: name.to_owned() })
    }

    /// The table of that name at a timestamp.
    pub(crate) fn table_at(&self, schema: &str, name: &str, ts: u64) -> Option<Arc<TableDef>> {
        let key = (schema.to_owned(), name.to_owned());
        let at = self.history.partition_point(|(since, _)| *since <= ts).checked_sub(1)?;
        self.history.get(at)?.1.get(&key).cloned()
    }

    /// All tables in force, in order of name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<TableDef>> {
        self.tables.values()
    }

    /// Whether rows made for this version of the table may still be committed.
    pub(crate) fn check(&self, table: &TableDef) -> Result<(), PlaygroundError> {
        if self.revisions.get(&table.id) == Some(&table.revision) {
            return Ok(());
        }
        Err(PlaygroundError::SchemaChanged { table: table.full_name() })
    }

    /// Puts a finished change in force.
    pub(crate) fn replace(&mut self, commit_ts: u64, before: &[Arc<TableDef>], after: Option<Arc<TableDef>>) {
        let mut tables = Tables::clone(&self.tables);
        for old in before {
            tables.remove(&(old.schema.clone(), old.name.clone()));
            self.revisions.remove(&old.id);
            let kept = after.as_ref().map_or_else(Vec::new, |t| t.physical_ids());
            let gone = old.physical_ids().into_iter().filter(|id| !kept.contains(id));
            self.dropped.extend(gone.map(|id| (commit_ts, id)));
        }
        if let Some(new) = after {
            self.revisions.insert(new.id, new.revision);
            tables.insert((new.schema.clone(), new.name.clone()), new);
        }
        self.tables = Arc::new(tables);
        self.history.push_back((commit_ts, self.tables.clone()));
    }
}

impl State {
    /// Forgets schema history below the safe point and the rows of tables dropped before it.
    pub(crate) fn collect_garbage(&mut self) {
        let safe_point = self.gc.safe_point;
        let history = &mut self.catalog.history;
        while history.get(1).is_some_and(|(since, _)| *since <= safe_point) {
            history.pop_front();
        }
        let Some((since, id)) = self.catalog.dropped.front().copied() else {
            return;
        };
        if since > safe_point {
            return;
        }
        let (start, end) = (crate::encode::key::table_prefix(id), crate::encode::key::table_prefix(id + 1));
        let keys: Vec<_> = self.mvcc.keys_in(&start, &end).take(REMOVE_KEYS_MAX).map(|(k, _)| k.clone()).collect();
        if keys.len() < REMOVE_KEYS_MAX {
            self.catalog.dropped.pop_front();
        }
        for key in keys {
            self.mvcc.keys.remove(&key);
        }
    }
}
