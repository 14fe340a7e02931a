//! PD: leader changes, the oracle, garbage collection, against scripted members.

use crate::fake::{CLUSTER, Fake};
use std::time::Duration;
use tg_model::Ts;
use tg_upstream::{Upstream, UpstreamConfig, UpstreamError};

#[tokio::test]
async fn concurrent_callers_share_requests_and_get_different_timestamps() {
    let fake = Fake::start(1, 0).await;
    let up = fake.connect().await;
    assert_eq!(up.cluster_id(), CLUSTER);
    up.tso().await.unwrap();
    fake.state().tso_delay = Duration::from_millis(20);
    let all = futures::future::join_all((0..1000).map(|_| up.tso())).await;
    let mut all: Vec<Ts> = all.into_iter().map(Result::unwrap).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 1000);
    assert!(up.tso().await.unwrap() > all[999]);
    let counts = fake.state().tso_counts.clone();
    assert!(counts.len() <= 5, "requests were not shared: {counts:?}");
    assert_eq!(counts.iter().sum::<u32>(), 1002);
}

#[tokio::test]
async fn a_new_leader_is_found_and_time_goes_on() {
    let fake = Fake::start(3, 0).await;
    let up = fake.connect().await;
    let mut last = up.tso().await.unwrap();
    for leader in [1, 2, 0] {
        fake.state().leader = Some(leader);
        let ts = up.tso().await.unwrap();
        assert!(ts > last);
        last = ts;
        up.hold_gc("t", ts, Duration::from_secs(9)).await.unwrap();
    }
}

#[tokio::test]
async fn an_election_is_waited_for() {
    let fake = Fake::start(2, 0).await;
    let up = fake.connect().await;
    up.tso().await.unwrap();
    fake.state().leader = None;
    let (tso, release) = tokio::join!(
        async {
            let waiting = tokio::spawn({
                let up = up.clone();
                async move { up.tso().await }
            });
            tokio::time::sleep(Duration::from_millis(200)).await;
            fake.state().leader = Some(1);
            waiting.await.unwrap()
        },
        up.release_gc("t"),
    );
    tso.unwrap();
    release.unwrap();
}

#[tokio::test]
async fn another_cluster_is_refused() {
    let fake = Fake::start(2, 0).await;
    let up = fake.connect().await;
    fake.state().cluster_ids.extend([(0, 5), (1, 5)]);
    fake.state().leader = Some(1);
    let error = up.release_gc("t").await.unwrap_err();
    assert!(matches!(error, UpstreamError::ClusterId { expected: CLUSTER, found: 5, .. }), "{error}");
}

#[tokio::test]
async fn endpoints_of_two_clusters_are_refused() {
    let fake = Fake::start(2, 0).await;
    fake.state().cluster_ids.insert(1, 5);
    let pd_endpoints = fake.state().pd_urls.clone();
    let error = Upstream::connect(UpstreamConfig { pd_endpoints, ..Default::default() }).await.err();
    assert!(matches!(error, Some(UpstreamError::ClusterId { .. })), "{error:?}");
}

#[tokio::test]
async fn no_endpoint_is_an_error() {
    let config = |pd_endpoints: Vec<String>| UpstreamConfig { pd_endpoints, ..Default::default() };
    let check = |r: Result<Upstream, UpstreamError>| {
        assert!(matches!(r.err(), Some(UpstreamError::PdUnreachable { .. })));
    };
    check(Upstream::connect(config(vec![])).await);
    check(Upstream::connect(config(vec!["127.0.0.1:1".to_owned()])).await);
}

#[tokio::test]
async fn gc_is_held_by_either_interface() {
    for no_classic_gc in [false, true] {
        let fake = Fake::start(1, 0).await;
        fake.state().no_classic_gc = no_classic_gc;
        let up = fake.connect().await;
        let ts = up.tso().await.unwrap();
        let held = up.hold_gc("tidegate-x", ts, Duration::from_secs(60)).await.unwrap();
        assert!(held <= ts);
        assert_eq!(fake.state().holds["tidegate-x"], (ts.get(), 60));
        up.check_start_ts(ts).await.unwrap();
        up.release_gc("tidegate-x").await.unwrap();
        assert!(fake.state().holds.is_empty());

        fake.state().safe_point = ts.get() + 1;
        let late = up.hold_gc("tidegate-x", ts, Duration::from_secs(60)).await;
        assert!(matches!(late, Err(UpstreamError::TsCollected { .. })), "{late:?}");
        assert!(fake.state().holds.is_empty());
        let lost = up.check_start_ts(ts).await;
        assert!(matches!(lost, Err(UpstreamError::TsCollected { .. })), "{lost:?}");
    }
}

#[tokio::test]
async fn reads_in_the_future_never_reach_a_store() {
    let fake = Fake::start(1, 1).await;
    fake.state().regions = vec![crate::fake::region(1, 1, "", "", 1)];
    let up = fake.connect().await;
    let future = Ts::new(up.tso().await.unwrap().get() + 1_000_000);
    let key = bytes::Bytes::from_static(b"k");
    let snapshot = up.snapshot(future);
    let span = tg_model::Span::of_table(tg_model::TableId(1));
    assert!(matches!(snapshot.get(&key).await, Err(UpstreamError::TsInFuture { .. })));
    assert!(matches!(snapshot.batch_get(&[key]).await, Err(UpstreamError::TsInFuture { .. })));
    assert!(matches!(snapshot.scan(&span).collect().await, Err(UpstreamError::TsInFuture { .. })));
    assert!(matches!(up.check_start_ts(future).await, Err(UpstreamError::TsInFuture { .. })));
    assert!(fake.state().calls.iter().all(|c| !c.starts_with("kv_")));
}
