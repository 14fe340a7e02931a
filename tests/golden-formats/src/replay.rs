//! A recording as rows and DDL in commit order, as a sink is given them.

use crate::{host, recording};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tg_model::{RawChange, Ts};
use tg_mounter::{MountOptions, TableMounter, record_key};
use tg_schema::{Job, SchemaStore};
use tidegate_sdk::{DdlEvent, TableSchema};

/// What happened, in order.
pub enum Item {
    /// A change of a row: a batch of one row, or of two when its key changed.
    Rows(Change),
    /// A schema change.
    Ddl(Box<DdlEvent>),
}

/// A change of a row.
pub struct Change {
    /// The table version.
    pub schema: Arc<TableSchema>,
    /// The batch.
    pub batch: Vec<u8>,
}

struct Player {
    store: SchemaStore,
    mounters: HashMap<(i64, Ts), (TableMounter, Arc<TableSchema>)>,
    items: Vec<Item>,
}

/// Plays the case in this folder.
#[must_use]
pub fn replay(dir: &Path) -> Vec<Item> {
    let recording = recording::load(dir);
    let mut store = SchemaStore::from_snapshot(recording.start_ts, recording.meta.iter().cloned()).unwrap();
    let ddl = store.ddl_spans().remove(0);
    let (of_ddl, rows): (Vec<_>, Vec<_>) = recording.changes.into_iter().partition(|c| ddl.contains(&c.key));
    let mut jobs: Vec<Job> = of_ddl.iter().filter_map(|change| store.decode_job(change).unwrap()).collect();
    store.cap_resolved(recording.end_ts);
    jobs.sort_by_key(|job| (job.commit_ts, job.id()));
    let mut rows = rows;
    rows.sort_by(RawChange::cmp_order);
    let mut player = Player { store, mounters: HashMap::new(), items: Vec::new() };
    let mut rows = rows.into_iter().peekable();
    for job in jobs {
        while let Some(change) = rows.next_if(|change| change.commit_ts <= job.commit_ts) {
            player.row(&change);
        }
        for event in player.store.apply(&job).unwrap() {
            player.items.push(Item::Ddl(Box::new(host::ddl_event(&event))));
        }
    }
    rows.for_each(|change| player.row(&change));
    player.items
}

impl Player {
    fn row(&mut self, change: &RawChange) {
        let Ok(record) = record_key(&change.key) else { return };
        let Some(version) = self.store.table_at(record.table, change.commit_ts) else { return };
        let id = (version.table.0, version.since);
        let (mounter, schema) = self.mounters.entry(id).or_insert_with(|| {
            let schema = Arc::new(host::table_schema(&version));
            (TableMounter::new(version, MountOptions::default()).unwrap(), schema)
        });
        let mut writer = mounter.writer(schema.id.version, 0);
        if mounter.mount_split(change, &mut writer).unwrap().rows > 0 {
            self.items.push(Item::Rows(Change { schema: Arc::clone(schema), batch: writer.finish() }));
        }
    }
}
