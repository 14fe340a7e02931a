//! A control with a clock, for tests.

use super::control::Control;
use super::effect::{Effect, EndCause, Input, Registration, Signal, StreamNo};
use super::limits::FeedLimits;
use crate::key::KeyRange;
use crate::region::Region;
use tg_model::{SpanId, Ts};
use tg_proto::metapb;

pub(super) const SPAN: SpanId = SpanId(77);
pub(super) const GROUP: u64 = 5;

/// A control with a clock, and what it wants done, sorted.
pub(super) struct Bench {
    pub(super) control: Control,
    pub(super) now_ms: u64,
    pub(super) loads: Vec<(u64, Vec<KeyRange>)>,
    pub(super) opened: Vec<(StreamNo, u64)>,
    pub(super) closed: Vec<StreamNo>,
    pub(super) registered: Vec<(StreamNo, Registration)>,
    pub(super) deregistered: Vec<(StreamNo, u64)>,
    pub(super) signals: Vec<Signal>,
    pub(super) locks: Vec<(KeyRange, Ts)>,
}

pub(super) fn range(start: &str, end: &str) -> KeyRange {
    KeyRange { start: start.to_owned().into(), end: end.to_owned().into() }
}

pub(super) fn peer(store: u64) -> metapb::Peer {
    metapb::Peer { id: store * 100, store_id: store, ..Default::default() }
}

pub(super) fn region(id: u64, version: u64, start: &str, end: &str, store: u64) -> Region {
    let epoch = metapb::RegionEpoch { conf_ver: 1, version };
    Region { id, range: range(start, end), epoch, peers: vec![peer(1), peer(2)], leader: Some(peer(store)) }
}

impl Bench {
    pub(super) fn new(change: impl FnOnce(&mut FeedLimits)) -> Self {
        let mut limits = FeedLimits { streams_per_store: 1, ..FeedLimits::default() };
        change(&mut limits);
        Self {
            control: Control::new(limits, 1),
            now_ms: 0,
            loads: vec![],
            opened: vec![],
            closed: vec![],
            registered: vec![],
            deregistered: vec![],
            signals: vec![],
            locks: vec![],
        }
    }

    pub(super) fn step(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.control.step(self.now_ms, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Load { request, ranges } => self.loads.push((request, ranges)),
                Effect::Open { stream, store, group } => {
                    assert_eq!(group, GROUP);
                    self.opened.push((stream, store));
                }
                Effect::Close { stream } => self.closed.push(stream),
                Effect::Register { stream, registration } => self.registered.push((stream, *registration)),
                Effect::Deregister { stream, request } => self.deregistered.push((stream, request)),
                Effect::Signal { group, signal } => {
                    assert_eq!(group, GROUP);
                    self.signals.push(signal);
                }
                Effect::ResolveLocks { range, max_ts } => self.locks.push((range, max_ts)),
            }
        }
    }

    pub(super) fn subscribe(&mut self, span: SpanId, start: &str, end: &str) {
        let (range, start) = (range(start, end), Ts::new(100));
        self.step(Input::Subscribe { span, range, start, group: GROUP, filter_loop: false });
    }

    /// Answers the one load that waits.
    pub(super) fn answer(&mut self, regions: Option<Vec<Region>>) -> Vec<KeyRange> {
        assert_eq!(self.loads.len(), 1, "loads that wait: {:?}", self.loads);
        let (request, ranges) = self.loads.remove(0);
        self.step(Input::Loaded { request, ranges: ranges.clone(), regions });
        ranges
    }

    /// Takes the one registration that was made: stream, request, region, checkpoint.
    pub(super) fn registration(&mut self) -> (StreamNo, u64, u64, u64) {
        assert_eq!(self.registered.len(), 1, "{:?}", self.registered);
        let (stream, r) = self.registered.remove(0);
        (stream, r.request, r.region.id, r.checkpoint.get())
    }

    /// A span fed by one region, live.
    pub(super) fn live(change: impl FnOnce(&mut FeedLimits)) -> (Self, StreamNo, u64) {
        let mut bench = Self::new(change);
        bench.subscribe(SPAN, "b", "y");
        bench.answer(Some(vec![region(1, 1, "", "", 1)]));
        let (stream, request, region, checkpoint) = bench.registration();
        assert_eq!((region, checkpoint), (1, 100));
        bench.step(Input::StreamUp { stream, multiplexed: true });
        bench.step(Input::Initialized { stream, request, region: 1 });
        assert!(matches!(bench.signals.pop(), Some(Signal::Initialized { span: SPAN })));
        (bench, stream, request)
    }

    pub(super) fn resolve(&mut self, stream: StreamNo, request: u64, regions: &[u64], ts: u64) {
        self.step(Input::Resolved { stream, request, regions: regions.to_vec(), ts: Ts::new(ts) });
    }

    pub(super) fn end(&mut self, stream: StreamNo, request: u64, region: u64, cause: EndCause) {
        self.step(Input::Ended { stream, request, region, cause });
    }

    /// Lets time pass from timer to timer.
    pub(super) fn pass(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while let Some(at) = self.control.next_timer_ms().filter(|at| *at <= until) {
            self.now_ms = self.now_ms.max(at);
            self.step(Input::Tick);
        }
        self.now_ms = until;
    }

    pub(super) fn resolved(&mut self) -> Vec<u64> {
        let all = std::mem::take(&mut self.signals);
        all.into_iter()
            .map(|s| match s {
                Signal::Resolved { span: SPAN, ts } => ts.get(),
                other => panic!("{other:?}"),
            })
            .collect()
    }
}
