//! Committed versions of a recording, as a scan would deliver them.

use bytes::{Buf, Bytes};
use flate2::read::GzDecoder;
use prost::Message;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use tg_model::{ChangeOp, RawChange, Ts};

use tg_proto::cdcpb::{ChangeDataEvent, LogType, OpType, Row, event::Event};

/// One case of the recordings.
pub(crate) struct Recording {
    pub(crate) start_ts: Ts,
    pub(crate) end_ts: Ts,
    pub(crate) meta: Vec<(Bytes, Bytes)>,
    pub(crate) changes: Vec<RawChange>,
}

/// The folder of what the peer wrote; `None`, said aloud, when it is not beside this checkout.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden/formats"));
    if dir.is_dir() {
        return Some(dir);
    }
    println!("passed over: no recordings in {}", dir.display());
    None
}

pub(crate) fn unpack(path: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    GzDecoder::new(file).read_to_end(&mut out).unwrap();
    out
}

fn hex_bytes(value: &Value) -> Bytes {
    hex::decode(value.as_str().unwrap()).unwrap().into()
}

pub(crate) fn load(dir: &Path) -> Recording {
    let info: Value = serde_json::from_slice(&std::fs::read(dir.join("case.json")).unwrap()).unwrap();
    let meta: Value = serde_json::from_slice(&unpack(&dir.join("meta.json.gz"))).unwrap();
    let ts = |name: &str| Ts::new(info[name].as_u64().unwrap());
    let end_ts = ts("end_ts");
    let changes = changes(Bytes::from(unpack(&dir.join("feed.bin.gz")))).into_values();
    Recording {
        start_ts: ts("start_ts"),
        end_ts,
        meta: meta["pairs"].as_array().unwrap().iter().map(|p| (hex_bytes(&p[0]), hex_bytes(&p[1]))).collect(),
        changes: changes.filter(|change| change.commit_ts <= end_ts).collect(),
    }
}

/// Every committed change, by commit-ts and key.
fn changes(mut rest: Bytes) -> BTreeMap<(u64, Bytes), RawChange> {
    let mut prewrites = HashMap::new();
    let mut all = BTreeMap::new();
    while !rest.is_empty() {
        let kind = rest.get_u8();
        rest.advance(16);
        let len = rest.get_u32_le() as usize;
        let payload = rest.split_to(len);
        if kind != b'S' {
            continue;
        }
        for event in ChangeDataEvent::decode(payload).unwrap().events {
            if let Some(Event::Entries(entries)) = event.event {
                for row in entries.entries {
                    version(row, &mut prewrites, &mut all);
                }
            }
        }
    }
    all
}

/// Without regard to rollbacks: what was rolled back is never committed.
fn version(row: Row, prewrites: &mut HashMap<(u64, Bytes), Row>, all: &mut BTreeMap<(u64, Bytes), RawChange>) {
    let id = (row.start_ts, row.key.clone());
    let whole = match row.r#type() {
        LogType::Prewrite => {
            if !row.value.is_empty() || !prewrites.contains_key(&id) {
                prewrites.insert(id, row);
            }
            return;
        }
        LogType::Commit => prewrites.get(&id).cloned(),
        LogType::Committed => Some(row.clone()),
        _ => None,
    };
    let Some(whole) = whole else { return };
    let op = match (row.op_type(), whole.old_value.is_empty()) {
        (OpType::Delete, _) => ChangeOp::Delete,
        (_, true) => ChangeOp::Insert,
        (_, false) => ChangeOp::Update,
    };
    let change = RawChange {
        commit_ts: Ts::new(row.commit_ts),
        start_ts: Ts::new(row.start_ts),
        op,
        key: row.key.clone(),
        value: if op == ChangeOp::Delete { Bytes::new() } else { whole.value },
        old_value: whole.old_value,
    };
    all.insert((row.commit_ts, row.key), change);
}
