//! Plugins of a real server: pushed, swapped under load, rolled back, taken from the folder, refused; and every row compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use std::time::Duration;
use support::{Load, SINK, Shop, build_of};
use tg_testkit::Rig;

/// Swaps under load.
const SWAPS: u32 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_is_swapped_under_load_and_every_row_is_there_once() {
    let shop = Shop::new(Rig::start().unwrap());
    shop.push(SINK, "1.0.0", &build_of("mysql", "1.0.0"), &[]).ok();
    let mut feed = shop.feed("swaps", json!({ "sink": { "plugin": SINK } })).await;
    let load = Load::start(&shop.rig, &mut feed, "swaps").await;
    let mut stalls = Vec::new();
    for n in 1..=SWAPS {
        let version = format!("1.{n}.0");
        let pushed = shop.push(SINK, &version, &build_of("mysql", &version), &["--activate", "--no-wait"]).json();
        let swapped = &pushed["changefeeds"][0];
        assert_eq!(swapped["outcome"], "swapped", "{pushed}");
        stalls.push(swapped["stall_us"].as_u64().unwrap());
    }
    let rolled = shop.run(&["plugin", "rollback", SINK, "--json"]).json();
    assert_eq!(rolled["changefeeds"][0]["outcome"], "swapped", "{rolled}");
    assert_eq!(shop.version_of("swaps", "sink").await, format!("1.{}.0", SWAPS - 1));
    let written = load.stop().await;
    let (_, rows) = feed.verify().await.unwrap();
    load_is_exact(&mut feed, "swaps", written).await;
    stalls.sort_unstable();
    println!(
        "{SWAPS} swaps under load, {written} transactions, {rows} rows equal; stall median {} us, greatest {} us",
        stalls[stalls.len() / 2],
        stalls[stalls.len() - 1]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_between_swaps_lose_and_double_nothing() {
    let mut shop = Shop::new(Rig::start().unwrap());
    shop.push(SINK, "1", &build_of("mysql", "1"), &[]).ok();
    let mut feed = shop.feed("kills", json!({ "sink": { "plugin": SINK } })).await;
    let load = Load::start(&shop.rig, &mut feed, "kills").await;
    for n in 2..6 {
        let version = n.to_string();
        let pushing = shop.push_later(SINK, &version, &build_of("mysql", &version));
        tokio::time::sleep(Duration::from_millis(60 * n)).await;
        shop.rig.tidegate.kill9();
        pushing.await.unwrap();
        shop.rig.tidegate.restart().unwrap();
    }
    let written = load.stop().await;
    feed.verify().await.unwrap_or_else(|e| panic!("{e:#}\n{}", shop.rig.tidegate.log_tail()));
    load_is_exact(&mut feed, "kills", written).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_fails_is_taken_back_and_withdrawn() {
    let shop = Shop::new(Rig::start().unwrap());
    let lanes = tg_builtin::by_name("dispatcher").unwrap();
    shop.push("lanes", "1", lanes, &[]).ok();
    let mut feed = shop.feed("bad", json!({ "dispatcher": { "plugin": "lanes" } })).await;
    let load = Load::start(&shop.rig, &mut feed, "bad").await;
    let pushed = shop.push("lanes", "2", tg_plugin_hostile::DISPATCHER, &["--activate"]);
    assert_eq!(pushed.code, Some(1), "{}{}", pushed.out, pushed.err);
    assert!(pushed.err.contains("error[TG-4016]"), "{}", pushed.err);
    shop.until("lanes is withdrawn", async || shop.active("lanes").await == "1").await;
    assert_eq!(shop.version_of("bad", "dispatcher").await, "1");
    let why = shop.run(&["changefeed", "why", "-c", "bad"]);
    assert!(why.out.contains("rolled-back"), "{}", why.out);
    let logs = shop.run(&["plugin", "logs", "lanes"]);
    assert_eq!(logs.code, Some(0), "{}", logs.err);
    let written = load.stop().await;
    feed.verify().await.unwrap();
    load_is_exact(&mut feed, "bad", written).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_in_the_folder_is_followed() {
    let shop = Shop::new(Rig::start().unwrap());
    shop.drop_file("folder-sink", &build_of("mysql", "a"));
    let mut feed = shop.feed("folder", json!({ "sink": { "plugin": "folder-sink" } })).await;
    let before = shop.version_of("folder", "sink").await;
    feed.up.run("CREATE TABLE t (id INT PRIMARY KEY)").await.unwrap();
    feed.up.run("INSERT INTO t VALUES (1)").await.unwrap();
    feed.catch_up().await.unwrap();
    shop.drop_file("folder-sink", &build_of("mysql", "b"));
    shop.until("the new file runs", async || shop.version_of("folder", "sink").await != before).await;
    shop.drop_file("folder-sink", b"no component");
    shop.until("the bad file is reported", async || shop.run(&["plugin", "list"]).err.contains("TG-2001")).await;
    feed.up.run("INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(feed.verify().await.unwrap().1, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_components_and_configurations_are_refused_and_what_runs_goes_on() {
    let shop = Shop::new(Rig::start().unwrap());
    shop.push(SINK, "1", &build_of("mysql", "1"), &[]).ok();
    let mut feed = shop.feed("refused", json!({ "sink": { "plugin": SINK } })).await;
    for (component, code) in
        [(&b"text"[..], "TG-2001"), (b"\0asm\x0d\0\x01\0", "TG-2002"), (&build_of("mysql", "other"), "TG-4205")]
    {
        let refused = shop.push(SINK, "1", component, &["--activate"]);
        assert!(refused.err.starts_with(&format!("error[{code}]")), "{code}: {}", refused.err);
        assert!(refused.err.contains("next:"), "{}", refused.err);
    }
    shop.push("lanes", "1", tg_builtin::by_name("dispatcher").unwrap(), &[]).ok();
    for (own, code) in [
        (json!({ "sink": { "plugin": "lanes" } }), "TG-4105"),
        (json!({ "sink": { "plugin": "nobody" } }), "TG-4101"),
        (json!({ "sink": { "plugin": format!("{SINK}@9") } }), "TG-4202"),
        (json!({ "sink": { "plugin": SINK, "digest": format!("sha256:{}", "00".repeat(32)) } }), "TG-4106"),
    ] {
        let refused = shop.update("refused", own.clone()).await;
        assert!(refused.contains(code), "{own}: {refused}");
    }
    let removed = shop.run(&["plugin", "remove", SINK]);
    assert!(removed.err.contains("error[TG-4206]") && removed.err.contains("default/refused"), "{}", removed.err);
    feed.up.run("CREATE TABLE t (id INT PRIMARY KEY)").await.unwrap();
    feed.up.run("INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(feed.verify().await.unwrap().1, 1);
}

/// The journal has no key: a row that was written twice is there twice.
async fn load_is_exact(feed: &mut tg_testkit::Feed, db: &str, written: u64) {
    let (lines, entries): (u64, u64) =
        feed.down.one(&format!("SELECT COUNT(*), COUNT(DISTINCT entry) FROM {db}.journal")).await.unwrap();
    assert_eq!((lines, entries), (written, written), "each transaction is there once");
}
