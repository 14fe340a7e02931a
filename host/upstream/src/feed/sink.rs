//! The bounded channel between feeds and their consumer.
//!
//! Changes are accounted in bytes and wait for room. Resolved timestamps, and news of a span's state,
//! take none: a resolved-ts that follows another of its span with no changes of the span between them
//! replaces it in its place. So what waits is bounded by the changes and by the number of spans, and a
//! resolved-ts is never seen before the changes it covers.

use crate::UpstreamError;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tg_model::{RawChange, SpanId, Ts};
use tokio::sync::Notify;

/// What a feed tells its consumer. Per span: in order of the feed; a change is followed, not preceded,
/// by the resolved-ts that covers it. Changes may come again after a resubscription, with the same
/// (key, commit-ts), but never at or below a resolved-ts already told.
#[derive(Clone, Debug)]
pub enum FeedEvent {
    /// Changes in the order of one region's log; not sorted by commit-ts.
    Changes {
        /// Whose.
        span: SpanId,
        /// Never empty.
        changes: Vec<RawChange>,
        /// Sum of the changes' weights.
        weight_bytes: usize,
    },
    /// Every change of the span with a commit-ts at or below `ts` has been delivered.
    Resolved {
        /// Whose.
        span: SpanId,
        /// Rises.
        ts: Ts,
    },
    /// Every key of the span has been scanned; once per subscription.
    Initialized {
        /// Whose.
        span: SpanId,
    },
    /// The subscription has ended for good.
    Failed {
        /// Whose.
        span: SpanId,
        /// Why.
        error: Arc<UpstreamError>,
    },
}

/// Changes of one span on their way into the channel.
pub(crate) struct Batch {
    pub(crate) span: SpanId,
    pub(crate) changes: Vec<RawChange>,
    pub(crate) weight_bytes: usize,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<FeedEvent>,
    /// How many items have been taken out since the beginning.
    taken: u64,
    /// Where in the count of items a span's resolved-ts waits that can still be replaced.
    open: HashMap<SpanId, u64, RandomState>,
    used_bytes: usize,
    closed: bool,
}

struct Shared {
    id: u64,
    limit_bytes: usize,
    queue: Mutex<Queue>,
    readable: Notify,
    writable: Notify,
}

/// The entrance; feeds of one sender share its room and, per store, its connections.
#[derive(Clone)]
pub struct FeedSender(Arc<Shared>);

/// The exit; one consumer. Dropping it ends every subscription that delivers into it.
pub struct FeedReceiver(Arc<Shared>);

/// Makes a channel with room for `limit_bytes` of changes; one message of a store (usually below
/// 6 MiB) per connection may exceed it.
#[must_use]
pub fn feed_channel(limit_bytes: usize) -> (FeedSender, FeedReceiver) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let shared = Arc::new(Shared {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        limit_bytes,
        queue: Mutex::default(),
        readable: Notify::new(),
        writable: Notify::new(),
    });
    (FeedSender(Arc::clone(&shared)), FeedReceiver(shared))
}

impl FeedSender {
    /// Names the channel within the process.
    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.queue.lock().closed
    }

    /// Bytes of changes that wait.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.0.queue.lock().used_bytes
    }

    /// Delivers changes when there is room. `false` when the consumer is gone.
    pub(crate) async fn send(&self, batches: &mut Vec<Batch>) -> bool {
        loop {
            let mut room = std::pin::pin!(self.0.writable.notified());
            room.as_mut().enable();
            {
                let mut queue = self.0.queue.lock();
                if queue.closed {
                    return false;
                }
                if queue.used_bytes < self.0.limit_bytes {
                    queue.put_all(batches);
                    break;
                }
            }
            room.await;
        }
        self.0.readable.notify_one();
        // Others may fit as well: the room is not handed out in pieces.
        self.0.writable.notify_one();
        true
    }

    /// Delivers a resolved-ts; never waits. `false` when the consumer is gone.
    pub(crate) fn resolved(&self, span: SpanId, ts: Ts) -> bool {
        let mut queue = self.0.queue.lock();
        if queue.closed {
            return false;
        }
        let taken = queue.taken;
        let waiting = queue.open.get(&span).copied().and_then(|at| at.checked_sub(taken));
        if let Some(FeedEvent::Resolved { ts: old, .. }) = waiting.and_then(|at| queue.items.get_mut(at as usize)) {
            *old = ts.max(*old);
            return true;
        }
        let at = taken + queue.items.len() as u64;
        queue.open.insert(span, at);
        queue.items.push_back(FeedEvent::Resolved { span, ts });
        drop(queue);
        self.0.readable.notify_one();
        true
    }

    /// Delivers news of a span's state; never waits. `false` when the consumer is gone.
    pub(crate) fn tell(&self, event: FeedEvent) -> bool {
        let mut queue = self.0.queue.lock();
        if queue.closed {
            return false;
        }
        queue.items.push_back(event);
        drop(queue);
        self.0.readable.notify_one();
        true
    }
}

impl Queue {
    fn put_all(&mut self, batches: &mut Vec<Batch>) {
        for Batch { span, changes, weight_bytes } in batches.drain(..) {
            self.open.remove(&span);
            self.used_bytes += weight_bytes;
            self.items.push_back(FeedEvent::Changes { span, changes, weight_bytes });
        }
    }

    fn take(&mut self) -> Option<FeedEvent> {
        let event = self.items.pop_front()?;
        let at = self.taken;
        self.taken += 1;
        match &event {
            FeedEvent::Changes { weight_bytes, .. } => self.used_bytes -= weight_bytes,
            FeedEvent::Resolved { span, .. } => {
                if self.open.get(span) == Some(&at) {
                    self.open.remove(span);
                }
            }
            FeedEvent::Initialized { .. } | FeedEvent::Failed { .. } => {}
        }
        Some(event)
    }
}

impl FeedReceiver {
    /// The next event, waiting for it. Safe to cancel. Never ends by itself: the consumer does.
    pub async fn recv(&mut self) -> FeedEvent {
        loop {
            if let Some(event) = self.try_recv() {
                return event;
            }
            self.0.readable.notified().await;
        }
    }

    /// The next event if there is one.
    pub fn try_recv(&mut self) -> Option<FeedEvent> {
        let event = self.0.queue.lock().take();
        if matches!(event, Some(FeedEvent::Changes { .. })) {
            self.0.writable.notify_one();
        }
        event
    }

    /// Appends up to `max_events` events to `out`, waiting for the first. Safe to cancel.
    pub async fn recv_many(&mut self, out: &mut Vec<FeedEvent>, max_events: usize) {
        loop {
            let before = out.len();
            {
                let mut queue = self.0.queue.lock();
                while out.len() - before < max_events
                    && let Some(event) = queue.take()
                {
                    out.push(event);
                }
            }
            if out.len() > before {
                self.0.writable.notify_one();
                return;
            }
            self.0.readable.notified().await;
        }
    }

    /// Bytes of changes that wait.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.0.queue.lock().used_bytes
    }
}

impl Drop for FeedReceiver {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock();
        queue.closed = true;
        queue.items.clear();
        queue.open.clear();
        drop(queue);
        self.0.writable.notify_waiters();
        self.0.writable.notify_one();
    }
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
