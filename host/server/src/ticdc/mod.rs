//! Changefeeds of TiCDC, taken over from the etcd in which it keeps them.
//!
//! Does: read TiCDC's keys, make paused changefeeds of them that start where TiCDC has come to, name what has no meaning here.
//! Does not: touch TiCDC's keys, stop it, talk to the upstream or a downstream.
//!
//! Invariants:
//! - A changefeed that would deliver something else here, as far as its record tells, is not taken over.
//! - One that cannot be taken over stops all, before anything is written.
//! - Nothing that is told holds a secret.

mod config;
mod found;
mod judge;

pub use judge::Judged;

use crate::ServerError;
use crate::node::GENERATION;
use crate::progress::{now_ms, resume_at_start};
use crate::record::{Layout, Record, new_incarnation};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_api::FeedState;
use tg_metastore::{ChangefeedStatus, ChangefeedStore, ClusterRecord, KeyValue, MetaStore, Op, OpResult, read_record};
use tg_model::{ChangefeedId, Ts};

/// Rows are committed at timestamps of the upstream's clock, which may be ahead of this machine's by so much.
const CLOCKS_APART_MS: u64 = 60_000;

/// Which changefeeds of which TiCDC.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TicdcSource {
    /// TiCDC's cluster id.
    pub cluster: String,
    /// Its keyspace, or namespace.
    pub keyspace: String,
    /// Names; empty: all.
    pub only: Vec<String>,
    /// Look, and take nothing over: then they may also run.
    pub dry_run: bool,
}

/// What was, or would be, taken over.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// The changefeeds, as they are here.
    pub changefeeds: Vec<Judged>,
    /// Those that had ended in TiCDC, and how.
    pub passed_over: Vec<(ChangefeedId, String)>,
}

/// Makes changefeeds of `cluster` in `to` from those that TiCDC keeps in `from`.
///
/// # Errors
/// [`ServerError::NoTicdc`] when there are none, [`ServerError::NotTakenOver`] when one of them cannot be taken over, and those of the
/// stores. Nothing was written then.
pub async fn import_ticdc(
    from: &dyn MetaStore,
    to: Arc<dyn MetaStore>,
    cluster: &str,
    source: &TicdcSource,
) -> Result<Imported, ServerError> {
    let store = ChangefeedStore::new(Arc::clone(&to), GENERATION, cluster);
    let upstream = known_upstream(to.as_ref(), &store).await?;
    let mut imported = Imported::default();
    let mut refused = Vec::new();
    for found in found::read(from, source).await? {
        if let Some(ended) = found.ended() {
            imported.passed_over.push((found.id.clone(), ended.to_owned()));
            continue;
        }
        match judge::judge(&found, upstream, source.dry_run) {
            Ok(judged) if store.info(&judged.id).await.is_ok() => {
                refused.push(format!("{}: there is a changefeed with this name here already", judged.id));
            }
            Ok(judged) => imported.changefeeds.push(judged),
            Err(reasons) => refused.extend(reasons.into_iter().map(|reason| format!("{}: {reason}", found.id))),
        }
    }
    if !refused.is_empty() {
        return Err(ServerError::NotTakenOver { reasons: refused.join("; ") });
    }
    if !source.dry_run {
        for judged in &imported.changefeeds {
            create(&store, judged).await?;
        }
    }
    Ok(imported)
}

/// The upstream that is read here, if anything says so already.
async fn known_upstream(to: &dyn MetaStore, store: &ChangefeedStore) -> Result<Option<u64>, ServerError> {
    if let Some(kv) = get(to, format!("{}meta/cluster", store.prefix())).await? {
        return Ok(Some(read_record::<ClusterRecord>(&kv.key, &kv.value)?.upstream_id));
    }
    let (records, _) = store.list().await?;
    let mut known = records.into_iter().filter_map(|(_, info)| Record::read(&info.ok()?).ok()?.upstream_id);
    Ok(known.next())
}

async fn create(store: &ChangefeedStore, judged: &Judged) -> Result<(), ServerError> {
    let record = Record {
        start_ts: judged.start.ts,
        target_ts: judged.target_ts,
        layout: Layout::choose(&judged.sink_uri, &judged.config),
        uri: judged.sink_uri.clone(),
        config: Arc::new(judged.config.clone()),
        // They are looked up when it is resumed.
        choices: Vec::new(),
        pins: BTreeMap::new(),
        // TiCDC writes ahead of its checkpoint: those rows come again.
        repeat_until: Ts::compose(now_ms() + CLOCKS_APART_MS, 0),
        state: FeedState::Stopped,
        error: None,
        created: Timestamp::now(),
        incarnation: new_incarnation(),
        run: 1,
        upstream_id: judged.upstream_id,
    };
    let status = ChangefeedStatus {
        checkpoint: judged.start,
        emit_ts: judged.start.ts,
        epoch: 0,
        updated_ms: now_ms(),
        other: resume_at_start(&record.incarnation, ""),
    };
    store.create(&judged.id, &record.write(), &status).await?;
    Ok(())
}

/// One key, if it is there.
async fn get(store: &dyn MetaStore, key: String) -> Result<Option<KeyValue>, ServerError> {
    let outcome = store.txn(Vec::new(), vec![Op::Get(key)], Vec::new()).await?;
    Ok(outcome.results.into_iter().find_map(|result| match result {
        OpResult::Read(kvs) => kvs.into_iter().next(),
        OpResult::Written | OpResult::Deleted(_) => None,
    }))
}

#[cfg(test)]
mod tests;
