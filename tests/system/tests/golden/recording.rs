//! A recording of a real cluster, taken apart: registrations with what each was told, regions, snapshots.

use bytes::{Buf, Bytes};
use flate2::read::GzDecoder;
use prost::Message;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use tg_model::Ts;
use tg_proto::cdcpb::{ChangeDataEvent, ChangeDataRequest, LogType, Row, event::Event};
use tg_proto::{metapb, pdpb};

/// Something the store said to one registration.
pub(crate) enum Frame {
    Event(Event),
    Resolved(u64),
}

/// One subscription of one region as the recorder made it.
pub(crate) struct Registration {
    pub(crate) region: (u64, u64),
    pub(crate) start: Bytes,
    pub(crate) end: Bytes,
    pub(crate) checkpoint: u64,
    /// With the number of the frame in the recording.
    pub(crate) frames: Vec<(usize, Frame)>,
    pub(crate) at: usize,
}

pub(crate) struct Recording {
    pub(crate) start_ts: Ts,
    pub(crate) end_ts: Ts,
    pub(crate) meta: Vec<(Bytes, Bytes)>,
    pub(crate) snapshots: Vec<(Ts, Value)>,
    /// By id and version.
    pub(crate) regions: HashMap<(u64, u64), pdpb::Region>,
    pub(crate) registrations: Vec<Registration>,
    /// Every committed version as a scan would deliver it, by commit-ts and key.
    pub(crate) versions: BTreeMap<(u64, Bytes), Row>,
}

/// The folder of a case; `None`, said aloud, when the recordings are not beside this checkout.
fn folder(case: &str) -> Option<PathBuf> {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden")).join(case);
    if dir.is_dir() {
        return Some(dir);
    }
    println!("passed over: no recording {}", dir.display());
    None
}

fn unpack(path: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    GzDecoder::new(file).read_to_end(&mut out).unwrap();
    out
}

fn hex_bytes(value: &Value) -> Bytes {
    hex::decode(value.as_str().unwrap()).unwrap().into()
}

pub(crate) fn version_of(epoch: Option<metapb::RegionEpoch>) -> u64 {
    epoch.map_or(0, |e| e.version)
}

pub(crate) fn load(case: &str) -> Option<Recording> {
    let dir = folder(case)?;
    let info: Value = serde_json::from_slice(&std::fs::read(dir.join("case.json")).unwrap()).unwrap();
    let meta: Value = serde_json::from_slice(&unpack(&dir.join("meta.json.gz"))).unwrap();
    let ts = |v: &Value| Ts::new(v.as_u64().unwrap());
    let count = info["snapshots"].as_array().unwrap().len();
    let snapshots = (1..=count).map(|n| unpack(&dir.join(format!("snapshot-{n}.json.gz"))));
    let snapshots = snapshots.map(|text| serde_json::from_slice::<Value>(&text).unwrap()).map(|s| (ts(&s["ts"]), s));
    let mut recording = Recording {
        start_ts: ts(&info["start_ts"]),
        end_ts: ts(&info["end_ts"]),
        meta: meta["pairs"].as_array().unwrap().iter().map(|p| (hex_bytes(&p[0]), hex_bytes(&p[1]))).collect(),
        snapshots: snapshots.collect(),
        regions: HashMap::new(),
        registrations: Vec::new(),
        versions: BTreeMap::new(),
    };
    recording.read(Bytes::from(unpack(&dir.join("feed.bin.gz"))));
    Some(recording)
}

impl Recording {
    fn read(&mut self, mut rest: Bytes) {
        let mut by_request = HashMap::new();
        let mut prewrites = HashMap::new();
        for at in 0.. {
            if rest.is_empty() {
                break;
            }
            let kind = rest.get_u8();
            rest.advance(16);
            let len = rest.get_u32_le() as usize;
            let payload = rest.split_to(len);
            match kind {
                b'P' => self.region(pdpb::Region::decode(payload).unwrap()),
                b'C' => {
                    let request = ChangeDataRequest::decode(payload).unwrap();
                    by_request.insert(request.request_id, self.registrations.len());
                    self.registrations.push(registration(request, at));
                }
                b'S' => self.event(ChangeDataEvent::decode(payload).unwrap(), at, &by_request, &mut prewrites),
                other => panic!("frame {at} is of kind {other}"),
            }
        }
    }

    fn region(&mut self, region: pdpb::Region) {
        let meta = region.region.as_ref().unwrap();
        self.regions.insert((meta.id, version_of(meta.region_epoch)), region);
    }

    fn event(
        &mut self,
        message: ChangeDataEvent,
        at: usize,
        by_request: &HashMap<u64, usize>,
        prewrites: &mut HashMap<(u64, Bytes), Row>,
    ) {
        for event in message.events {
            let kind = event.event.unwrap();
            if let Event::Entries(entries) = &kind {
                entries.entries.iter().for_each(|row| self.version(row, prewrites));
            }
            self.registrations[by_request[&event.request_id]].frames.push((at, Frame::Event(kind)));
        }
        if let Some(resolved) = message.resolved_ts {
            self.registrations[by_request[&resolved.request_id]].frames.push((at, Frame::Resolved(resolved.ts)));
        }
    }

    /// Remembers a committed version, without regard to rollbacks: what was rolled back is never committed.
    fn version(&mut self, row: &Row, prewrites: &mut HashMap<(u64, Bytes), Row>) {
        let id = (row.start_ts, row.key.clone());
        let whole = match row.r#type() {
            LogType::Prewrite => {
                if !row.value.is_empty() || !prewrites.contains_key(&id) {
                    prewrites.insert(id, row.clone());
                }
                return;
            }
            LogType::Commit => prewrites.get(&id).cloned(),
            LogType::Committed => Some(row.clone()),
            _ => None,
        };
        if let Some(whole) = whole {
            let row = Row {
                commit_ts: row.commit_ts,
                op_type: row.op_type,
                r#type: LogType::Committed.into(),
                generation: 0,
                ..whole
            };
            self.versions.insert((row.commit_ts, row.key.clone()), row);
        }
    }
}

fn registration(request: ChangeDataRequest, at: usize) -> Registration {
    Registration {
        region: (request.region_id, version_of(request.region_epoch)),
        start: request.start_key,
        end: request.end_key,
        checkpoint: request.checkpoint_ts,
        frames: Vec::new(),
        at,
    }
}
