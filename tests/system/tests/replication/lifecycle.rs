//! Pause, resume, remove, and a target.

use crate::verify;
use serde_json::json;
use tg_testkit::{CATCH_UP, Rig};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pause_resume_and_remove() {
    let rig = Rig::shared().unwrap();
    let api = rig.tidegate.api();
    let mut feed = rig.feed("l_pause", json!({})).await.unwrap();
    feed.up.all(&["CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)"]).await.unwrap();
    verify(&mut feed, "before the pause").await;
    api.pause("l_pause").await.unwrap();
    assert_eq!(api.changefeed("l_pause").await.unwrap()["state"], "stopped");
    feed.up.all(&["INSERT INTO t VALUES (2)", "ALTER TABLE t ADD COLUMN v INT DEFAULT 3"]).await.unwrap();
    let count: u64 = feed.down.one("SELECT COUNT(*) FROM l_pause.t").await.unwrap();
    assert_eq!(count, 1, "nothing is written while paused");
    api.resume("l_pause").await.unwrap();
    feed.up.run("INSERT INTO t VALUES (3, 4)").await.unwrap();
    verify(&mut feed, "after the pause").await;
    api.remove("l_pause").await.unwrap();
    assert!(api.changefeed("l_pause").await.is_err(), "a removed changefeed is gone");
    feed.up.run("INSERT INTO t VALUES (4, 4)").await.unwrap();
    let now = feed.up.now_ts().await.unwrap();
    let body = json!({"changefeed_id": "l_pause", "start_ts": now, "sink_uri": rig.sink_uri(), "replica_config": {"filter": {"rules": ["l_pause.*"]}}});
    api.create(&body).await.unwrap();
    feed.up.run("INSERT INTO t VALUES (5, 5)").await.unwrap();
    feed.catch_up().await.unwrap();
    let ids: Vec<i64> = feed.down.rows("SELECT id FROM l_pause.t ORDER BY id").await.unwrap();
    assert_eq!(ids, [1, 2, 3, 5], "one of the same name begins where it is told to");
    println!("l_pause: nothing written while paused, all after; removed and made anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn target_ts_ends_it() {
    let rig = Rig::shared().unwrap();
    let api = rig.tidegate.api();
    let mut feed = rig.connect("l_target").await.unwrap();
    let start = feed.up.now_ts().await.unwrap();
    feed.up.all(&["CREATE DATABASE l_target", "USE l_target", "CREATE TABLE t (id INT PRIMARY KEY)"]).await.unwrap();
    feed.up.run("INSERT INTO t VALUES (1), (2)").await.unwrap();
    let target = feed.up.now_ts().await.unwrap();
    feed.up.run("INSERT INTO t VALUES (3)").await.unwrap();
    let body = json!({"changefeed_id": "l_target", "start_ts": start, "target_ts": target, "sink_uri": rig.sink_uri(), "replica_config": {"filter": {"rules": ["l_target.*"]}}});
    api.create(&body).await.unwrap();
    let shown = api.wait("l_target", CATCH_UP, "its end", |f| f["state"] == "finished").await.unwrap();
    assert_eq!(shown["checkpoint_ts"].as_u64(), Some(target));
    let ids: Vec<i64> = feed.down.rows("SELECT id FROM l_target.t ORDER BY id").await.unwrap();
    assert_eq!(ids, [1, 2], "what was committed up to the target, and no more");
    println!("l_target: finished at its target, with the rows up to it");
}
