//! One changefeed on all nodes at once.

use crate::bank::Bank;
use crate::rig::Cluster;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tg_testkit::Sql;

/// Looks in a row, over about a second, that have to find slots where they should be.
const HELD_LOOKS: u32 = 20;

impl Cluster {
    /// The nodes of a changefeed's slots, by slot, once they are as they should.
    async fn places(&self, ask: usize, feed: &str, what: &str, are: impl Fn(&[usize]) -> bool) -> Vec<usize> {
        let (begin, mut seen, mut held) = (std::time::Instant::now(), Vec::new(), 0);
        for _ in 0..3_000 {
            let listed = self.nodes[ask].command(&["span", "list", "-c", feed, "--json"]).unwrap();
            let spans: Value = serde_json::from_str(&listed.out).unwrap_or_default();
            let slots = spans["slots"].as_array().cloned().unwrap_or_default();
            let node = |s: &Value| self.nodes.iter().position(|n| s["address"] == n.address().as_str());
            seen = slots.iter().filter_map(node).collect();
            // Not only for the moment in which a run begins.
            held = if seen.len() == 4 && are(&seen) { held + 1 } else { 0 };
            if held == HELD_LOOKS {
                println!("{what}: after {:.1?}", begin.elapsed());
                return seen;
            }
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
        panic!("{what}: slots are on {seen:?}\n{}", self.logs());
    }
}

/// The greatest lag of a changefeed that is seen while something is done, in milliseconds.
async fn lag_while<T>(api: &tg_testkit::Api, feed: &str, doing: impl Future<Output = T>) -> (T, u64) {
    let path = format!("/tidegate/changefeeds/{feed}/progress");
    let mut greatest = 0;
    let mut doing = std::pin::pin!(doing);
    loop {
        let look = async {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            api.call(reqwest::Method::GET, &path, None).await
        };
        tokio::select! {
            done = &mut doing => return (done, greatest),
            seen = look => {
                let lag = seen.ok().and_then(|s| s["progress"]["checkpoint_lag_ms"].as_u64());
                greatest = greatest.max(lag.unwrap_or_default());
            }
        }
    }
}

fn nodes(places: &[usize]) -> usize {
    places.iter().collect::<std::collections::BTreeSet<_>>().len()
}

/// Tables beside the bank's, so that every slot has some, with rows and DDLs.
async fn more_tables(cluster: &Cluster, db: &str, round: u32) {
    let mut up = Sql::connect(&cluster.upstream.url()).await.unwrap();
    up.run(&format!("USE {db}")).await.unwrap();
    for t in 0..6 {
        if round == 0 {
            // Some with partitions, which are spans of their own in one slot.
            let parts = if t % 2 == 0 { "PARTITION BY HASH(id) PARTITIONS 3" } else { "" };
            up.run(&format!("CREATE TABLE more{t} (id INT PRIMARY KEY, v VARCHAR(30)) {parts}")).await.unwrap();
        } else {
            up.run(&format!("ALTER TABLE more{t} ADD COLUMN c{round} INT DEFAULT {round}")).await.unwrap();
        }
        for id in 0..10 {
            up.run(&format!("REPLACE INTO more{t} (id, v) VALUES ({}, 'round {round}')", id + round * 5))
                .await
                .unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_are_on_all_nodes_and_survive_any_of_them() {
    let mut cluster = Cluster::start(3).await;
    let bank = Bank::open(&cluster, "spread", 0).await;
    more_tables(&cluster, "spread", 0).await;
    cluster.catch_up("spread").await;
    let runner = cluster.runner(0, "spread", &[]).await;
    cluster.places(runner, "spread", "all nodes have some", |at| nodes(at) == 3).await;

    // One that runs slots for another dies.
    let worker = cluster.other(runner);
    cluster.nodes[worker].kill9();
    cluster.places(runner, "spread", "none on the dead node", |at| nodes(at) == 2 && !at.contains(&worker)).await;
    more_tables(&cluster, "spread", 1).await;
    cluster.catch_up("spread").await;
    cluster.nodes[worker].restart().unwrap();
    let runner = cluster.runner(worker, "spread", &[]).await;
    cluster.places(runner, "spread", "all nodes again", |at| nodes(at) == 3).await;

    // One stands still while it writes, and wakes up when its slots are elsewhere.
    let worker = cluster.other(runner);
    cluster.nodes[worker].signal("STOP").unwrap();
    let runner = cluster.runner(runner, "spread", &[worker]).await;
    cluster.places(runner, "spread", "none on the node that stands still", |at| !at.contains(&worker)).await;
    more_tables(&cluster, "spread", 2).await;
    cluster.catch_up("spread").await;
    cluster.nodes[worker].signal("CONT").unwrap();
    let runner = cluster.runner(runner, "spread", &[]).await;
    cluster.places(runner, "spread", "all nodes once more", |at| nodes(at) == 3).await;

    // The one that has the run dies: its successor begins with what is stored.
    cluster.nodes[runner].kill9();
    let next = cluster.runner(cluster.other(runner), "spread", &[runner]).await;
    cluster.places(next, "spread", "two nodes have all", |at| nodes(at) == 2 && !at.contains(&runner)).await;
    more_tables(&cluster, "spread", 3).await;
    cluster.nodes[runner].restart().unwrap();
    let lines = bank.close(&cluster).await;
    println!("spread: a worker killed, one stopped and woken, the runner killed; {lines} transfers, each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_are_moved_by_hand_and_come_together_for_a_swap() {
    let cluster = Cluster::start(2).await;
    let bank = Bank::open(&cluster, "byhand", 0).await;
    more_tables(&cluster, "byhand", 0).await;
    cluster.catch_up("byhand").await;
    let runner = cluster.runner(0, "byhand", &[]).await;
    let other = cluster.other(runner);
    let at = cluster.places(runner, "byhand", "both nodes have some", |at| nodes(at) == 2).await;
    let mine: BTreeMap<usize, usize> = at.into_iter().enumerate().collect();
    let slot = mine.iter().find(|(_, node)| **node == runner).map(|(slot, _)| *slot).expect("one of its own");

    let capture = cluster.capture(other).await;
    let number = slot.to_string();
    // From a node that does not run it.
    let rest = async { tokio::time::sleep(std::time::Duration::from_secs(2)).await };
    let ((), calm) = lag_while(&cluster.api(runner), "byhand", rest).await;
    let moving = async {
        let path = "/tidegate/changefeeds/byhand/spans/move";
        let body = json!({ "slot": slot, "to": capture });
        cluster.api(other).call(reqwest::Method::POST, path, Some(&body)).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    };
    let ((), moving) = lag_while(&cluster.api(runner), "byhand", moving).await;
    cluster.places(runner, "byhand", "the slot was moved", |at| at[slot] == other).await;
    let anywhere =
        cluster.nodes[other].command(&["span", "move", "-c", "byhand", "--slot", &number, "--anywhere"]).unwrap();
    assert_eq!(anywhere.code, Some(0), "{}", anywhere.err);
    let moved = ["span", "move", "-c", "byhand", "--slot", &number, "--to", &capture];
    let moved = cluster.nodes[other].command(&moved).unwrap();
    assert_eq!(moved.code, Some(0), "{}", moved.err);
    cluster.places(runner, "byhand", "the slot is there", |at| at[slot] == other).await;
    let wrong = ["span", "move", "-c", "byhand", "--slot", "9", "--anywhere"];
    let wrong = cluster.nodes[other].command(&wrong).unwrap();
    assert!(wrong.code == Some(1) && wrong.err.contains("TG-5109"), "{}", wrong.err);

    // Other plugins take over under load; they do so where all slots are together, and then everything is spread again.
    let file = cluster.folder.path().join("swap.toml");
    let config =
        "[filter]\nrules = ['byhand.*']\n[tidegate.sink]\nplugin = 'mysql'\nconfig = { batch-dml-enable = false }\n";
    std::fs::write(&file, format!("force-replicate = true\n{config}")).unwrap();
    let file = file.display().to_string();
    let update = ["changefeed", "update", "-c", "byhand", "--config", &file, "--no-confirm"];
    let update = cluster.nodes[runner].command(&update).unwrap();
    assert_eq!(update.code, Some(0), "{}\n{}", update.err, cluster.logs());
    more_tables(&cluster, "byhand", 1).await;
    cluster.places(runner, "byhand", "spread again after the swap", |at| nodes(at) == 2 && at[slot] == other).await;
    let lines = bank.close(&cluster).await;
    println!(
        "byhand: a slot moved, plugins swapped; {lines} transfers, each once; lag at most {moving} ms while moving, {calm} ms at rest"
    );
}

/// Rows that a sink refuses in slots of other nodes are found where the changefeed runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_put_aside_anywhere_are_found_at_the_run() {
    const TABLES: usize = 8;
    let kafka = tg_test_servers::Kafka::start().unwrap();
    let cluster = Cluster::start(2).await;
    let mut up = Sql::connect(&cluster.upstream.url()).await.unwrap();
    let start_ts = up.now_ts().await.unwrap();
    up.run("CREATE DATABASE aside").await.unwrap();
    for t in 0..TABLES {
        up.run(&format!("CREATE TABLE aside.t{t} (id INT PRIMARY KEY, v TEXT)")).await.unwrap();
    }
    let uri = format!("kafka://{}/aside?protocol=canal-json&max-message-bytes=2000", kafka.address());
    let config = json!({ "filter": { "rules": ["aside.*"] }, "tidegate": { "slots": 4 } });
    let body = json!({ "changefeed_id": "aside", "start_ts": start_ts, "sink_uri": uri, "replica_config": config });
    cluster.api(0).create(&body).await.unwrap_or_else(|e| panic!("{e:#}\n{}", cluster.logs()));
    let runner = cluster.runner(0, "aside", &[]).await;
    cluster.places(runner, "aside", "both nodes have some", |at| nodes(at) == 2).await;
    for t in 0..TABLES {
        let rows = format!("INSERT INTO aside.t{t} VALUES (1, 'small'), (2, REPEAT('x', 9000)), (3, 'small')");
        up.run(&rows).await.unwrap();
    }
    cluster.catch_up("aside").await;
    for ask in 0..2 {
        let listed = cluster.nodes[ask].command(&["quarantine", "list", "-c", "aside", "--json"]).unwrap();
        assert_eq!(listed.code, Some(0), "{}", listed.err);
        let rows: Value = serde_json::from_str(&listed.out).unwrap();
        let rows = rows["items"].as_array().cloned().unwrap_or_default();
        let tables: std::collections::BTreeSet<_> = rows.iter().map(|r| r["table"].to_string()).collect();
        assert_eq!((rows.len(), tables.len()), (TABLES, TABLES), "{}\n{}", listed.out, cluster.logs());
    }
    let dropped = cluster.nodes[1].command(&["quarantine", "drop", "-c", "aside", "--all", "--no-confirm"]).unwrap();
    assert_eq!(dropped.code, Some(0), "{}", dropped.err);
    println!("aside: {TABLES} rows refused in 4 slots on 2 nodes are in one list");
}
