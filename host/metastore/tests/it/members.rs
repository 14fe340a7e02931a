//! Nodes, owners and runs of a cluster, on every store.

use serde_json::Map;
use std::sync::Arc;
use std::time::Duration;
use tg_metastore::{
    ChangefeedInfo, ChangefeedStatus, ChangefeedStore, ClusterRecord, FeedState, Guard, MemberRecord, MetaError,
    NodeRecord, NodeWish, OwnerRecord, OwnerRevision, RunRecord, ScheduleRecord, read_record,
};
use tg_model::{ChangefeedId, Position, Ts};

fn member(node: u128) -> MemberRecord {
    MemberRecord {
        node: format!("{node:032x}"),
        address: "a:1".to_owned(),
        zone: String::new(),
        version: "1".to_owned(),
        started_ms: 1,
        other: Map::new(),
    }
}

fn owner(capture: u128, inc: u64) -> OwnerRecord {
    OwnerRecord { capture: format!("{capture:032x}"), inc, address: "a:1".to_owned(), other: Map::new() }
}

fn run(capture: u128, inc: u64) -> RunRecord {
    let (capture, address) = (format!("{capture:032x}"), "a:1".to_owned());
    RunRecord { capture, inc, address, node: String::new(), since_ms: 1, other: Map::new() }
}

fn id() -> ChangefeedId {
    ChangefeedId::new("default", "orders").unwrap()
}

async fn create(store: &ChangefeedStore) {
    let info = ChangefeedInfo {
        start_ts: Ts::new(1),
        target_ts: None,
        sink_uri: "blackhole://".to_owned(),
        config: serde_json::json!({}),
        state: FeedState::Normal,
        error: None,
        created_ms: 1,
        other: Map::new(),
    };
    store.create(&id(), &info, &status(1)).await.unwrap();
}

fn status(ts: u64) -> ChangefeedStatus {
    let checkpoint = Position::rows(Ts::new(ts));
    ChangefeedStatus { checkpoint, emit_ts: Ts::new(ts), epoch: 1, updated_ms: 0, other: Map::new() }
}

/// The store and two registered captures, 1 and 2.
async fn two(backend: &crate::support::Backend, cluster: &str) -> (ChangefeedStore, u64, u64) {
    let store = ChangefeedStore::new(Arc::clone(&backend.store), 1, cluster);
    let mut incs = Vec::new();
    for capture in [1, 2] {
        let lease = backend.store.lease_grant(Duration::from_secs(60)).await.unwrap();
        incs.push(store.register(capture, &member(capture), lease).await.unwrap());
    }
    (store, incs[0], incs[1])
}

async fn captures_and_owners(backend: &crate::support::Backend) {
    let (store, one, two) = two(backend, "owners").await;
    let lease = backend.store.lease_grant(Duration::from_secs(60)).await.unwrap();
    assert_eq!(
        store.register(1, &member(1), lease).await.unwrap(),
        one,
        "{}: once registered is registered",
        backend.name
    );
    assert!(store.is_registered(1, one).await.unwrap() && !store.is_registered(1, two).await.unwrap());

    let none = OwnerRevision(0);
    let first = store.take_owner_from(none, 1, &owner(1, one)).await.unwrap().unwrap();
    assert_eq!(store.take_owner_from(none, 2, &owner(2, two)).await.unwrap(), None, "there is one");
    let second = store.take_owner_from(first, 2, &owner(2, two)).await.unwrap().unwrap();
    assert!(second > first && store.is_owner(second).await.unwrap() && !store.is_owner(first).await.unwrap());
    assert_eq!(store.take_owner_from(first, 1, &owner(1, one)).await.unwrap(), None, "it was replaced");

    assert!(!store.revoke(first, 2, two).await.unwrap(), "only the owner takes registrations");
    assert!(store.is_registered(2, two).await.unwrap());
    assert!(store.revoke(second, 1, one).await.unwrap());
    assert!(!store.is_registered(1, one).await.unwrap());
    assert!(store.revoke(second, 1, one).await.unwrap(), "gone already is as good");
    assert_eq!(store.take_owner_from(second, 1, &owner(1, one)).await.unwrap(), None, "it is not registered");
    store.unregister(2, one).await.unwrap();
    assert!(store.is_registered(2, two).await.unwrap(), "another registration is left alone");
    store.unregister(2, two).await.unwrap();
    assert!(!store.is_registered(2, two).await.unwrap());
}

async fn runs(backend: &crate::support::Backend) {
    let (store, one, two) = two(backend, "runs").await;
    assert!(matches!(store.take_run(&id(), 1, (5, 1), &run(1, one)).await, Err(MetaError::NotFound { .. })));
    create(&store).await;
    assert_eq!(store.runner(&id()).await.unwrap(), None);
    let first = store.take_run(&id(), 1, (5, 1), &run(1, one)).await.unwrap().unwrap();
    store.advance(&id(), first, &status(2)).await.unwrap();
    let second = store.take_run(&id(), 2, (5, 2), &run(2, two)).await.unwrap().unwrap();
    assert!(Guard::from(second).revision() > Guard::from(first).revision());
    let late = store.advance(&id(), first, &status(3)).await;
    assert!(matches!(late, Err(MetaError::NotRunner { .. })), "{late:?}");
    let (info, seen) = store.info(&id()).await.unwrap();
    let late = store.update(&id(), seen, &info, Some(first.into())).await;
    assert!(matches!(late, Err(MetaError::NotRunner { .. })), "{late:?}");
    store.advance(&id(), second, &status(3)).await.unwrap();

    assert_eq!(store.take_run(&id(), 1, (5, 1), &run(1, one)).await.unwrap(), None, "an older assignment is late");
    assert_eq!(store.take_run(&id(), 1, (6, 1), &run(1, two)).await.unwrap(), None, "another registration");
    assert!(store.raise_run(&id(), second, (7, 1)).await.unwrap());
    assert!(!store.raise_run(&id(), first, (8, 1)).await.unwrap(), "it is held no more");
    assert_eq!(store.take_run(&id(), 1, (6, 9), &run(1, one)).await.unwrap(), None, "below what was raised to");
    store.end_run(&id(), first).await.unwrap();
    assert!(store.holds_run(&id(), second).await.unwrap(), "whoever lost it ends nothing");
    assert_eq!(store.runner(&id()).await.unwrap(), Some(run(2, two)));
    store.end_run(&id(), second).await.unwrap();
    assert_eq!(store.runner(&id()).await.unwrap(), None);
    let late = store.advance(&id(), second, &status(4)).await;
    assert!(matches!(late, Err(MetaError::NotRunner { .. })), "it has ended: {late:?}");
    assert_eq!(store.take_run(&id(), 1, (7, 0), &run(1, one)).await.unwrap(), None, "ended is not forgotten");
    assert!(store.take_run(&id(), 1, (7, 2), &run(1, one)).await.unwrap().is_some());
}

async fn cluster_and_nodes(backend: &crate::support::Backend) {
    let store = ChangefeedStore::new(Arc::clone(&backend.store), 1, "cluster");
    let record = |id: &str| ClusterRecord { id: id.to_owned(), upstream_id: 7, other: Map::new() };
    assert_eq!(store.cluster(&record("a")).await.unwrap().id, "a");
    assert_eq!(store.cluster(&record("b")).await.unwrap().id, "a", "the first says what it is");
    store.set_node("ff", &NodeRecord::of(NodeWish::Draining)).await.unwrap();
    let all = store.everything().await.unwrap();
    let node = all.kvs.iter().find(|kv| kv.key.ends_with("node/ff")).unwrap();
    assert_eq!(read_record::<NodeRecord>(&node.key, &node.value).unwrap().state, NodeWish::Draining);
}

async fn schedules(backend: &crate::support::Backend) {
    let store = ChangefeedStore::new(Arc::clone(&backend.store), 1, "schedules");
    assert_eq!(store.schedule().await.unwrap(), (ScheduleRecord::default(), 0));
    let record = |moves| ScheduleRecord { limits: [("moves".to_owned(), moves)].into(), ..ScheduleRecord::default() };
    store.set_schedule(0, &record(8)).await.unwrap();
    let (found, first) = store.schedule().await.unwrap();
    assert_eq!(found, record(8));
    let late = store.set_schedule(0, &record(9)).await.unwrap_err();
    assert!(matches!(late, MetaError::Conflict { .. }), "{}: {late}", backend.name);
    store.set_schedule(first, &record(10)).await.unwrap();
    let late = store.set_schedule(first, &record(11)).await.unwrap_err();
    assert!(matches!(late, MetaError::Conflict { .. }), "{}: {late}", backend.name);
    assert_eq!(store.schedule().await.unwrap().0, record(10));
}

#[tokio::test]
async fn on_the_embedded_store() {
    captures_and_owners(&crate::support::embedded()).await;
    runs(&crate::support::embedded()).await;
    cluster_and_nodes(&crate::support::embedded()).await;
    schedules(&crate::support::embedded()).await;
}

#[tokio::test]
async fn on_etcd() {
    let Some(backend) = crate::support::etcd().await else { return };
    // Clusters in one store do not see each other, but for the revisions.
    captures_and_owners(&backend).await;
    runs(&backend).await;
    cluster_and_nodes(&backend).await;
    schedules(&backend).await;
}

/// Records as version 1 writes them.
#[test]
fn records_of_version_1_load() {
    let capture = br#"{"address":"h:8300","format":1,"node":"0a","started_ms":9,"version":"0.1.0","zone":"z","new":1}"#;
    let found: MemberRecord = read_record("capture/x", capture).unwrap();
    assert_eq!((found.address.as_str(), found.zone.as_str(), found.other["new"].as_i64()), ("h:8300", "z", Some(1)));
    let owner = br#"{"address":"h:8300","capture":"0b","format":1,"inc":12}"#;
    assert_eq!(read_record::<OwnerRecord>("owner", owner).unwrap().inc, 12);
    let run = br#"{"address":"h:8300","capture":"0b","format":1,"inc":12,"since_ms":3}"#;
    assert_eq!(read_record::<RunRecord>("run", run).unwrap().since_ms, 3);
    let cluster = br#"{"format":1,"id":"0c","upstream_id":44}"#;
    assert_eq!(read_record::<ClusterRecord>("meta/cluster", cluster).unwrap().upstream_id, 44);
    assert_eq!(
        read_record::<NodeRecord>("node/x", br#"{"format":1,"state":"draining"}"#).unwrap().state,
        NodeWish::Draining
    );
    let schedule = br#"{"format":1,"limits":{"moves":8,"later":1},"new":1}"#;
    let found: ScheduleRecord = read_record("schedule", schedule).unwrap();
    assert_eq!((found.limits["moves"], found.limits["later"], found.other["new"].as_i64()), (8, 1, Some(1)));
    let later = read_record::<NodeRecord>("node/x", br#"{"format":2,"state":"up"}"#).unwrap_err();
    assert!(matches!(later, MetaError::NewerFormat { .. }), "an older binary says so: {later}");
}
