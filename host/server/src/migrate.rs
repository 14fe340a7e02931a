//! Moving the metadata of a Tidegate from one store to another: from a node's file into etcd, or back.
//!
//! Changefeeds and names of plugins are moved; members, owners and runs belong to the store. Downstreams keep positions under epochs that
//! count one store's revisions, so in the other store a changefeed goes by a new incarnation: it starts from its checkpoint, further
//! where it was paused, and rows that its lanes may have written beyond are marked as repeated.

use crate::ServerError;
use crate::node::GENERATION;
use crate::progress::now_ms;
use crate::record::{self, Record, new_incarnation};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_metastore::{ChangefeedStatus, ChangefeedStore, KeyValue, MetaStore, Op, read_record};
use tg_model::{ChangefeedId, Ts};

/// Rows are committed at timestamps of the upstream's clock, which may be ahead of this machine's by so much.
const CLOCKS_APART_MS: u64 = 60_000;
/// Keys written in one transaction.
const KEYS_MAX: usize = 64;

/// What was moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Migrated {
    /// Changefeeds.
    pub changefeeds: usize,
    /// Names of plugins.
    pub plugins: usize,
}

/// Copies the metadata of `cluster` to a store that has none of it. The old store is left as it is.
///
/// # Errors
/// [`ServerError::Migrate`] when nodes use the old store or the new one is not empty; those of the stores, and of records that
/// cannot be read.
pub async fn migrate(from: Arc<dyn MetaStore>, to: Arc<dyn MetaStore>, cluster: &str) -> Result<Migrated, ServerError> {
    let prefix = ChangefeedStore::new(Arc::clone(&from), GENERATION, cluster).prefix().to_owned();
    let refused = |reason: &str| ServerError::Migrate { cluster: cluster.to_owned(), reason: reason.to_owned() };
    let found = from.range(&prefix).await?.kvs;
    if found.iter().any(|kv| kv.key.starts_with(&format!("{prefix}capture/"))) {
        return Err(refused("nodes are registered in the store it is to be read from: stop them first"));
    }
    let there = to.range(&prefix).await?.kvs;
    let holds = |part: &str| there.iter().any(|kv| kv.key.starts_with(&format!("{prefix}{part}/")));
    if holds("cf") || holds("plugin") || holds("capture") {
        return Err(refused("the store it is to be written to has metadata of this cluster already"));
    }
    let mut moved = Migrated::default();
    let mut puts = Vec::new();
    let mut incarnations = BTreeMap::new();
    for kv in &found {
        let Some(key) = kv.key.strip_prefix(&prefix) else { continue };
        match key.split('/').collect::<Vec<_>>().as_slice() {
            ["cf", namespace, name, part] => {
                let id =
                    ChangefeedId::new(namespace, name).ok_or_else(|| refused(&format!("{key} names no changefeed")))?;
                moved.changefeeds += usize::from(*part == "info");
                let incarnation = incarnations.entry(id.clone()).or_insert_with(new_incarnation);
                puts.extend(of_changefeed(&id, incarnation, part, kv)?);
            }
            ["cf", _, _, "ddl", _] => puts.push(Op::put(kv.key.clone(), kv.value.clone())),
            ["plugin", ..] => {
                moved.plugins += 1;
                puts.push(Op::put(kv.key.clone(), kv.value.clone()));
            }
            _ => {}
        }
    }
    for part in puts.chunks(KEYS_MAX) {
        to.txn(Vec::new(), part.to_vec(), Vec::new()).await?;
    }
    Ok(moved)
}

/// A record of a changefeed as it is to be in the other store; fields of later versions stay, and its format.
fn of_changefeed(id: &ChangefeedId, incarnation: &str, part: &str, kv: &KeyValue) -> Result<Option<Op>, ServerError> {
    let bad = |e: serde_json::Error| ServerError::Migrate { cluster: id.to_string(), reason: e.to_string() };
    let mut json: serde_json::Value = serde_json::from_slice(&kv.value).map_err(bad)?;
    // What cannot be read is to be seen now, not when the servers start.
    match part {
        "info" => {
            Record::read(&read_record(&kv.key, &kv.value)?)?;
            json[record::INCARNATION_FIELD] = incarnation.into();
            json[record::REPEAT_FIELD] = Ts::compose(now_ms() + CLOCKS_APART_MS, 0).get().into();
        }
        // What is ahead of the checkpoint is so in the same downstream.
        "status" => {
            read_record::<ChangefeedStatus>(&kv.key, &kv.value)?;
            json[record::INCARNATION_FIELD] = incarnation.into();
        }
        // Runs belong to the store.
        _ => return Ok(None),
    }
    Ok(Some(Op::put(kv.key.clone(), serde_json::to_vec(&json).map_err(bad)?)))
}
