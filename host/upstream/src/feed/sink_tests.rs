use super::{Batch, FeedEvent, FeedReceiver, feed_channel};
use bytes::Bytes;
use tg_model::{ChangeOp, RawChange, SpanId, Ts};

fn batch(span: u64, ts: u64) -> Vec<Batch> {
    let change = RawChange {
        commit_ts: Ts::new(ts),
        start_ts: Ts::new(ts - 1),
        op: ChangeOp::Insert,
        key: Bytes::from_static(b"k"),
        value: Bytes::from_static(b"v"),
        old_value: Bytes::new(),
    };
    let weight_bytes = change.weight_bytes();
    vec![Batch { span: SpanId(span), changes: vec![change], weight_bytes }]
}

fn drain(rx: &mut FeedReceiver) -> Vec<String> {
    let mut out = Vec::new();
    while let Some(event) = rx.try_recv() {
        out.push(match event {
            FeedEvent::Changes { span, changes, .. } => {
                format!("{span}:change {}", changes[0].commit_ts)
            }
            FeedEvent::Resolved { span, ts } => format!("{span}:resolved {ts}"),
            FeedEvent::Initialized { span } => format!("{span}:initialized"),
            FeedEvent::Failed { span, .. } => format!("{span}:failed"),
        });
    }
    out
}

#[tokio::test]
async fn resolved_is_coalesced_but_never_overtakes_changes() {
    let (tx, mut rx) = feed_channel(1 << 20);
    tx.resolved(SpanId(1), Ts::new(10));
    tx.resolved(SpanId(2), Ts::new(11));
    tx.resolved(SpanId(1), Ts::new(12));
    assert!(tx.send(&mut batch(1, 20)).await);
    tx.resolved(SpanId(1), Ts::new(21));
    tx.resolved(SpanId(2), Ts::new(22));
    tx.resolved(SpanId(1), Ts::new(23));
    assert_eq!(drain(&mut rx), ["1:resolved 12", "2:resolved 22", "1:change 20", "1:resolved 23"]);
    tx.resolved(SpanId(1), Ts::new(30));
    assert_eq!(drain(&mut rx), ["1:resolved 30"]);
    assert_eq!(rx.used_bytes(), 0);
}

#[tokio::test]
async fn a_full_channel_holds_changes_back_and_lets_resolved_pass() {
    let (tx, mut rx) = feed_channel(1);
    assert!(tx.send(&mut batch(1, 20)).await);
    let blocked = tokio::spawn({
        let tx = tx.clone();
        async move { tx.send(&mut batch(2, 30)).await }
    });
    tokio::task::yield_now().await;
    assert!(!blocked.is_finished());
    tx.resolved(SpanId(3), Ts::new(5));
    assert_eq!(drain(&mut rx), ["1:change 20", "3:resolved 5"]);
    assert!(blocked.await.unwrap());
    assert_eq!(drain(&mut rx), ["2:change 30"]);
}

#[tokio::test]
async fn senders_learn_that_the_consumer_is_gone() {
    let (tx, rx) = feed_channel(1);
    assert!(tx.send(&mut batch(1, 20)).await);
    let blocked: Vec<_> = (0..3)
        .map(|_| {
            let tx = tx.clone();
            tokio::spawn(async move { tx.send(&mut batch(2, 30)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(rx);
    for task in blocked {
        assert!(!task.await.unwrap());
    }
    assert!(tx.is_closed());
}
