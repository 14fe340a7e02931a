//! Recordings of a real cluster through matcher and frontier.

use super::budget::Budget;
use super::effect::{EndCause, Input, RegionRef, Registration, StreamNo};
use super::ranges::{Lock, Ranges};
use super::rows::{Harvest, Rows};
use super::wire;
use crate::key::{KeyRange, comparable};
use crate::region::Region;
use bytes::{Buf, Bytes};
use prost::Message;
use std::collections::HashMap;
use std::io::Read;
use tg_model::{RawChange, SpanId, Ts};
use tg_proto::cdcpb;

const STREAM: StreamNo = StreamNo(1);

struct Replay {
    spans: [Ranges; 2],
    rows: HashMap<u64, Rows>,
    /// Slot and span of what is registered, by (request, region).
    held: HashMap<(u64, u64), (usize, u32, Bytes)>,
    told: [Ts; 2],
    seen: HashMap<(Bytes, Ts), RawChange>,
    again: usize,
    ends: usize,
}

fn range(start: &[u8], end: &[u8]) -> KeyRange {
    KeyRange { start: comparable(start), end: comparable(end) }
}

impl Replay {
    fn new(start: Ts) -> Self {
        let spans = [Ranges::new(range(b"m", b"n"), start, 0), Ranges::new(range(b"t", b"u"), start, 0)];
        Self {
            spans,
            rows: HashMap::new(),
            held: HashMap::new(),
            told: [start; 2],
            seen: HashMap::new(),
            again: 0,
            ends: 0,
        }
    }

    fn register(&mut self, store: u64, request: cdcpb::ChangeDataRequest) {
        let part = KeyRange { start: request.start_key, end: request.end_key };
        let span = usize::from(part.start.first() == Some(&b't'));
        let epoch = request.region_epoch.unwrap();
        let region = Region { id: request.region_id, range: part.clone(), epoch, peers: vec![], leader: None };
        let Lock::Granted { range, slot, resolved, .. } = self.spans[span].lock(&region) else {
            panic!("the recorder registered what was held: {region:?}");
        };
        assert_eq!(range, part);
        assert!(resolved >= Ts::new(request.checkpoint_ts), "the recorder was behind us, not before");
        self.held.insert((request.request_id, region.id), (span, slot, range.start.clone()));
        let registration = Registration {
            request: request.request_id,
            span: SpanId(span as u64),
            region: RegionRef { id: region.id, epoch },
            range,
            checkpoint: Ts::new(request.checkpoint_ts),
            filter_loop: false,
        };
        let budget = || Budget::new(1 << 30, None);
        let rows = self.rows.entry(store).or_insert_with(|| Rows::new(STREAM, 0, budget()));
        assert!(rows.add(registration).is_ok());
    }

    fn receive(&mut self, store: u64, message: Bytes) {
        let decoded = cdcpb::ChangeDataEvent::decode(message.clone()).unwrap();
        assert_eq!(wire::tests::read(&message), Ok(wire::tests::plain(decoded)));
        self.rows.get_mut(&store).unwrap().put(message);
        let mut done = false;
        while !done {
            let mut harvest = Harvest::default();
            done = self.rows.get_mut(&store).unwrap().step(&mut harvest).unwrap();
            self.harvest(harvest);
        }
    }

    fn harvest(&mut self, harvest: Harvest) {
        for batch in harvest.batches {
            assert_eq!(batch.weight_bytes, batch.changes.iter().map(RawChange::weight_bytes).sum::<usize>());
            assert!(!batch.changes.is_empty());
            for change in batch.changes {
                self.change(batch.span.0 as usize, change);
            }
        }
        for news in harvest.news {
            self.news(news);
        }
        for (span, told) in self.told.iter_mut().enumerate() {
            let resolved = self.spans[span].resolved();
            assert!(resolved >= *told, "the frontier fell");
            *told = resolved;
        }
    }

    fn change(&mut self, span: usize, change: RawChange) {
        assert!(change.commit_ts > self.told[span], "a change at or below the frontier: {change:?}");
        match self.seen.entry((change.key.clone(), change.commit_ts)) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(change);
            }
            std::collections::hash_map::Entry::Occupied(slot) => {
                assert_eq!(*slot.get(), change, "one version came with two contents");
                self.again += 1;
            }
        }
    }

    fn news(&mut self, news: Input) {
        match news {
            Input::Initialized { request, region, .. } => {
                let (span, _, start) = &self.held[&(request, region)];
                self.spans[*span].initialized(start);
            }
            Input::Resolved { request, regions, ts, .. } => {
                for region in regions {
                    let (span, slot, _) = &self.held[&(request, region)];
                    self.spans[*span].resolve(*slot, ts);
                }
            }
            Input::Ended { request, region, cause, .. } => {
                assert!(matches!(cause, EndCause::RangeChanged), "{cause:?}");
                self.ends += 1;
                let (span, _, start) = self.held.remove(&(request, region)).unwrap();
                self.spans[span].unlock(&start, 0, 0);
            }
            _ => panic!("not from rows"),
        }
    }
}

fn check(case: &str, changes_min: usize, ends: usize) {
    let folder = format!("{}/../../../shared/golden/{case}", env!("CARGO_MANIFEST_DIR"));
    let Ok(packed) = std::fs::read(format!("{folder}/feed.bin.gz")) else {
        eprintln!("passed over: {folder} is not there");
        return;
    };
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
    let case_json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(format!("{folder}/case.json")).unwrap()).unwrap();
    let mut replay = Replay::new(Ts::new(case_json["start_ts"].as_u64().unwrap()));
    let mut rest = Bytes::from(bytes);
    while rest.has_remaining() {
        let kind = rest.get_u8();
        let _micros = rest.get_u64_le();
        let store = rest.get_u64_le();
        let len = rest.get_u32_le() as usize;
        let payload = rest.split_to(len);
        match kind {
            b'C' => replay.register(store, cdcpb::ChangeDataRequest::decode(payload).unwrap()),
            b'S' => replay.receive(store, payload),
            _ => {}
        }
    }
    let end = Ts::new(case_json["end_ts"].as_u64().unwrap());
    let name = format!("{case}: {} changes, {} again, {} ends", replay.seen.len(), replay.again, replay.ends);
    assert!(replay.spans.iter().all(Ranges::is_initialized), "{name}");
    assert!(replay.told.iter().all(|t| *t >= end), "{name}: {:?} is short of {end}", replay.told);
    assert!(replay.seen.len() >= changes_min, "{name}");
    assert_eq!(replay.ends, ends, "{name}");
    let open: usize = replay.rows.values().map(Rows::pending).sum();
    assert_eq!(open, 0, "{name}: prewrites without an end");
    eprintln!("{name}");
}

#[test]
fn bank() {
    check("bank", 31_000, 2);
}

#[test]
fn ddl() {
    check("ddl", 1_900, 22);
}

#[test]
fn modes() {
    check("modes", 220, 2);
}

#[test]
fn regions() {
    check("regions", 2_300, 3);
}

#[test]
fn types() {
    check("types", 600, 6);
}
