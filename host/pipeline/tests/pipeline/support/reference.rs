//! What the upstream says happened, read beside the pipeline from one feed over all tables.

use super::downstream::Change;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use tg_model::{ChangeOp, RawChange, Span, SpanId, TableId, Ts};
use tg_upstream::{FeedEvent, FeedOptions, FeedReceiver, Upstream, feed_channel};
use tokio::sync::watch;

/// Ids of a person's tables lie between these.
const TABLES: std::ops::Range<i64> = 100..1 << 40;
const FEED_BYTES: usize = 4 << 20;

/// One feed from the start of a test, read by a task of its own.
pub(crate) struct Reference {
    seen: Arc<Mutex<BTreeSet<Change>>>,
    resolved: watch::Receiver<Ts>,
}

impl Reference {
    pub(crate) fn new(upstream: &Upstream, start: Ts) -> Self {
        let (sender, feed) = feed_channel(FEED_BYTES);
        let all = Span::new(Bytes::from_static(b"t"), Bytes::from_static(b"u")).unwrap();
        upstream.subscribe(SpanId(1 << 60), &all, start, FeedOptions::default(), sender);
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let (tell, resolved) = watch::channel(Ts::ZERO);
        tokio::spawn(collect(feed, Arc::clone(&seen), tell));
        Self { seen, resolved }
    }

    /// Everything at or below `ts`.
    pub(crate) async fn upto(&mut self, ts: Ts) -> BTreeSet<Change> {
        self.resolved.wait_for(|now| *now >= ts).await.expect("the reference feed failed");
        let seen = self.seen.lock();
        seen.iter().take_while(|c| c.ts <= ts).copied().collect()
    }
}

async fn collect(mut feed: FeedReceiver, seen: Arc<Mutex<BTreeSet<Change>>>, tell: watch::Sender<Ts>) {
    loop {
        match feed.recv().await {
            FeedEvent::Changes { changes, .. } => seen.lock().extend(changes.iter().filter_map(named)),
            FeedEvent::Resolved { ts, .. } => {
                tell.send_replace(ts);
            }
            FeedEvent::Failed { error, .. } => panic!("the reference feed failed: {error}"),
            FeedEvent::Initialized { .. } => {}
        }
        if tell.is_closed() {
            return;
        }
    }
}

fn named(change: &RawChange) -> Option<Change> {
    let word = |at: usize| {
        let bytes: [u8; 8] = change.key.get(at..at + 8)?.try_into().ok()?;
        Some((u64::from_be_bytes(bytes) ^ 1 << 63).cast_signed())
    };
    let (table, id) = (word(1)?, word(11)?);
    let op = match change.op {
        ChangeOp::Delete if change.old_value.is_empty() => return None,
        ChangeOp::Delete => 0,
        ChangeOp::Update => 1,
        ChangeOp::Insert => 2,
    };
    TABLES.contains(&table).then_some(Change { ts: change.commit_ts, table: TableId(table), id, op })
}
