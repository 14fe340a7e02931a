//! Looking at a changefeed's rows as they pass.

use serde_json::{Value, json};
use std::sync::Arc;
use tg_testkit::Rig;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_seen_as_they_pass() {
    let rig = Rig::shared().unwrap();
    let mut feed = rig.feed("tapped", json!({"force_replicate": true})).await.unwrap();
    feed.up.run("CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(10))").await.unwrap();
    feed.up.run("CREATE TABLE b (id INT PRIMARY KEY)").await.unwrap();
    feed.catch_up().await.unwrap();
    let looking = Arc::clone(&rig);
    let tap = tokio::task::spawn_blocking(move || {
        let args = ["tap", "tapped", "--table", "tapped.a", "--where", "id > 5", "--limit", "3"];
        looking.tidegate.command(&args).unwrap()
    });
    // Whatever passes before it looks is not seen: so rows go on until it has what it wants.
    for n in 0.. {
        if tap.is_finished() {
            break;
        }
        feed.up.run(&format!("INSERT INTO a VALUES ({}, 'x')", n * 2)).await.unwrap();
        feed.up.run(&format!("INSERT INTO b VALUES ({n})")).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let said = tap.await.unwrap();
    assert_eq!(said.code, Some(0), "{}", said.err);
    let lines: Vec<Value> = said.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{}", said.out);
    for line in lines {
        assert_eq!((line["type"].as_str(), line["table"].as_str()), (Some("insert"), Some("a")), "{line}");
        assert!(line["after"]["id"].as_str().unwrap().parse::<u32>().unwrap() > 5, "{line}");
    }
    let wrong = rig.tidegate.command(&["tap", "tapped", "--where", "id >"]).unwrap();
    assert_eq!(wrong.code, Some(1), "{}", wrong.err);
    let missing = rig.tidegate.command(&["tap", "nobody"]).unwrap();
    assert!(missing.err.contains("nobody"), "{}", missing.err);
    feed.verify().await.unwrap();
    rig.tidegate.api().remove("tapped").await.unwrap();
}
