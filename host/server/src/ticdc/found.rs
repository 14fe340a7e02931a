//! TiCDC's keys: `/tidb/cdc/<cluster>/<keyspace>/changefeed/info/<id>` and `…/status/<id>`, with JSON.

use super::{TicdcSource, get};
use crate::ServerError;
use serde_json::{Map, Value};
use tg_metastore::MetaStore;
use tg_model::ChangefeedId;

/// A changefeed as TiCDC has it.
pub(super) struct Found {
    pub(super) id: ChangefeedId,
    /// What it is.
    pub(super) info: Map<String, Value>,
    /// How far it is; empty: it never ran.
    pub(super) status: Map<String, Value>,
}

impl Found {
    pub(super) fn text(&self, name: &str) -> &str {
        self.info.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The state of one that will never run again.
    pub(super) fn ended(&self) -> Option<&str> {
        Some(self.text("state")).filter(|state| matches!(*state, "finished" | "removed"))
    }
}

/// All that are wanted, in the order of their names.
pub(super) async fn read(from: &dyn MetaStore, source: &TicdcSource) -> Result<Vec<Found>, ServerError> {
    let prefix = format!("/tidb/cdc/{}/{}/changefeed/", source.cluster, source.keyspace);
    let infos = format!("{prefix}info/");
    let mut found = Vec::new();
    for kv in from.range(&infos).await?.kvs {
        let Some(name) = kv.key.strip_prefix(&infos) else { continue };
        if !source.only.is_empty() && !source.only.iter().any(|only| only == name) {
            continue;
        }
        let bad = |reason: String| ServerError::NotTakenOver { reasons: format!("{name}: {reason}") };
        let id = ChangefeedId::new(&source.keyspace, name);
        let id = id.ok_or_else(|| bad("that is no name that a changefeed can have here".to_owned()))?;
        let status = get(from, format!("{prefix}status/{name}")).await?;
        let info = object(&kv.value).ok_or_else(|| bad("its record is no JSON object".to_owned()))?;
        let status = status.map(|kv| object(&kv.value).ok_or_else(|| bad("its status is no JSON object".to_owned())));
        found.push(Found { id, info, status: status.transpose()?.unwrap_or_default() });
    }
    let missing: Vec<&str> =
        source.only.iter().map(String::as_str).filter(|n| !found.iter().any(|f| f.id.name == **n)).collect();
    if found.is_empty() || !missing.is_empty() {
        let missing = if missing.is_empty() { "none at all".to_owned() } else { missing.join(", ") };
        return Err(ServerError::NoTicdc { below: infos, missing });
    }
    Ok(found)
}

fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(bytes).ok()
}
