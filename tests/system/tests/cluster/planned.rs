//! What people do to a cluster on purpose.

use crate::bank::Bank;
use crate::rig::Cluster;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drained_resigned_and_restarted_one_by_one_under_load() {
    let mut cluster = Cluster::start(3).await;
    let bank = Bank::open(&cluster, "planned", 2).await;
    cluster.catch_up("planned").await;

    // What is set holds for whoever is owner, and is shown by every node.
    let limits = |node: usize, more: &[&str]| {
        let ran = cluster.nodes[node].command(&[&["schedule", "limits"], more].concat()).unwrap();
        (ran.code, ran.out + &ran.err)
    };
    let (code, text) = limits(0, &["--set", "rest-ms=1000", "--set", "balance-moves=2"]);
    assert!(code == Some(0) && text.contains("rest-ms"), "{text}");
    for (wrong, why) in [("rest-m=1", "did you mean `rest-ms`?"), ("hot-percent=1", "100 to 10000")] {
        let (code, text) = limits(1, &["--set", wrong]);
        assert!(code == Some(1) && text.contains("error[TG-5112]") && text.contains(why), "{text}");
    }
    let (_, text) = limits(2, &["--json"]);
    let shown: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));

    let runner = cluster.runner(0, "planned", &[]).await;
    let capture = cluster.capture(runner).await;
    let ask = cluster.other(runner);
    let drained = cluster.nodes[ask].command(&["capture", "drain", "--capture-id", &capture]).unwrap();
    assert_eq!(drained.code, Some(0), "{}", drained.err);
    cluster.runner(ask, "planned", &[runner]).await;
    cluster.catch_up("planned").await;
    let schedule = cluster.nodes[runner].command(&["schedule"]).unwrap();
    assert_eq!(schedule.code, Some(0), "{}", schedule.err);
    assert!(schedule.out.contains("its node is being drained"), "why it was moved: {}", schedule.out);
    assert!(schedule.out.contains("draining"), "{}", schedule.out);

    let owner = cluster.owner().await;
    let resigned = cluster.api(ask).call(Method::POST, "/owner/resign", Some(&json!({}))).await;
    resigned.unwrap_or_else(|e| panic!("{e:#}\n{}", cluster.logs()));
    let address = cluster.nodes[owner].address();
    cluster
        .until("another owner", |c| c.iter().any(|c| c["is_owner"] == true && c["address"] != address.as_str()))
        .await;

    let owned = cluster.nodes[ask].command(&["schedule", "--json"]).unwrap();
    let owned: Value = serde_json::from_str(&owned.out).unwrap_or_else(|e| panic!("{e}: {}{}", owned.out, owned.err));
    assert_eq!(owned["limits"], shown["limits"], "the new owner keeps to them");
    let value = |name: &str| {
        let all = owned["limits"].as_array().cloned().unwrap_or_default();
        all.iter().find(|l| l["name"] == name).and_then(|l| l["value"].as_u64())
    };
    assert_eq!((value("rest-ms"), value("balance-moves"), value("moves")), (Some(1_000), Some(2), Some(64)));

    for node in 0..3 {
        cluster.nodes[node].stop().unwrap();
        cluster.runner(cluster.other(node), "planned", &[node]).await;
        cluster.nodes[node].restart().unwrap();
        cluster.catch_up("planned").await;
    }
    let lines = bank.close(&cluster).await;
    println!("planned: a drain, a resignation, three restarts; {lines} transfers, each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_node_answers_for_all() {
    let cluster = Cluster::start(2).await;
    let bank = Bank::open(&cluster, "any", 0).await;
    cluster.catch_up("any").await;
    let runner = cluster.runner(0, "any", &[]).await;
    let other = cluster.other(runner);
    let seen = |v: &Value| (v["state"].clone(), v["maintainer_addr"].clone());
    let (here, there) = (cluster.api(runner).changefeed("any").await, cluster.api(other).changefeed("any").await);
    assert_eq!(seen(&here.unwrap()), seen(&there.unwrap()));

    cluster.api(other).pause("any").await.unwrap_or_else(|e| panic!("{e:#}\n{}", cluster.logs()));
    let paused = cluster.api(runner).changefeed("any").await.unwrap();
    assert_eq!(paused["state"], "stopped", "{paused}");
    cluster.api(other).resume("any").await.unwrap();
    cluster.catch_up("any").await;
    let lines = bank.close(&cluster).await;
    cluster.api(other).remove("any").await.unwrap();
    assert!(cluster.api(runner).changefeed("any").await.is_err(), "it is gone everywhere");
    println!("any: paused, resumed and removed from where it did not run; {lines} transfers");
}
