//! Change feeds against scripted stores.

use crate::fake::{CLUSTER, Fake, PATIENCE, committed, comparable, peer, region};
use tg_model::{Span, SpanId, Ts};
use tg_proto::{cdcpb, errorpb};
use tg_upstream::{FeedEvent, FeedLimits, FeedOptions, FeedReceiver, feed_channel};

const SPAN: SpanId = SpanId(9);

fn span(start: &'static str, end: &'static str) -> Span {
    Span::new(start.into(), end.into()).unwrap()
}

/// The next event in a short form.
async fn next(rx: &mut FeedReceiver) -> String {
    match tokio::time::timeout(PATIENCE, rx.recv()).await.expect("no event comes") {
        FeedEvent::Changes { span, changes, .. } => {
            let keys: Vec<_> = changes.iter().map(|c| format!("{}@{}", c.key.escape_ascii(), c.commit_ts)).collect();
            format!("{span}: {}", keys.join(" "))
        }
        FeedEvent::Resolved { span, ts } => format!("{span}: resolved {ts}"),
        FeedEvent::Initialized { span } => format!("{span}: initialized"),
        FeedEvent::Failed { span, error } => format!("{span}: failed, {error}"),
    }
}

#[tokio::test]
async fn a_feed_from_the_first_request_to_its_end() {
    let mut fake = Fake::start(1, 1).await;
    fake.state().regions = vec![region(1, 7, "", "", 1)];
    let up = fake.connect().await;
    let (tx, mut rx) = feed_channel(1 << 20);
    up.subscribe(SPAN, &span("b", "y"), Ts::new(100), FeedOptions { filter_loop: true }, tx);
    let mut feed = fake.feed().await;
    assert_eq!((feed.store, feed.features.as_deref()), (1, Some("stream-multiplexing")));
    let request = feed.request().await;
    let header = request.header.clone().unwrap();
    assert_eq!((header.cluster_id, header.ticdc_version.as_str()), (CLUSTER, "8.5.4"));
    assert_eq!((request.region_id, request.region_epoch.unwrap().version), (1, 7));
    assert_eq!((request.checkpoint_ts, request.filter_loop, request.extra_op), (100, true, 1));
    assert_eq!((request.start_key.clone(), request.end_key.clone()), (comparable("b"), comparable("y")));
    assert_ne!(request.request_id, 0);

    feed.resolved(&request, 500).await;
    feed.rows(&request, vec![committed("k", 109, 110, "v"), committed("old", 90, 100, "v")]).await;
    feed.initialized(&request).await;
    feed.resolved(&request, 90).await;
    feed.resolved(&request, 200).await;
    assert_eq!(next(&mut rx).await, "9: k@110");
    assert_eq!(next(&mut rx).await, "9: initialized");
    assert_eq!(next(&mut rx).await, "9: resolved 200");
    let stats = up.regions(SPAN).await.unwrap();
    assert_eq!((stats[0].region, stats[0].store, stats[0].resolved, stats[0].initialized), (1, 1, Ts::new(200), true));

    up.unsubscribe(SPAN);
    let end = feed.request().await;
    assert_eq!((end.request_id, end.region_id), (request.request_id, 0));
    assert!(matches!(end.request, Some(cdcpb::change_data_request::Request::Deregister(_))));
}

#[tokio::test]
async fn every_error_leads_back_to_a_subscription_from_the_resolved_ts() {
    let mut fake = Fake::start(1, 2).await;
    fake.state().regions = vec![region(1, 1, "", "", 1)];
    let up = fake.connect().await;
    let (tx, mut rx) = feed_channel(1 << 20);
    up.subscribe(SPAN, &span("b", "y"), Ts::new(100), FeedOptions::default(), tx);
    let mut feed = fake.feed().await;
    let mut request = feed.request().await;
    let not_leader =
        cdcpb::Error { not_leader: Some(errorpb::NotLeader { region_id: 1, leader: None }), ..Default::default() };
    let busy = cdcpb::Error {
        server_is_busy: Some(errorpb::ServerIsBusy { backoff_ms: 20, ..Default::default() }),
        ..Default::default()
    };
    let epoch = cdcpb::Error { epoch_not_match: Some(errorpb::EpochNotMatch::default()), ..Default::default() };
    let gone = cdcpb::Error { region_not_found: Some(errorpb::RegionNotFound { region_id: 1 }), ..Default::default() };
    let congested = cdcpb::Error { congested: Some(cdcpb::Congested { region_id: 1 }), ..Default::default() };
    let mut ts = 100;
    for error in [not_leader, busy, epoch, gone, congested, cdcpb::Error::default()] {
        assert_eq!(request.checkpoint_ts, ts);
        feed.initialized(&request).await;
        ts += 10;
        feed.resolved(&request, ts).await;
        let mut event = next(&mut rx).await;
        if event == "9: initialized" {
            assert_eq!(ts, 110, "told once");
            event = next(&mut rx).await;
        }
        assert_eq!(event, format!("9: resolved {ts}"));
        feed.error(&request, error).await;
        request = feed.request().await;
    }
    let moved = cdcpb::Error {
        not_leader: Some(errorpb::NotLeader { region_id: 1, leader: Some(peer(2)) }),
        ..Default::default()
    };
    feed.error(&request, moved).await;
    let mut other = fake.feed().await;
    assert_eq!(other.store, 2);
    request = other.request().await;
    other.initialized(&request).await;
    other.resolved(&request, 300).await;
    assert_eq!(next(&mut rx).await, "9: resolved 300");

    other.break_off().await;
    let mut again = fake.feed().await;
    assert_eq!(again.store, 2);
    assert_eq!(again.request().await.checkpoint_ts, 300);
}

#[tokio::test]
async fn a_split_makes_two_subscriptions_and_rows_come_once_per_version() {
    let mut fake = Fake::start(1, 1).await;
    fake.state().regions = vec![region(1, 1, "", "", 1)];
    let up = fake.connect().await;
    let (tx, mut rx) = feed_channel(1 << 20);
    up.subscribe(SPAN, &span("b", "y"), Ts::new(100), FeedOptions::default(), tx);
    let mut feed = fake.feed().await;
    let request = feed.request().await;
    feed.initialized(&request).await;
    feed.resolved(&request, 200).await;
    assert_eq!(next(&mut rx).await, "9: initialized");
    assert_eq!(next(&mut rx).await, "9: resolved 200");
    fake.state().regions = vec![region(2, 2, "", "m", 1), region(1, 2, "m", "", 1)];
    let epoch = cdcpb::Error { epoch_not_match: Some(errorpb::EpochNotMatch::default()), ..Default::default() };
    feed.error(&request, epoch).await;
    let (left, right) = (feed.request().await, feed.request().await);
    assert_eq!((left.region_id, left.end_key.clone(), left.checkpoint_ts), (2, comparable("m"), 200));
    assert_eq!((right.region_id, right.start_key.clone(), right.checkpoint_ts), (1, comparable("m"), 200));
    for part in [&left, &right] {
        feed.initialized(part).await;
    }
    feed.resolved(&left, 300).await;
    feed.rows(&right, vec![committed("n", 240, 250, "v")]).await;
    feed.resolved(&right, 260).await;
    assert_eq!(next(&mut rx).await, "9: n@250");
    assert_eq!(next(&mut rx).await, "9: resolved 260");
}

#[tokio::test]
async fn stores_without_multiplexing_are_served() {
    let mut fake = Fake::start(1, 1).await;
    fake.state().regions = vec![region(1, 1, "", "", 1)];
    fake.state().old_stores = true;
    let up = fake.connect().await;
    let (tx, mut rx) = feed_channel(1 << 20);
    up.subscribe(SPAN, &span("b", "y"), Ts::new(100), FeedOptions::default(), tx.clone());
    let mut first = fake.feed().await;
    assert_eq!(first.features, None);
    let request = first.request().await;
    first.initialized(&request).await;
    first.resolved_as(0, &request, 200).await;
    assert_eq!(next(&mut rx).await, "9: initialized");
    assert_eq!(next(&mut rx).await, "9: resolved 200");

    up.subscribe(SpanId(10), &span("c", "d"), Ts::new(100), FeedOptions::default(), tx);
    let mut second = fake.feed().await;
    let other = second.request().await;
    assert_eq!(other.region_id, 1, "the same region, on a stream of its own");
    second.initialized(&other).await;
    second.resolved_as(0, &other, 300).await;
    assert_eq!(next(&mut rx).await, "10: initialized");
    assert_eq!(next(&mut rx).await, "10: resolved 300");
}

#[tokio::test]
async fn a_pd_without_the_batch_call_is_served() {
    let mut fake = Fake::start(1, 1).await;
    fake.state().regions = vec![region(1, 1, "", "c", 1), region(2, 1, "c", "", 1)];
    fake.state().no_batch_scan = true;
    let up = fake.connect().await;
    let (tx, _rx) = feed_channel(1 << 20);
    for n in 0..3 {
        up.subscribe(SpanId(n), &span("b", "y"), Ts::new(100), FeedOptions::default(), tx.clone());
    }
    let mut feed = fake.feed().await;
    for _ in 0..6 {
        feed.request().await;
    }
    assert!(fake.state().calls.contains(&"ScanRegions"));
}

#[tokio::test]
async fn broken_promises_fail_the_span_and_missing_prewrites_make_a_new_scan() {
    let mut fake = Fake::start(1, 1).await;
    fake.state().regions = vec![region(1, 1, "", "", 1)];
    let up = fake.connect().await;
    let (tx, mut rx) = feed_channel(1 << 20);
    up.subscribe(SPAN, &span("b", "y"), Ts::new(100), FeedOptions::default(), tx);
    let mut feed = fake.feed().await;
    let request = feed.request().await;
    feed.initialized(&request).await;
    feed.resolved(&request, 200).await;
    assert_eq!(next(&mut rx).await, "9: initialized");
    assert_eq!(next(&mut rx).await, "9: resolved 200");
    let mut commit = committed("k", 240, 250, "v");
    commit.r#type = cdcpb::LogType::Commit.into();
    feed.rows(&request, vec![commit]).await;
    let mut again = fake.feed().await;
    let request = again.request().await;
    assert_eq!(request.checkpoint_ts, 200);
    again.rows(&request, vec![committed("k", 240, 250, "v")]).await;
    again.initialized(&request).await;
    assert_eq!(next(&mut rx).await, "9: k@250");
    again.resolved(&request, 300).await;
    assert_eq!(next(&mut rx).await, "9: resolved 300");

    again.rows(&request, vec![committed("late", 240, 260, "v")]).await;
    let failed = next(&mut rx).await;
    assert!(failed.starts_with("9: failed, ") && failed.contains("260"), "{failed}");
    assert!(up.regions(SPAN).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_slow_consumer_stops_the_stream_and_then_gives_it_up() {
    let mut fake = Fake::start(1, 1).await;
    fake.state().regions = vec![region(1, 1, "", "", 1)];
    let limits = FeedLimits { streams_per_store: 1, unread_max_ms: 100, reconnect_ms: 10, ..FeedLimits::default() };
    let up = fake.connect_with(limits).await;
    let (tx, mut rx) = feed_channel(1000);
    up.subscribe(SPAN, &span("b", "y"), Ts::new(100), FeedOptions::default(), tx);
    let mut feed = fake.feed().await;
    let request = feed.request().await;
    feed.initialized(&request).await;
    let big = "x".repeat(100_000);
    let mut sent = 0;
    // What the client does not read fills the connection's windows, then the sender's queue.
    tokio::time::timeout(PATIENCE, async {
        loop {
            while feed.try_rows(&request, vec![committed("k", 109, 110 + sent, &big)]) {
                sent += 1;
            }
            if sent > 64 && rx.used_bytes() > 1000 {
                break;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the stream is read on and on");
    assert!(feed.is_closed().await, "unread for too long");
    assert!(rx.used_bytes() < 4 << 20, "{} bytes wait", rx.used_bytes());
    // The consumer catches up: the subscription is made anew from where it was.
    let catching_up = async {
        loop {
            rx.recv().await;
        }
    };
    let mut again = tokio::select! {
        feed = fake.feed() => feed,
        () = catching_up => unreachable!(),
    };
    assert_eq!(again.request().await.checkpoint_ts, 100);
}

#[tokio::test]
async fn a_consumer_that_goes_takes_its_feeds_with_it() {
    let mut fake = Fake::start(1, 1).await;
    fake.state().regions = vec![region(1, 1, "", "", 1)];
    let up = fake.connect().await;
    let (tx, rx) = feed_channel(1000);
    up.subscribe(SPAN, &span("b", "y"), Ts::new(100), FeedOptions::default(), tx);
    let mut feed = fake.feed().await;
    let request = feed.request().await;
    drop(rx);
    feed.rows(&request, vec![committed("k", 109, 110, "v")]).await;
    assert!(feed.is_closed().await);
    assert!(up.regions(SPAN).await.unwrap().is_empty());
}

#[tokio::test]
async fn streams_end_with_the_client() {
    let mut fake = Fake::start(1, 1).await;
    fake.state().regions = vec![region(1, 1, "", "", 1)];
    let up = fake.connect().await;
    let (tx, _rx) = feed_channel(1000);
    up.subscribe(SPAN, &span("b", "y"), Ts::new(100), FeedOptions::default(), tx);
    let mut feed = fake.feed().await;
    feed.request().await;
    drop(up);
    assert!(feed.is_closed().await);
}
