//! One suite, run against every implementation.

use crate::support::Backend;
use futures::StreamExt;
use std::time::Duration;
use tg_metastore::{
    Compare, EmbeddedStore, EtcdStore, Event, EventKind, MetaError, MetaStore, Op, OpResult, WatchStream,
};
use tg_model::Coded;

async fn suite(backend: Backend) {
    let store = backend.store.as_ref();
    println!("{}", backend.name);
    transactions(store).await;
    compares(store).await;
    ranges(store).await;
    watches(store).await;
    leases(store).await;
}

#[tokio::test]
async fn embedded() {
    suite(crate::support::embedded()).await;
}

#[tokio::test]
async fn etcd() {
    if let Some(backend) = crate::support::etcd().await {
        suite(backend).await;
    }
}

fn read(r: &OpResult) -> Vec<(String, Vec<u8>)> {
    let OpResult::Read(kvs) = r else { panic!("{r:?}") };
    kvs.iter().map(|kv| (kv.key.clone(), kv.value.to_vec())).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    list.iter().map(|(k, v)| ((*k).to_owned(), v.as_bytes().to_vec())).collect()
}

async fn transactions(store: &dyn MetaStore) {
    let first = store.txn(vec![], vec![Op::put("t/a", "1"), Op::put("t/b", "2")], vec![]).await.unwrap();
    assert!(first.succeeded && first.results == [OpResult::Written, OpResult::Written]);
    let second = store.txn(vec![], vec![Op::put("t/a", "3"), Op::Get("t/b".into())], vec![]).await.unwrap();
    assert_eq!(second.rev, first.rev + 1, "one revision for one transaction");
    assert_eq!(read(&second.results[1]), pairs(&[("t/b", "2")]));
    let kvs = store.range("t/").await.unwrap().kvs;
    assert_eq!((kvs[0].create_rev, kvs[0].mod_rev), (first.rev, second.rev));
    assert_eq!((kvs[1].create_rev, kvs[1].mod_rev), (first.rev, first.rev));

    let gone = store.txn(vec![], vec![Op::DeletePrefix("t/".into()), Op::put("u/a", "9")], vec![]).await.unwrap();
    assert_eq!(gone.results, [OpResult::Deleted(2), OpResult::Written]);
    let nothing = store.txn(vec![], vec![Op::Delete("t/a".into()), Op::GetPrefix("u/".into())], vec![]).await.unwrap();
    assert_eq!((nothing.rev, &nothing.results[0]), (gone.rev, &OpResult::Deleted(0)), "reading makes no revision");
    assert_eq!(read(&nothing.results[1]), pairs(&[("u/a", "9")]));
    let again = store.txn(vec![], vec![Op::put("t/a", "4")], vec![]).await.unwrap();
    assert_eq!(store.range("t/").await.unwrap().kvs[0].create_rev, again.rev, "a key made anew is another key");
}

async fn compares(store: &dyn MetaStore) {
    let rev = store.txn(vec![], vec![Op::put("c/a", "1")], vec![]).await.unwrap().rev;
    let rev2 = store.txn(vec![], vec![Op::put("c/a", "2")], vec![]).await.unwrap().rev;
    let (a, no) = (|| "c/a".to_owned(), || "c/none".to_owned());
    let cases = [
        (vec![], true),
        (vec![Compare::Absent(no())], true),
        (vec![Compare::Absent(a())], false),
        (vec![Compare::CreateRev(a(), rev)], true),
        (vec![Compare::CreateRev(a(), rev2)], false),
        (vec![Compare::ModRev(a(), rev2)], true),
        (vec![Compare::ModRev(a(), rev)], false),
        (vec![Compare::CreateRev(no(), 0)], false),
        (vec![Compare::ModRev(no(), 0)], false),
        (vec![Compare::Value(a(), "2".into())], true),
        (vec![Compare::Value(a(), "1".into())], false),
        (vec![Compare::Value(no(), "".into())], false),
        (vec![Compare::Value(a(), "2".into()), Compare::Absent(no())], true),
        (vec![Compare::Value(a(), "2".into()), Compare::Absent(a())], false),
    ];
    for (compares, holds) in cases {
        let text = format!("{compares:?}");
        let outcome = store.txn(compares, vec![Op::put("c/then", "x")], vec![Op::Get(a())]).await.unwrap();
        assert_eq!(outcome.succeeded, holds, "{text}");
        assert_eq!(outcome.results[0] == OpResult::Written, holds, "{text}");
    }
    assert!(store.confirm("c/a", rev).await.unwrap().is_some());
    assert!(store.confirm("c/a", rev2).await.unwrap().is_none());
}

async fn ranges(store: &dyn MetaStore) {
    let keys = ["r", "r/", "r/a", "r/a/b", "r/z", "r0", "s"];
    let rev = store.txn(vec![], keys.iter().map(|k| Op::put(*k, *k)).collect(), vec![]).await.unwrap().rev;
    let range = store.range("r/").await.unwrap();
    assert_eq!(range.rev, rev);
    assert_eq!(range.kvs.iter().map(|kv| kv.key.as_str()).collect::<Vec<_>>(), ["r/", "r/a", "r/a/b", "r/z"]);
    assert!(store.range("nothing/").await.unwrap().kvs.is_empty());
}

/// Collects events until there are `n`.
async fn collect(watch: &mut WatchStream, n: usize) -> Vec<Event> {
    let mut events = Vec::new();
    while events.len() < n {
        events.extend(watch.next().await.expect("a watch goes on").unwrap());
    }
    events
}

async fn watches(store: &dyn MetaStore) {
    let put = |value: &str| EventKind::Put(value.to_owned().into());
    let event = |key: &str, rev, kind| Event { key: key.to_owned(), rev, kind };
    let rev = store.txn(vec![], vec![Op::put("w/a", "1"), Op::put("x", "1")], vec![]).await.unwrap().rev;
    store.txn(vec![], vec![Op::put("w/b", "2")], vec![]).await.unwrap();
    let mut all = store.watch("w/", rev).await.unwrap();
    let mut late = store.watch("w/", rev + 1).await.unwrap();
    store.txn(vec![], vec![Op::put("x", "2")], vec![]).await.unwrap();
    store.txn(vec![], vec![Op::Delete("w/a".into()), Op::put("w/c", "3")], vec![]).await.unwrap();
    let mut expected = vec![
        event("w/a", rev, put("1")),
        event("w/b", rev + 1, put("2")),
        event("w/a", rev + 3, EventKind::Delete),
        event("w/c", rev + 3, put("3")),
    ];
    assert_eq!(collect(&mut all, 4).await, expected);
    assert_eq!(collect(&mut late, 3).await, expected.split_off(1));

    let mut future = store.watch("w/", rev + 5).await.unwrap();
    store.txn(vec![], vec![Op::put("w/d", "4")], vec![]).await.unwrap();
    store.txn(vec![], vec![Op::put("w/e", "5")], vec![]).await.unwrap();
    assert_eq!(collect(&mut future, 1).await, [event("w/e", rev + 5, put("5"))]);
}

async fn leases(store: &dyn MetaStore) {
    let hour = Duration::from_secs(3600);
    let lease = store.lease_grant(hour).await.unwrap();
    let leased = |key: &str, lease| Op::Put { key: key.to_owned(), value: "v".into(), lease };
    let rev = store
        .txn(vec![], vec![leased("l/a", lease), leased("l/b", lease), Op::put("l/c", "v")], vec![])
        .await
        .unwrap()
        .rev;
    assert_eq!(store.range("l/a").await.unwrap().kvs[0].lease, lease);
    let mut watch = store.watch("l/", rev + 1).await.unwrap();
    store.lease_keep_alive(lease).await.unwrap();
    store.lease_revoke(lease).await.unwrap();
    let mut gone: Vec<_> = collect(&mut watch, 2).await.into_iter().map(|e| (e.key, e.kind)).collect();
    gone.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(gone, [("l/a".to_owned(), EventKind::Delete), ("l/b".to_owned(), EventKind::Delete)]);
    assert_eq!(store.range("l/").await.unwrap().kvs.len(), 1);
    assert!(matches!(store.lease_keep_alive(lease).await, Err(MetaError::LeaseLost { .. })));
    store.lease_revoke(lease).await.unwrap();
    let refused = store.txn(vec![], vec![leased("l/d", lease)], vec![]).await;
    assert!(matches!(refused, Err(MetaError::LeaseLost { .. })), "{refused:?}");

    // One lease runs out by itself; the watch says when.
    let short = store.lease_grant(Duration::from_secs(1)).await.unwrap();
    store.txn(vec![], vec![leased("l/short", short)], vec![]).await.unwrap();
    let mut watch = store.watch("l/short", rev).await.unwrap();
    let events = collect(&mut watch, 2).await;
    assert_eq!(events[1].kind, EventKind::Delete);
}

#[tokio::test]
async fn an_embedded_store_survives_a_restart_but_leases_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let lease = store.lease_grant(Duration::from_secs(3600)).await.unwrap();
    let leased = Op::Put { key: "leased".into(), value: "v".into(), lease };
    let rev = store.txn(vec![], vec![leased, Op::put("kept", "v")], vec![]).await.unwrap().rev;
    let second = EmbeddedStore::open(dir.path()).err().expect("the directory is locked");
    assert!(matches!(second, MetaError::Locked { .. }) && second.code().to_string() == "TG-5205", "{second}");
    drop(store);

    let store = EmbeddedStore::open(dir.path()).unwrap();
    let range = store.range("").await.unwrap();
    assert_eq!((range.rev, range.kvs.len(), range.kvs[0].key.as_str()), (rev + 1, 1, "kept"));
    let old = store.watch("", rev).await.err();
    assert!(matches!(old, Some(MetaError::Compacted { oldest_rev, .. }) if oldest_rev == rev + 2), "{old:?}");
    assert!(store.watch("", range.rev + 1).await.is_ok(), "what follows a range can be watched");
}

#[tokio::test]
async fn a_slow_watch_of_the_embedded_store_is_told_what_it_missed() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let mut watch = store.watch("", 1).await.unwrap();
    let count = 4200;
    for n in 0..count {
        store.txn(vec![], vec![Op::put("k", n.to_string())], vec![]).await.unwrap();
    }
    assert!(matches!(watch.next().await, Some(Err(MetaError::Compacted { from_rev: 1, .. }))));
    assert!(watch.next().await.is_none(), "an error is the end");
}

#[tokio::test]
async fn etcd_that_is_not_there_is_not_connected() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let e = EtcdStore::connect(&[format!("http://127.0.0.1:{port}")], None).await.err().expect("nobody listens");
    assert!(e.is_retryable(), "{e}");
}
