//! Records of changefeeds, against every implementation.

use crate::support::Backend;
use futures::StreamExt;
use std::sync::Arc;
use tg_metastore::{ChangefeedInfo, ChangefeedStatus, ChangefeedStore, DdlRecord, DdlState, FeedState, MetaError, Op};
use tg_model::{ChangefeedId, Position, Ts};

async fn suite(backend: Backend) {
    let feeds = ChangefeedStore::new(Arc::clone(&backend.store), 1, "default");
    println!("{}", backend.name);
    life(&feeds).await;
    checkpoints(&feeds).await;
    ddls(&feeds).await;
    ids(&feeds).await;
    past_format(&backend, &feeds).await;
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

fn id(name: &str) -> ChangefeedId {
    ChangefeedId::new("default", name).unwrap()
}

fn info() -> ChangefeedInfo {
    serde_json::from_value(serde_json::json!({ "start_ts": 5, "sink_uri": "blackhole://", "state": "normal" })).unwrap()
}

fn status(at: Position) -> ChangefeedStatus {
    ChangefeedStatus { checkpoint: at, emit_ts: Ts::new(100), epoch: 1, updated_ms: 0, other: serde_json::Map::new() }
}

async fn life(feeds: &ChangefeedStore) {
    let (a, ab) = (id("a"), id("ab"));
    let (_, rev) = feeds.list().await.unwrap();
    let mut watch = feeds.watch(rev + 1).await.unwrap();
    feeds.create(&a, &info(), &status(Position::ZERO)).await.unwrap();
    feeds.create(&ab, &info(), &status(Position::ZERO)).await.unwrap();
    let events = watch.next().await.unwrap().unwrap();
    assert_eq!(events.iter().filter(|e| e.rev == events[0].rev).count(), 2, "info and status");
    assert!(matches!(feeds.create(&a, &info(), &status(Position::ZERO)).await, Err(MetaError::Exists { .. })));

    let (mut got, seen) = feeds.info(&a).await.unwrap();
    assert_eq!(got, info());
    got.state = FeedState::Stopped;
    feeds.update(&a, seen, &got, None).await.unwrap();
    assert!(matches!(feeds.update(&a, seen, &got, None).await, Err(MetaError::Conflict { .. })));
    let (list, _) = feeds.list().await.unwrap();
    let list: Vec<_> = list.into_iter().map(|(id, info)| (id.name, info.unwrap().state)).collect();
    assert_eq!(list, [("a".to_owned(), FeedState::Stopped), ("ab".to_owned(), FeedState::Normal)]);

    feeds.remove(&a, 1).await.unwrap();
    assert!(matches!(feeds.info(&a).await, Err(MetaError::NotFound { .. })));
    assert!(matches!(feeds.status(&a).await, Err(MetaError::NotFound { .. })));
    assert!(matches!(feeds.remove(&a, 1).await, Err(MetaError::NotFound { .. })));
    assert!(feeds.status(&ab).await.is_ok(), "a longer name is another changefeed");
}

async fn checkpoints(feeds: &ChangefeedStore) {
    let cf = id("progress");
    feeds.create(&cf, &info(), &status(Position::before(Ts::new(5)))).await.unwrap();
    let first = feeds.take_owner("one", 0).await.unwrap().unwrap();
    assert_eq!(feeds.take_owner("two", 0).await.unwrap(), None);
    assert_eq!(feeds.owner().await.unwrap(), Some(("one".to_owned(), first)));

    for at in [Position::rows(Ts::new(7)), Position::rows(Ts::new(7)), Position::ddl(Ts::new(7))] {
        feeds.advance(&cf, first, &status(at)).await.unwrap();
    }
    let back = feeds.advance(&cf, first, &status(Position::rows(Ts::new(7)))).await.unwrap_err();
    assert!(back.to_string().contains("default/progress") && back.to_string().contains("7/ddl"), "{back}");

    feeds.resign(first).await.unwrap();
    let late = feeds.advance(&cf, first, &status(Position::rows(Ts::new(8)))).await;
    assert!(matches!(late, Err(MetaError::NotOwner { .. })), "nobody is owner: {late:?}");
    let second = feeds.take_owner("two", 0).await.unwrap().unwrap();
    assert!(second > first);
    let late = feeds.advance(&cf, first, &status(Position::rows(Ts::new(8)))).await;
    assert!(matches!(late, Err(MetaError::NotOwner { .. })), "another is owner: {late:?}");
    feeds.resign(first).await.unwrap();
    assert_eq!(feeds.owner().await.unwrap(), Some(("two".to_owned(), second)), "only the owner resigns");
    feeds.advance(&cf, second, &status(Position::rows(Ts::new(8)))).await.unwrap();
    assert_eq!(feeds.status(&cf).await.unwrap().0.checkpoint, Position::rows(Ts::new(8)));

    let (got, seen) = feeds.info(&cf).await.unwrap();
    let refused = feeds.update(&cf, seen, &got, Some(first.into())).await;
    assert!(matches!(refused, Err(MetaError::NotOwner { .. })), "{refused:?}");
    feeds.update(&cf, seen, &got, Some(second.into())).await.unwrap();
    feeds.resign(second).await.unwrap();
}

async fn ddls(feeds: &ChangefeedStore) {
    let cf = id("ddl");
    let owner = feeds.take_owner("one", 0).await.unwrap().unwrap();
    let ddl = |ts, seq| DdlRecord {
        commit_ts: Ts::new(ts),
        seq,
        state: DdlState::Running,
        executor_epoch: 3,
        query: "DROP TABLE t".to_owned(),
        outcome: String::new(),
        other: serde_json::Map::new(),
    };
    for (ts, seq) in [(100, 1), (9, 0), (100, 0)] {
        feeds.put_ddl(&cf, owner, &ddl(ts, seq)).await.unwrap();
    }
    let order = |list: Vec<DdlRecord>| list.into_iter().map(|d| (d.commit_ts.get(), d.seq)).collect::<Vec<_>>();
    assert_eq!(order(feeds.ddls(&cf).await.unwrap()), [(9, 0), (100, 0), (100, 1)]);
    feeds.forget_ddls(&cf, owner, Ts::new(99)).await.unwrap();
    assert_eq!(order(feeds.ddls(&cf).await.unwrap()), [(100, 0), (100, 1)]);
    feeds.resign(owner).await.unwrap();
    assert!(matches!(feeds.put_ddl(&cf, owner, &ddl(5, 0)).await, Err(MetaError::NotOwner { .. })));
    assert!(matches!(feeds.forget_ddls(&cf, owner, Ts::new(100)).await, Err(MetaError::NotOwner { .. })));
}

async fn ids(feeds: &ChangefeedStore) {
    let blocks = futures::future::join_all((0..4).map(|_| feeds.reserve_span_ids(10))).await;
    let mut blocks: Vec<_> = blocks.into_iter().map(Result::unwrap).collect();
    blocks.sort_unstable();
    assert_eq!(blocks, [1, 11, 21, 31]);
}

async fn past_format(backend: &Backend, feeds: &ChangefeedStore) {
    let stored: serde_json::Value = serde_json::from_str(include_str!("../fixtures/format1.json")).unwrap();
    let cf = id("past");
    let key = |part: &str| format!("/tidegate/1/default/cf/default/past/{part}");
    let puts = [("info", "info"), ("status", "status"), ("ddl", "ddl/00434567890123456990-00002")];
    let puts = puts.map(|(name, part)| Op::put(key(part), stored[name].to_string())).to_vec();
    backend.store.txn(vec![], puts, vec![]).await.unwrap();

    let (info, seen) = feeds.info(&cf).await.unwrap();
    assert_eq!((info.state, info.error.as_ref().unwrap().code.as_str()), (FeedState::Stopped, "TG-3001"));
    assert_eq!(info.config["filter"]["rules"][0], "shop.*");
    assert_eq!(feeds.status(&cf).await.unwrap().0.checkpoint, Position::rows(Ts::new(434_567_890_123_456_999)));
    assert_eq!(feeds.ddls(&cf).await.unwrap()[0].state, DdlState::Running);

    feeds.update(&cf, seen, &info, None).await.unwrap();
    let written = backend.store.range(&key("info")).await.unwrap().kvs.remove(0).value;
    let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(written, stored["info"], "nothing is lost by writing it again");

    let newer = Op::put(key("info"), r#"{"format":2}"#);
    backend.store.txn(vec![], vec![newer], vec![]).await.unwrap();
    assert!(matches!(feeds.info(&cf).await, Err(MetaError::NewerFormat { found: 2, .. })));
    let (list, _) = feeds.list().await.unwrap();
    assert!(list.iter().any(|(id, info)| *id == cf && info.is_err()) && list.iter().any(|(_, info)| info.is_ok()));
}
