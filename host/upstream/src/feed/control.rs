//! Decides what is subscribed where: spans, regions, streams, retries. Sans-IO.
//!
//! One value serves all subscriptions of a client. It is told what happened and answers with effects;
//! timers are asked for with [`Control::next_timer_ms`] and come back as [`Input::Tick`].

use super::effect::{Effect, Input, Registration, Signal, StreamNo};
use super::limits::FeedLimits;
use super::ranges::{Lock, Ranges};
use super::stores::{Stores, SubKey};
use super::timers::{Timer, Timers};
use crate::UpstreamError;
use crate::key::KeyRange;
use crate::region::Region;
use bytes::Bytes;
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use std::sync::Arc;
use tg_model::{SpanId, Ts};

/// Where a region's subscription stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SubState {
    /// Waits for its time.
    Backoff,
    /// Waits for a place among the scans of its store.
    Queued,
    /// Registered on a stream; its scan runs.
    Scanning(StreamNo),
    /// Registered, scan complete.
    Live(StreamNo),
}

/// One region's part of a span.
pub(super) struct Sub {
    pub(super) region: Region,
    pub(super) range: KeyRange,
    pub(super) slot: u32,
    pub(super) state: SubState,
    /// Tells timers and queue entries of the present state from older ones.
    pub(super) turn: u32,
    /// Failures since the last completed scan.
    pub(super) attempts: u32,
    /// When its locks were last resolved.
    pub(super) locks_checked_ms: u64,
}

impl Sub {
    pub(super) fn stream(&self) -> Option<StreamNo> {
        match self.state {
            SubState::Scanning(s) | SubState::Live(s) => Some(s),
            SubState::Backoff | SubState::Queued => None,
        }
    }
}

pub(super) struct Span {
    pub(super) id: SpanId,
    pub(super) group: u64,
    pub(super) filter_loop: bool,
    pub(super) ranges: Ranges,
    pub(super) subs: HashMap<u64, Sub, RandomState>,
    /// Last told to the consumer.
    pub(super) told: Ts,
    pub(super) told_ms: u64,
    told_initialized: bool,
    pub(super) violations: u32,
    /// The pending timer for its free pieces.
    load_timer_ms: Option<u64>,
}

/// See the module.
pub(crate) struct Control {
    pub(super) limits: FeedLimits,
    pub(super) now_ms: u64,
    pub(super) spans: HashMap<u64, Span, RandomState>,
    by_id: HashMap<SpanId, u64, RandomState>,
    next_request: u64,
    pub(super) stores: Stores,
    pub(super) timers: Timers,
    pub(super) random: u64,
}

impl Control {
    /// `seed` spreads retries.
    pub(crate) fn new(limits: FeedLimits, seed: u64) -> Self {
        Self {
            limits,
            now_ms: 0,
            spans: HashMap::default(),
            by_id: HashMap::default(),
            next_request: 1,
            stores: Stores::default(),
            timers: Timers::default(),
            random: seed | 1,
        }
    }

    /// When the next tick is due.
    pub(crate) fn next_timer_ms(&self) -> Option<u64> {
        self.timers.next_ms()
    }

    /// Takes one input.
    pub(crate) fn step(&mut self, now_ms: u64, input: Input, out: &mut Vec<Effect>) {
        self.now_ms = self.now_ms.max(now_ms);
        match input {
            Input::Subscribe { span, range, start, group, filter_loop } => {
                self.subscribe(span, range, start, group, filter_loop, out);
            }
            Input::Unsubscribe { span } => {
                if let Some(request) = self.by_id.get(&span).copied() {
                    self.remove(request, out);
                }
            }
            Input::GroupClosed { group } => {
                let gone: Vec<u64> = self.spans.iter().filter(|(_, s)| s.group == group).map(|(r, _)| *r).collect();
                for request in gone {
                    self.forget(request);
                }
                out.extend(self.stores.close_group(group).into_iter().map(|stream| Effect::Close { stream }));
                self.pump_all(out);
            }
            Input::Loaded { request, ranges, regions } => self.loaded(request, &ranges, regions, out),
            Input::StreamUp { stream, multiplexed } => self.stores.up(stream, multiplexed),
            Input::StreamDown { stream, established } => self.stream_down(stream, established, out),
            Input::Initialized { stream, request, region } => self.initialized(stream, request, region, out),
            Input::Ended { stream, request, region, cause } => self.ended(stream, request, region, cause, out),
            Input::Resolved { stream, request, regions, ts } => self.resolved(stream, request, &regions, ts, out),
            Input::Tick => self.tick(out),
            Input::CheckLocks { pd_now } => self.check_locks(pd_now, out),
        }
    }

    fn subscribe(
        &mut self,
        id: SpanId,
        range: KeyRange,
        start: Ts,
        group: u64,
        filter_loop: bool,
        out: &mut Vec<Effect>,
    ) {
        if let Some(old) = self.by_id.get(&id).copied() {
            self.remove(old, out);
        }
        let request = self.next_request;
        self.next_request += 1;
        let span = Span {
            id,
            group,
            filter_loop,
            ranges: Ranges::new(range, start, self.now_ms),
            subs: HashMap::default(),
            told: start,
            told_ms: self.now_ms,
            told_initialized: false,
            violations: 0,
            load_timer_ms: None,
        };
        self.spans.insert(request, span);
        self.by_id.insert(id, request);
        self.load_due(request, out);
    }

    fn remove(&mut self, request: u64, out: &mut Vec<Effect>) {
        for stream in self.forget(request) {
            out.push(Effect::Deregister { stream, request });
        }
        self.pump_all(out);
    }

    /// Takes a span off its streams, which are returned.
    fn forget(&mut self, request: u64) -> HashSet<StreamNo, RandomState> {
        let mut streams = HashSet::default();
        let Some(span) = self.spans.remove(&request) else {
            return streams;
        };
        if self.by_id.get(&span.id) == Some(&request) {
            self.by_id.remove(&span.id);
        }
        for (region, sub) in &span.subs {
            if let Some(stream) = sub.stream() {
                streams.insert(stream);
                self.detach(stream, (request, *region), sub.state);
            }
        }
        streams
    }

    /// Ends the span with an error.
    pub(super) fn fail(&mut self, request: u64, error: UpstreamError, out: &mut Vec<Effect>) {
        if let Some(span) = self.spans.get(&request) {
            let signal = Signal::Failed { span: span.id, error: Arc::new(error) };
            out.push(Effect::Signal { group: span.group, signal });
        }
        self.remove(request, out);
    }

    pub(super) fn load_due(&mut self, request: u64, out: &mut Vec<Effect>) {
        let Some(span) = self.spans.get_mut(&request) else {
            return;
        };
        let ranges = span.ranges.due(self.now_ms);
        if !ranges.is_empty() {
            out.push(Effect::Load { request, ranges });
        }
        if let Some(at) = span.ranges.next_due_ms()
            && span.load_timer_ms.is_none_or(|pending| at < pending)
        {
            span.load_timer_ms = Some(at);
            self.timers.add(at, Timer::Load(request));
        }
    }

    fn loaded(&mut self, request: u64, ranges: &[KeyRange], regions: Option<Vec<Region>>, out: &mut Vec<Effect>) {
        let mut granted: Vec<(u64, Bytes)> = Vec::new();
        for region in regions.into_iter().flatten() {
            let Some(span) = self.spans.get_mut(&request) else {
                return;
            };
            if span.subs.contains_key(&region.id) || region.candidate(0).is_none() {
                continue;
            }
            if let Lock::Granted { range, slot, attempts, .. } = span.ranges.lock(&region) {
                let id = region.id;
                granted.push((id, range.start.clone()));
                let sub = Sub { region, range, slot, state: SubState::Backoff, turn: 0, attempts, locks_checked_ms: 0 };
                span.subs.insert(id, sub);
            }
        }
        for (region, _) in granted {
            self.enqueue(request, region);
        }
        let Some(span) = self.spans.get_mut(&request) else {
            return;
        };
        let (limits, random) = (&self.limits, &mut self.random);
        for range in ranges {
            span.ranges.loaded(range, self.now_ms, |attempts| limits.backoff_ms(attempts + 1, random));
        }
        self.load_due(request, out);
        self.pump_all(out);
    }

    fn initialized(&mut self, stream: StreamNo, request: u64, region: u64, out: &mut Vec<Effect>) {
        let Some(span) = self.spans.get_mut(&request) else {
            return;
        };
        let Some(sub) = span.subs.get_mut(&region) else {
            return;
        };
        if sub.state != SubState::Scanning(stream) {
            return;
        }
        sub.state = SubState::Live(stream);
        sub.attempts = 0;
        span.ranges.initialized(&sub.range.start);
        if span.ranges.is_initialized() && !std::mem::replace(&mut span.told_initialized, true) {
            out.push(Effect::Signal { group: span.group, signal: Signal::Initialized { span: span.id } });
        }
        self.stores.scan_done(stream);
        self.pump_all(out);
    }

    fn resolved(&mut self, stream: StreamNo, request: u64, regions: &[u64], ts: Ts, out: &mut Vec<Effect>) {
        let Some(span) = self.spans.get_mut(&request) else {
            return;
        };
        for region in regions {
            if let Some(sub) = span.subs.get(region)
                && sub.state == SubState::Live(stream)
            {
                span.ranges.resolve(sub.slot, ts);
            }
        }
        let resolved = span.ranges.resolved();
        if resolved > span.told {
            span.told = resolved;
            span.told_ms = self.now_ms;
            out.push(Effect::Signal { group: span.group, signal: Signal::Resolved { span: span.id, ts: resolved } });
        }
    }

    pub(super) fn sub(&mut self, request: u64, region: u64) -> Option<&mut Sub> {
        self.spans.get_mut(&request)?.subs.get_mut(&region)
    }

    pub(super) fn detach(&mut self, stream: StreamNo, key: SubKey, state: SubState) {
        self.stores.detach(self.now_ms, stream, key, matches!(state, SubState::Scanning(_)));
    }

    pub(super) fn enqueue(&mut self, request: u64, region: u64) {
        let Some(sub) = self.spans.get_mut(&request).and_then(|s| s.subs.get_mut(&region)) else {
            return;
        };
        let Some(peer) = sub.region.candidate(sub.attempts) else {
            return;
        };
        sub.state = SubState::Queued;
        sub.turn += 1;
        self.stores.enqueue(peer.store_id, (request, region), sub.turn);
    }

    /// Registers what waits, as far as the stores' scan limits allow.
    pub(super) fn pump_all(&mut self, out: &mut Vec<Effect>) {
        while let Some((store, key, turn)) = self.stores.next_ready(self.now_ms, self.limits.scans_per_store) {
            let (request, region) = key;
            let Some(span) = self.spans.get_mut(&request) else {
                continue;
            };
            let Some(sub) = span.subs.get_mut(&region) else {
                continue;
            };
            if sub.turn != turn || sub.state != SubState::Queued {
                continue;
            }
            let (stream, is_new) = self.stores.attach(store, span.group, key, self.limits.streams_per_store);
            if is_new {
                out.push(Effect::Open { stream, store, group: span.group });
            }
            sub.state = SubState::Scanning(stream);
            let registration = Registration {
                request,
                span: span.id,
                region: region_of(sub),
                range: sub.range.clone(),
                checkpoint: span.ranges.resolved_of(sub.slot),
                filter_loop: span.filter_loop,
            };
            out.push(Effect::Register { stream, registration: Box::new(registration) });
        }
    }

    fn tick(&mut self, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.pop_due(self.now_ms) {
            match timer {
                Timer::Load(request) => {
                    if let Some(span) = self.spans.get_mut(&request) {
                        span.load_timer_ms = None;
                    }
                    self.load_due(request, out);
                }
                Timer::Retry { request, region, turn } => {
                    if self.sub(request, region).is_some_and(|s| s.turn == turn && s.state == SubState::Backoff) {
                        self.enqueue(request, region);
                    }
                }
                Timer::Store(store) => self.stores.wake(store),
            }
        }
        self.pump_all(out);
    }

    pub(super) fn request_of(&self, span: SpanId) -> Option<u64> {
        self.by_id.get(&span).copied()
    }
}

fn region_of(sub: &Sub) -> super::effect::RegionRef {
    super::effect::RegionRef { id: sub.region.id, epoch: sub.region.epoch }
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
