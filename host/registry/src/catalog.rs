//! Names in the metadata store: `/tidegate/<generation>/<cluster>/plugin/<name>`.

use crate::record::{FORMAT, PluginRecord};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::sync::Arc;
use tg_metastore::{Compare, MetaError, MetaStore, Op, OpResult, Revision};

/// Times a change is tried again when the record was written meanwhile.
const TRIES_MAX: usize = 8;

/// The names of one cluster.
pub(crate) struct Catalog {
    store: Arc<dyn MetaStore>,
    prefix: String,
}

impl Catalog {
    pub(crate) fn new(store: Arc<dyn MetaStore>, generation: u32, cluster: &str) -> Self {
        Self { store, prefix: format!("/tidegate/{generation}/{cluster}/plugin/") }
    }

    /// A name's record and the revision it was read at.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<(PluginRecord, Revision)>, MetaError> {
        let key = format!("{}{name}", self.prefix);
        let outcome = self.store.txn(Vec::new(), vec![Op::Get(key.clone())], Vec::new()).await?;
        let found = outcome.results.into_iter().find_map(|r| match r {
            OpResult::Read(kvs) => kvs.into_iter().next(),
            OpResult::Written | OpResult::Deleted(_) => None,
        });
        found.map(|kv| Ok((decode(&key, &kv.value)?, kv.mod_rev))).transpose()
    }

    /// All names with their records. A record that cannot be read is logged and left out.
    pub(crate) async fn list(&self) -> Result<Vec<(String, PluginRecord)>, MetaError> {
        let range = self.store.range(&self.prefix).await?;
        let record = |kv: &tg_metastore::KeyValue| {
            let name = kv.key.strip_prefix(&self.prefix)?.to_owned();
            match decode(&kv.key, &kv.value) {
                Ok(record) => Some((name, record)),
                Err(e) => {
                    tracing::error!(plugin = name, error = %e, "the plugin's record cannot be read");
                    None
                }
            }
        };
        Ok(range.kvs.iter().filter_map(record).collect())
    }

    /// Changes a record as one step: `change` is asked again when somebody else wrote it meanwhile. A record without versions is deleted.
    pub(crate) async fn change<T, E: From<MetaError>>(
        &self,
        name: &str,
        mut change: impl FnMut(&mut PluginRecord) -> Result<T, E>,
    ) -> Result<T, E> {
        let key = format!("{}{name}", self.prefix);
        for _ in 0..TRIES_MAX {
            let found = self.get(name).await?;
            let compare = match &found {
                Some((_, seen)) => Compare::ModRev(key.clone(), *seen),
                None => Compare::Absent(key.clone()),
            };
            let before = found.map(|(record, _)| record).unwrap_or_default();
            let mut record = before.clone();
            let answer = change(&mut record)?;
            if record == before {
                return Ok(answer);
            }
            let op = if record.versions.is_empty() {
                Op::Delete(key.clone())
            } else {
                Op::put(key.clone(), encode(&key, &record)?)
            };
            if self.store.txn(vec![compare], vec![op], Vec::new()).await?.succeeded {
                return Ok(answer);
            }
        }
        Err(MetaError::Conflict { key }.into())
    }
}

pub(crate) fn encode<T: Serialize>(key: &str, record: &T) -> Result<Bytes, MetaError> {
    let bad = |cause: String| MetaError::BadRecord { key: key.to_owned(), cause };
    let Value::Object(mut fields) = serde_json::to_value(record).map_err(|e| bad(e.to_string()))? else {
        return Err(bad("it is not an object".to_owned()));
    };
    fields.insert("format".to_owned(), FORMAT.into());
    serde_json::to_vec(&fields).map(Bytes::from).map_err(|e| bad(e.to_string()))
}

pub(crate) fn decode<T: DeserializeOwned>(key: &str, text: &[u8]) -> Result<T, MetaError> {
    let bad = |cause: String| MetaError::BadRecord { key: key.to_owned(), cause };
    let mut fields: Map<String, Value> = serde_json::from_slice(text).map_err(|e| bad(e.to_string()))?;
    match fields.remove("format").and_then(|f| f.as_u64()) {
        None | Some(0) => Err(bad("it has no format".to_owned())),
        Some(found) if found > FORMAT => Err(MetaError::NewerFormat { key: key.to_owned(), found, known: FORMAT }),
        Some(_) => serde_json::from_value(Value::Object(fields)).map_err(|e| bad(e.to_string())),
    }
}
