//! The file of the embedded store: keys and the revision counter in one redb database.

use crate::{Compare, Event, EventKind, KeyValue, LeaseId, MetaError, Op, OpResult, Revision, TxnOutcome};
use bytes::Bytes;
use parking_lot::Mutex;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use std::path::{Path, PathBuf};

/// Key → create-revision, mod-revision, lease (u64 little-endian each), value.
const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("keys");
const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");
const REVISION: &str = "revision";
const MARKS_BYTES: usize = 24;

/// The database file.
pub(crate) struct Tables {
    file: PathBuf,
    /// `None` after the disk failed: redb refuses everything then until the file is opened anew.
    db: Mutex<Option<Database>>,
}

type Keys<'t> = Table<'t, &'static str, &'static [u8]>;

pub(crate) fn failed<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> MetaError {
    move |e| MetaError::Storage { what, cause: e.to_string() }
}

impl Tables {
    pub(crate) fn open(file: &Path) -> Result<Self, MetaError> {
        let db = Database::create(file).map_err(failed("open"))?;
        let write = db.begin_write().map_err(failed("open"))?;
        write.open_table(KEYS).map_err(failed("open"))?;
        write.open_table(COUNTERS).map_err(failed("open"))?;
        write.commit().map_err(failed("open"))?;
        Ok(Self { file: file.to_owned(), db: Mutex::new(Some(db)) })
    }

    /// Works on the open file; closes it when the disk fails, so that the next call finds out whether it still does.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, MetaError>) -> Result<T, MetaError> {
        let mut slot = self.db.lock();
        let db = match slot.take() {
            Some(db) => db,
            None => Database::create(&self.file).map_err(failed("open"))?,
        };
        let done = work(&db);
        if !matches!(done, Err(MetaError::Storage { .. })) {
            *slot = Some(db);
        }
        done
    }

    pub(crate) fn revision(&self) -> Result<Revision, MetaError> {
        self.with(|db| {
            let read = db.begin_read().map_err(failed("read"))?;
            let counters = read.open_table(COUNTERS).map_err(failed("read"))?;
            Ok(counters.get(REVISION).map_err(failed("read"))?.map_or(0, |g| g.value()))
        })
    }

    pub(crate) fn range(&self, prefix: &str) -> Result<Vec<KeyValue>, MetaError> {
        self.with(|db| {
            let read = db.begin_read().map_err(failed("read"))?;
            scan(&read.open_table(KEYS).map_err(failed("read"))?, prefix)
        })
    }

    /// Runs a transaction; durable when it returns. After an error of the disk it may have happened or not.
    pub(crate) fn txn(
        &self,
        compares: &[Compare],
        then: Vec<Op>,
        otherwise: Vec<Op>,
    ) -> Result<(TxnOutcome, Vec<Event>), MetaError> {
        self.with(|db| txn(db, compares, then, otherwise))
    }
}

fn txn(
    db: &Database,
    compares: &[Compare],
    then: Vec<Op>,
    otherwise: Vec<Op>,
) -> Result<(TxnOutcome, Vec<Event>), MetaError> {
    let write = db.begin_write().map_err(failed("write"))?;
    let mut events = Vec::new();
    let outcome = {
        let mut keys = write.open_table(KEYS).map_err(failed("write"))?;
        let mut counters = write.open_table(COUNTERS).map_err(failed("write"))?;
        let rev = counters.get(REVISION).map_err(failed("read"))?.map_or(0, |g| g.value());
        let mut succeeded = true;
        for c in compares {
            succeeded &= holds(&keys, c)?;
        }
        let mut step = Step { keys: &mut keys, rev: rev + 1, events: &mut events };
        let ops = if succeeded { then } else { otherwise };
        let results = ops.into_iter().map(|op| step.run(op)).collect::<Result<Vec<_>, _>>()?;
        let rev = if events.is_empty() { rev } else { rev + 1 };
        counters.insert(REVISION, rev).map_err(failed("write"))?;
        TxnOutcome { succeeded, rev, results }
    };
    if events.is_empty() {
        write.abort().map_err(failed("write"))?
    } else {
        write.commit().map_err(failed("write"))?
    }
    Ok((outcome, events))
}

fn scan(keys: &impl ReadableTable<&'static str, &'static [u8]>, prefix: &str) -> Result<Vec<KeyValue>, MetaError> {
    let mut found = Vec::new();
    for item in keys.range(prefix..).map_err(failed("read"))? {
        let (key, record) = item.map_err(failed("read"))?;
        if !key.value().starts_with(prefix) {
            break;
        }
        found.push(decode(key.value(), record.value())?);
    }
    Ok(found)
}

fn get(keys: &impl ReadableTable<&'static str, &'static [u8]>, key: &str) -> Result<Option<KeyValue>, MetaError> {
    keys.get(key).map_err(failed("read"))?.map(|record| decode(key, record.value())).transpose()
}

fn holds(keys: &Keys<'_>, compare: &Compare) -> Result<bool, MetaError> {
    Ok(match compare {
        Compare::Absent(key) => get(keys, key)?.is_none(),
        Compare::CreateRev(key, rev) => get(keys, key)?.is_some_and(|kv| kv.create_rev == *rev),
        Compare::ModRev(key, rev) => get(keys, key)?.is_some_and(|kv| kv.mod_rev == *rev),
        Compare::Value(key, value) => get(keys, key)?.is_some_and(|kv| kv.value == *value),
    })
}

/// The steps of one transaction.
struct Step<'a, 't> {
    keys: &'a mut Keys<'t>,
    rev: Revision,
    events: &'a mut Vec<Event>,
}

impl Step<'_, '_> {
    fn run(&mut self, op: Op) -> Result<OpResult, MetaError> {
        Ok(match op {
            Op::Put { key, value, lease } => {
                let create_rev = get(self.keys, &key)?.map_or(self.rev, |kv| kv.create_rev);
                let record = encode(create_rev, self.rev, lease, &value);
                self.keys.insert(key.as_str(), record.as_slice()).map_err(failed("write"))?;
                self.events.push(Event { key, rev: self.rev, kind: EventKind::Put(value) });
                OpResult::Written
            }
            Op::Delete(key) => {
                let found = get(self.keys, &key)?.into_iter().collect();
                self.delete(found)?
            }
            Op::DeletePrefix(prefix) => {
                let found = scan(self.keys, &prefix)?;
                self.delete(found)?
            }
            Op::Get(key) => OpResult::Read(get(self.keys, &key)?.into_iter().collect()),
            Op::GetPrefix(prefix) => OpResult::Read(scan(self.keys, &prefix)?),
        })
    }

    fn delete(&mut self, found: Vec<KeyValue>) -> Result<OpResult, MetaError> {
        let count = found.len() as u64;
        for kv in found {
            self.keys.remove(kv.key.as_str()).map_err(failed("write"))?;
            self.events.push(Event { key: kv.key, rev: self.rev, kind: EventKind::Delete });
        }
        Ok(OpResult::Deleted(count))
    }
}

fn encode(create_rev: Revision, mod_rev: Revision, lease: LeaseId, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(MARKS_BYTES + value.len());
    [create_rev, mod_rev, lease].iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
    out.extend_from_slice(value);
    out
}

fn decode(key: &str, record: &[u8]) -> Result<KeyValue, MetaError> {
    let word = |at: usize| record.get(at..)?.first_chunk::<8>().map(|w| u64::from_le_bytes(*w));
    let parts = || Some((word(0)?, word(8)?, word(16)?, record.get(MARKS_BYTES..)?));
    let (create_rev, mod_rev, lease, value) =
        parts().ok_or_else(|| MetaError::BadRecord { key: key.to_owned(), cause: "it is cut short".to_owned() })?;
    Ok(KeyValue { key: key.to_owned(), value: Bytes::copy_from_slice(value), create_rev, mod_rev, lease })
}
