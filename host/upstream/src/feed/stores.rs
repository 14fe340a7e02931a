//! Stores as the control sees them: streams, their subscriptions, and the queue for scans.

use super::effect::StreamNo;
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;

/// (request, region).
pub(super) type SubKey = (u64, u64);

struct Stream {
    store: u64,
    group: u64,
    index: u32,
    /// When it last lost a subscription.
    quiet_since_ms: u64,
    subs: HashSet<SubKey, RandomState>,
    regions: HashMap<u64, u32, RandomState>,
}

#[derive(Default)]
struct Store {
    queue: VecDeque<(SubKey, u32)>,
    scanning: usize,
    not_before_ms: u64,
    /// Found to serve the old feed only: a region fits on a stream once.
    single: bool,
}

#[derive(Default)]
pub(super) struct Stores {
    stores: HashMap<u64, Store, RandomState>,
    streams: HashMap<StreamNo, Stream, RandomState>,
    by_place: HashMap<(u64, u64, u32), StreamNo, RandomState>,
    /// Stores that may have something to do.
    awake: VecDeque<u64>,
    next_stream: u64,
}

impl Stores {
    pub(super) fn enqueue(&mut self, store: u64, key: SubKey, turn: u32) {
        self.stores.entry(store).or_default().queue.push_back((key, turn));
        self.wake(store);
    }

    pub(super) fn wake(&mut self, store: u64) {
        if !self.awake.contains(&store) {
            self.awake.push_back(store);
        }
    }

    /// The next subscription that may be registered.
    pub(super) fn next_ready(&mut self, now_ms: u64, scans_max: usize) -> Option<(u64, SubKey, u32)> {
        while let Some(id) = self.awake.front().copied() {
            if let Some(store) = self.stores.get_mut(&id)
                && store.not_before_ms <= now_ms
                && store.scanning < scans_max
                && let Some((key, turn)) = store.queue.pop_front()
            {
                return Some((id, key, turn));
            }
            self.awake.pop_front();
        }
        None
    }

    /// Puts a subscription on a stream of the store; `true` when the stream is new.
    pub(super) fn attach(&mut self, store: u64, group: u64, key: SubKey, streams: u32) -> (StreamNo, bool) {
        let entry = self.stores.entry(store).or_default();
        entry.scanning += 1;
        let (single, first) = (entry.single, (key.0 % u64::from(streams.max(1))) as u32);
        // On an old store, further streams are made until one does not have the region.
        let mut index = first;
        let (no, is_new) = loop {
            match self.by_place.get(&(store, group, index)).copied() {
                None => break (self.open(store, group, index), true),
                Some(no) if !single || !self.has_region(no, key.1) => break (no, false),
                Some(_) => index += 1,
            }
        };
        if let Some(stream) = self.streams.get_mut(&no) {
            stream.subs.insert(key);
            *stream.regions.entry(key.1).or_default() += 1;
        }
        (no, is_new)
    }

    fn has_region(&self, stream: StreamNo, region: u64) -> bool {
        self.streams.get(&stream).is_some_and(|s| s.regions.contains_key(&region))
    }

    fn open(&mut self, store: u64, group: u64, index: u32) -> StreamNo {
        self.next_stream += 1;
        let no = StreamNo(self.next_stream);
        let (subs, regions) = (HashSet::default(), HashMap::default());
        let stream = Stream { store, group, index, quiet_since_ms: 0, subs, regions };
        self.streams.insert(no, stream);
        self.by_place.insert((store, group, index), no);
        no
    }

    pub(super) fn detach(&mut self, now_ms: u64, no: StreamNo, key: SubKey, scanning: bool) {
        let Some(stream) = self.streams.get_mut(&no) else {
            return;
        };
        stream.quiet_since_ms = now_ms;
        if stream.subs.remove(&key)
            && let Some(count) = stream.regions.get_mut(&key.1)
        {
            *count -= 1;
            if *count == 0 {
                stream.regions.remove(&key.1);
            }
        }
        if scanning {
            self.scan_done(no);
        }
    }

    pub(super) fn scan_done(&mut self, no: StreamNo) {
        let Some(id) = self.streams.get(&no).map(|s| s.store) else {
            return;
        };
        if let Some(store) = self.stores.get_mut(&id) {
            store.scanning = store.scanning.saturating_sub(1);
        }
        self.wake(id);
    }

    pub(super) fn up(&mut self, no: StreamNo, multiplexed: bool) {
        let Some(id) = self.streams.get(&no).map(|s| s.store) else {
            return;
        };
        self.stores.entry(id).or_default().single = !multiplexed;
    }

    /// Forgets the stream: its store, and what was on it.
    pub(super) fn down(&mut self, no: StreamNo, not_before_ms: u64) -> Option<(u64, Vec<SubKey>)> {
        let stream = self.forget(no)?;
        if let Some(store) = self.stores.get_mut(&stream.store) {
            store.not_before_ms = store.not_before_ms.max(not_before_ms);
        }
        Some((stream.store, stream.subs.into_iter().collect()))
    }

    fn forget(&mut self, no: StreamNo) -> Option<Stream> {
        let stream = self.streams.remove(&no)?;
        self.by_place.remove(&(stream.store, stream.group, stream.index));
        Some(stream)
    }

    /// Forgets the streams that have carried nothing since `since_ms` or before and names them.
    pub(super) fn close_idle(&mut self, since_ms: u64) -> Vec<StreamNo> {
        self.close(|s| s.subs.is_empty() && s.quiet_since_ms <= since_ms)
    }

    /// Forgets the streams of a consumer, which carry nothing any more, and names them.
    pub(super) fn close_group(&mut self, group: u64) -> Vec<StreamNo> {
        self.close(|s| s.group == group)
    }

    fn close(&mut self, which: impl Fn(&Stream) -> bool) -> Vec<StreamNo> {
        let closed: Vec<_> = self.streams.iter().filter(|(_, s)| which(s)).map(|(no, _)| *no).collect();
        for no in &closed {
            self.forget(*no);
        }
        closed
    }

    /// Corrects the count of running scans when a stream is lost with `scans` of them.
    pub(super) fn scans_lost(&mut self, store: u64, scans: usize) {
        if let Some(store) = self.stores.get_mut(&store) {
            store.scanning = store.scanning.saturating_sub(scans);
        }
    }
}
