//! Recordings and vectors of a real cluster, when they are at hand.

#![allow(dead_code, unreachable_pub)]

use bytes::Bytes;
use flate2::read::GzDecoder;
use prost::Message;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use tg_model::{ChangeOp, RawChange, Ts};
use tg_proto::cdcpb::{ChangeDataEvent, LogType, OpType, event::Event};

/// The folder with references and recordings; `None`, said aloud, when this checkout has none beside it.
pub fn shared() -> Option<PathBuf> {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("passed over: no folder {}", dir.display());
    None
}

pub fn vectors(name: &str) -> Vec<serde_json::Value> {
    let Some(dir) = shared() else {
        return Vec::new();
    };
    serde_json::from_slice(&std::fs::read(dir.join("reference/vectors").join(name)).unwrap()).unwrap()
}

pub fn unpack(path: &std::path::Path) -> Vec<u8> {
    let mut out = Vec::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut out).unwrap();
    out
}

/// Metadata, job rows and tables of one recording.
pub struct Recording {
    pub start_ts: Ts,
    pub meta: Vec<(Bytes, Bytes)>,
    /// Changes under `prefix`, by commit-ts.
    pub changes: Vec<RawChange>,
    pub snapshots: Vec<(Ts, serde_json::Value)>,
}

pub fn recording(case: &str, prefix: &[u8]) -> Option<Recording> {
    let dir = shared()?.join("golden").join(case);
    let json = |name: &str| -> serde_json::Value { serde_json::from_slice(&unpack(&dir.join(name))).unwrap() };
    let meta = json("meta.json.gz");
    let hex = |v: &serde_json::Value| Bytes::from(hex::decode(v.as_str().unwrap()).unwrap());
    let pairs = meta["pairs"].as_array().unwrap().iter().map(|p| (hex(&p[0]), hex(&p[1]))).collect();
    let snapshots = (1..).map(|n| format!("snapshot-{n}.json.gz")).take_while(|n| dir.join(n).exists());
    let snapshots = snapshots.map(|n| json(&n)).map(|s| (Ts::new(s["ts"].as_u64().unwrap()), s)).collect();
    Some(Recording {
        start_ts: Ts::new(meta["ts"].as_u64().unwrap()),
        meta: pairs,
        changes: changes(&unpack(&dir.join("feed.bin.gz")), prefix),
        snapshots,
    })
}

/// Matches prewrites and commits; enough for rows that are never rolled back.
fn changes(feed: &[u8], prefix: &[u8]) -> Vec<RawChange> {
    let mut prewrites = BTreeMap::new();
    let mut out = BTreeMap::new();
    let mut rest = feed;
    while let Some((head, tail)) = rest.split_at_checked(21) {
        let len = u32::from_le_bytes(head[17..].try_into().unwrap()) as usize;
        let (payload, tail) = tail.split_at(len);
        rest = tail;
        if head[0] != b'S' {
            continue;
        }
        for event in ChangeDataEvent::decode(payload).unwrap().events {
            let Some(Event::Entries(entries)) = event.event else {
                continue;
            };
            for row in entries.entries.into_iter().filter(|r| r.key.starts_with(prefix)) {
                let id = (row.key.clone(), row.start_ts);
                let prewrite = match row.r#type() {
                    LogType::Prewrite => {
                        prewrites.insert(id, row);
                        continue;
                    }
                    LogType::Commit => prewrites.get(&id).cloned(),
                    LogType::Committed => Some(row.clone()),
                    _ => None,
                };
                let Some(data) = prewrite else { continue };
                let op = if data.op_type() == OpType::Delete { ChangeOp::Delete } else { ChangeOp::Update };
                let change = RawChange {
                    commit_ts: Ts::new(row.commit_ts),
                    start_ts: Ts::new(row.start_ts),
                    op,
                    key: row.key.clone(),
                    value: data.value,
                    old_value: Bytes::new(),
                };
                out.insert((row.commit_ts, row.key), change);
            }
        }
    }
    out.into_values().collect()
}
