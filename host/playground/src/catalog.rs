//! Schemas and tables as they are and as they were.

use crate::PlaygroundError;
use crate::store::State;
use crate::table::TableDef;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Schema and name of a table.
type Name = (String, String);
/// What a name stood for, each since a commit timestamp, oldest first; `None`: nothing.
type Past = Vec<(u64, Option<Arc<TableDef>>)>;

/// Keys removed in one hold of the lock when a dropped table's rows go.
const REMOVE_KEYS_MAX: usize = 4096;

/// The schema as the playground's own writers see it.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    /// Ids of schemas by name.
    pub(crate) schemas: BTreeMap<String, i64>,
    tables: BTreeMap<Name, Arc<TableDef>>,
    history: HashMap<Name, Past>,
    /// When which entries of the history came, oldest first.
    changes: VecDeque<(u64, Name)>,
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
        let past = self.history.get(&key)?;
        let at = past.partition_point(|(since, _)| *since <= ts).checked_sub(1)?;
        past.get(at)?.1.clone()
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
        for old in before {
            self.put(commit_ts, old, None);
            self.revisions.remove(&old.id);
            let kept = after.as_ref().map_or_else(Vec::new, |t| t.physical_ids());
            let gone = old.physical_ids().into_iter().filter(|id| !kept.contains(id));
            self.dropped.extend(gone.map(|id| (commit_ts, id)));
        }
        if let Some(new) = after {
            self.revisions.insert(new.id, new.revision);
            self.put(commit_ts, &new, Some(new.clone()));
        }
    }

    /// From `commit_ts` on the name of `of` stands for `to`.
    fn put(&mut self, commit_ts: u64, of: &TableDef, to: Option<Arc<TableDef>>) {
        let name = (of.schema.clone(), of.name.clone());
        match to.clone() {
            Some(table) => self.tables.insert(name.clone(), table),
            None => self.tables.remove(&name),
        };
        let past = self.history.entry(name.clone()).or_default();
        match past.last_mut() {
            // Replaced within one change.
            Some((since, last)) if *since == commit_ts => *last = to,
            _ => {
                past.push((commit_ts, to));
                self.changes.push_back((commit_ts, name));
            }
        }
    }

    /// Forgets what no reader at or above `safe_point` can ask for.
    fn forget_below(&mut self, safe_point: u64) {
        while let Some((_, name)) = self.changes.pop_front_if(|(since, _)| *since <= safe_point) {
            let Some(past) = self.history.get_mut(&name) else { continue };
            let readable = past.partition_point(|(since, _)| *since <= safe_point).saturating_sub(1);
            past.drain(..readable);
            if let [(_, None)] = past.as_slice() {
                self.history.remove(&name);
            }
        }
    }
}

impl State {
    /// Forgets schema history below the safe point and the rows of tables dropped before it.
    pub(crate) fn collect_garbage(&mut self) {
        let safe_point = self.gc.safe_point;
        self.catalog.forget_below(safe_point);
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

#[cfg(test)]
mod tests {
    use crate::TableSpec;
    use crate::ddl::Layout;
    use crate::store::Cluster;

    #[test]
    fn a_name_is_what_it_stood_for_until_that_is_collected() {
        let layout = Layout { regions_per_table: 1, region_handles: 10, regions_max: 64 };
        let cluster = Cluster::new(1, 1, 1 << 20, None, layout);
        cluster.bootstrap().unwrap();
        cluster.create_schema("s").unwrap();
        let spec = TableSpec::new("s", "t").column("id", "bigint").primary_key(&["id"]);
        let made = cluster.create_table(&spec).unwrap();
        let dropped = cluster.drop_table("s", "t").unwrap();
        let again = cluster.create_table(&spec).unwrap();
        let mut state = cluster.lock();
        let catalog = &mut state.catalog;
        let id = |catalog: &super::Catalog, ts| catalog.table_at("s", "t", ts).map(|t| t.id);
        let (first, second) = (id(catalog, made), id(catalog, again));
        assert!(first.is_some() && second.is_some() && first != second);
        assert_eq!((id(catalog, made - 1), id(catalog, again - 1), id(catalog, dropped)), (None, None, None));
        assert_eq!(id(catalog, dropped - 1), first);
        catalog.forget_below(dropped - 1);
        assert_eq!((id(catalog, dropped - 1), id(catalog, dropped), id(catalog, again)), (first, None, second));
        catalog.forget_below(dropped);
        assert_eq!((id(catalog, dropped - 1), id(catalog, again)), (None, second));
        catalog.forget_below(again);
        assert_eq!(catalog.table("s", "t").ok().map(|t| t.id), second);
        assert!(catalog.history.values().all(|past| past.len() == 1) && catalog.changes.is_empty());
    }
}
