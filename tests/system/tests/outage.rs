//! The downstream dies and comes back, or refuses: a changefeed waits, says why, and goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tg_testkit::{CATCH_UP, Rig, Sql};

async fn write(url: String, stop: Arc<AtomicBool>) -> u32 {
    let mut sql = Sql::connect(&url).await.unwrap();
    sql.run("USE outage").await.unwrap();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return n;
        }
        sql.run(&format!("INSERT INTO t VALUES ({n}, 0)")).await.unwrap();
        sql.run(&format!("UPDATE t SET v = v + 1 WHERE id > {}", n.saturating_sub(5))).await.unwrap();
        sql.run(&format!("INSERT INTO journal VALUES ({n})")).await.unwrap();
    }
    0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_downstream_is_killed_while_rows_come() {
    let mut rig = Rig::start().unwrap();
    let mut feed = rig.feed("outage", json!({"force_replicate": true})).await.unwrap();
    feed.up.all(&["CREATE TABLE t (id INT PRIMARY KEY, v INT)", "CREATE TABLE journal (n INT)"]).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(rig.upstream.url(), Arc::clone(&stop)));
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        rig.downstream.kill();
        tokio::time::sleep(Duration::from_millis(400)).await;
        rig.downstream.restart().unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let writes = writer.await.unwrap();
    let compared = feed.verify().await;
    let (_, rows) = compared.unwrap_or_else(|e| panic!("{e:#}\n{}", rig.tidegate.log_tail()));
    println!("outage: MariaDB killed 3 times during {writes} rounds of writes, {rows} rows equal, the journal exact");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_ddl_is_told_and_then_passed() {
    let rig = Rig::start().unwrap();
    let api = rig.tidegate.api();
    let mut feed = rig.feed("refused", json!({})).await.unwrap();
    feed.up.all(&["CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1)"]).await.unwrap();
    feed.verify().await.unwrap();
    feed.down.run("RENAME TABLE refused.t TO refused.elsewhere").await.unwrap();
    feed.up.run("ALTER TABLE t ADD COLUMN w INT DEFAULT 7").await.unwrap();
    let troubled = |f: &serde_json::Value| {
        (f["state"] == "warning" || f["state"] == "failed")
            && f["error"]["code"].as_str().is_some_and(|c| c.starts_with("TG-"))
    };
    let shown = api.wait("refused", CATCH_UP, "a coded error", troubled).await.unwrap();
    let message = shown["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("refused") && message.contains("ADD COLUMN"),
        "it names the table and the statement: {message}"
    );
    feed.down.run("RENAME TABLE refused.elsewhere TO refused.t").await.unwrap();
    if shown["state"] == "failed" {
        api.resume("refused").await.unwrap();
    }
    feed.up.run("INSERT INTO t VALUES (2, 2, 2)").await.unwrap();
    let compared = feed.verify().await;
    compared.unwrap_or_else(|e| panic!("{e:#}\n{}", rig.tidegate.log_tail()));
    println!(
        "refused: a DDL on a missing table is {} in state {}, and passes when the table is back",
        shown["error"]["code"], shown["state"]
    );
}
