//! The rows that follow from the feed, and their comparison with what TiDB answered.

use crate::text::{Text, text};
use bytes::Bytes;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tg_model::{ChangeOp, DdlEvent, RawChange, TableId, TableVersion, Ts};
use tg_mounter::{MountOptions, TableMounter, record_key};
use tg_schema::SchemaStore;
use tgr1::{Batch, Image};

/// A row as it is.
struct Stored {
    value: Bytes,
    commit_ts: Ts,
    /// As mounted when it was written, and by which version of the table.
    written: Option<(Ts, Vec<Text>)>,
    /// Values of columns, by id, that the upstream rewrote without telling: they follow from the old column.
    rewritten: HashMap<i64, Text>,
}

#[derive(Default)]
pub(crate) struct Tables {
    rows: BTreeMap<(TableId, Bytes), Stored>,
    mounters: HashMap<(TableId, Ts), TableMounter>,
    pub(crate) mounted: usize,
}

impl Tables {
    /// Takes a change in its order. It must mount by the version of its table at its commit-ts, and what it
    /// says the row was before must be what the row was.
    pub(crate) fn change(&mut self, change: &RawChange, schema: &SchemaStore) {
        let Ok(record) = record_key(&change.key) else { return };
        let id = (record.table, change.key.clone());
        let mut written = None;
        if let Some(version) = schema.table_at(record.table, change.commit_ts) {
            let [before, after] = self.mount(&version, change);
            self.mounted += 1;
            let known = self.rows.get(&id).and_then(|row| row.written.as_ref());
            if let (Some((since, old)), Some(before)) = (known, before)
                && *since == version.since
            {
                assert_eq!(*old, before, "{}: the old value at {}", version.name, change.commit_ts);
            }
            written = after.map(|after| (version.since, after));
        }
        if change.op == ChangeOp::Delete {
            self.rows.remove(&id);
            return;
        }
        let stored =
            Stored { value: change.value.clone(), commit_ts: change.commit_ts, written, rewritten: HashMap::new() };
        self.rows.insert(id, stored);
    }

    /// A column that changed its id under its name was rewritten by the upstream; downstream the statement does that.
    pub(crate) fn ddl(&mut self, event: &DdlEvent) {
        let (Some(before), Some(after)) = (&event.before, &event.after) else { return };
        let moved: Vec<(usize, i64)> = (before.columns.iter().enumerate())
            .filter(|(_, old)| !after.by_id.contains_key(&old.id))
            .filter_map(|(at, old)| {
                let new =
                    after.columns.iter().find(|new| new.name == old.name && !before.by_id.contains_key(&new.id))?;
                Some((at, new.id))
            })
            .collect();
        if moved.is_empty() {
            return;
        }
        for id in before.physical_ids() {
            for (key, now) in self.texts(before, id) {
                let row = self.rows.get_mut(&(id, key)).unwrap();
                row.rewritten.extend(moved.iter().map(|(at, new)| (*new, now[*at].clone().unwrap_or_default())));
            }
        }
    }

    /// The images of a change before and after, by position in the version's columns (virtual ones left out).
    fn mount(&mut self, version: &Arc<TableVersion>, change: &RawChange) -> [Option<Vec<Text>>; 2] {
        let options = MountOptions { verify_checksum: true, ..MountOptions::default() };
        let mounter = self
            .mounters
            .entry((version.table, version.since))
            .or_insert_with(|| TableMounter::new(Arc::clone(version), options).unwrap());
        let mut writer = mounter.writer(1, 1024);
        let mounted = mounter.mount(change, &mut writer).unwrap_or_else(|e| panic!("{}: {e}", version.name));
        assert_eq!(mounted.rows, 1, "{} at {}", version.name, change.commit_ts);
        let positions = mounter.positions().to_vec();
        let data = writer.finish();
        let batch = Batch::parse(&data).unwrap();
        let row = batch.row(0).unwrap();
        assert_eq!((row.commit_ts(), row.start_ts()), (change.commit_ts.get(), change.start_ts.get()));
        let texts = |image: Image<'_>| {
            positions.iter().enumerate().map(|(n, at)| text(&image, n, &version.columns[*at as usize].ty)).collect()
        };
        [row.before().map(texts), row.after().map(texts)]
    }

    /// Rows of a physical table by key, each by position in the version's columns; `None`: a virtual column.
    fn texts(&mut self, version: &Arc<TableVersion>, id: TableId) -> Vec<(Bytes, Vec<Option<Text>>)> {
        let range = (id, Bytes::new())..(TableId(id.0 + 1), Bytes::new());
        let rows: Vec<(Bytes, RawChange)> = (self.rows.range(range))
            .map(|((_, key), row)| {
                let change = RawChange {
                    commit_ts: row.commit_ts,
                    start_ts: row.commit_ts.prev(),
                    op: ChangeOp::Insert,
                    key: key.clone(),
                    value: row.value.clone(),
                    old_value: Bytes::new(),
                };
                (key.clone(), change)
            })
            .collect();
        rows.into_iter()
            .map(|(key, change)| {
                let [_, after] = self.mount(version, &change);
                let mut after = after.unwrap().into_iter();
                let rewritten = &self.rows[&(id, key.clone())].rewritten;
                let row = version.columns.iter().map(|column| {
                    (!column.flags.generated_virtual)
                        .then(|| after.next().unwrap())
                        .map(|mounted| rewritten.get(&column.id).cloned().unwrap_or(mounted))
                });
                (key.clone(), row.collect())
            })
            .collect()
    }

    /// Compares every table of the snapshot; returns how many rows were compared.
    pub(crate) fn compare(&mut self, schema: &SchemaStore, ts: Ts, snapshot: &Value) -> usize {
        let mut count = 0;
        for (name, table) in snapshot["tables"].as_object().unwrap() {
            let version = schema.tables().find(|t| format!("{}.{}", t.schema, t.name) == *name && !t.is_view);
            let version = Arc::clone(version.unwrap_or_else(|| panic!("no table {name} at {ts}")));
            let names = table["columns"].as_array().unwrap();
            let here: Vec<&str> = version.columns.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(
                names.iter().map(|n| n.as_str().unwrap()).collect::<Vec<_>>(),
                here,
                "columns of {name} at {ts}"
            );
            let stored: Vec<bool> = version.columns.iter().map(|c| !c.flags.generated_virtual).collect();
            let mut want: Vec<Vec<Text>> =
                table["rows"].as_array().unwrap().iter().map(|row| expected(row, &stored)).collect();
            let mut got: Vec<Vec<Text>> = Vec::new();
            for id in version.physical_ids() {
                got.extend(self.texts(&version, id).into_iter().map(|(_, row)| row.into_iter().flatten().collect()));
            }
            want.sort();
            got.sort();
            count += want.len();
            let shown: Vec<_> =
                want.iter().zip(&got).filter(|(w, g)| w != g).take(3).map(|(w, g)| (show(w), show(g))).collect();
            assert!(
                want == got,
                "{name} at {ts}: {} rows, want {}; differ (want, got): {shown:#?}",
                got.len(),
                want.len()
            );
        }
        count
    }
}

fn show(row: &[Text]) -> String {
    let cell = |t: &Text| t.as_ref().map_or("NULL".to_owned(), |b| String::from_utf8_lossy(b).into_owned());
    row.iter().map(cell).collect::<Vec<_>>().join(" | ")
}

fn expected(row: &Value, stored: &[bool]) -> Vec<Text> {
    let cell = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(hex::decode(other["hex"].as_str().unwrap()).unwrap()),
    };
    row.as_array().unwrap().iter().zip(stored).filter(|(_, stored)| **stored).map(|(v, _)| cell(v)).collect()
}
