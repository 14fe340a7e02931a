//! Plugins of a cluster: whichever node is asked, and whichever runs the changefeed, also one that was away.

use crate::bank::Bank;
use crate::rig::Cluster;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tg_testkit::Ended;

/// Name of the pushed sink.
const SINK: &str = "bank-sink";
/// How long something may take that nodes do by themselves.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

/// The sink for MySQL in a build of its own: a custom section at the end (id 0, length, name, content) changes nothing it does.
fn build(note: &str) -> Vec<u8> {
    let section = [&[4][..], b"note", note.as_bytes()].concat();
    let length = u8::try_from(section.len()).unwrap();
    [tg_builtin::by_name("mysql").unwrap(), &[0, length], section.as_slice()].concat()
}

impl Cluster {
    fn plugin(&self, node: usize, args: &[&str]) -> Ended {
        self.nodes[node].command(&[&["plugin"], args].concat()).unwrap()
    }

    fn push(&self, node: usize, version: &str, component: &[u8], more: &[&str]) -> Ended {
        let file = self.folder.path().join(format!("{SINK}-{version}.wasm"));
        std::fs::write(&file, component).unwrap();
        let file = file.display().to_string();
        self.plugin(node, &[&["push", &file, "--name", SINK, "--version", version], more].concat())
    }

    /// The version of the sink that runs, as a node says.
    async fn runs(&self, ask: usize, feed: &str) -> String {
        let path = format!("/tidegate/changefeeds/{feed}/plugins");
        let shown = self.api(ask).call(Method::GET, &path, None).await.unwrap_or_default();
        let sink = shown["plugins"].as_array().and_then(|p| p.iter().find(|p| p["role"] == "sink").cloned());
        sink.and_then(|p| p["version"].as_str().map(str::to_owned)).unwrap_or_default()
    }

    async fn until_runs(&self, ask: usize, feed: &str, version: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.runs(ask, feed).await != version {
            assert!(Instant::now() < deadline, "{feed} does not run {version}\n{}", self.logs());
            tokio::time::sleep(POLL).await;
        }
    }

    /// What every node says of the sink, which is the same.
    fn seen_everywhere(&self) -> Value {
        let seen = |node: usize| {
            let list: Value = serde_json::from_str(&self.plugin(node, &["list", "--json"]).out).unwrap();
            let mut detail: Value = serde_json::from_str(&self.plugin(node, &["inspect", SINK, "--json"]).out).unwrap();
            // That is what it did on the node that is asked.
            detail["usage"] = Value::Null;
            let found = list.as_array().unwrap().iter().find(|p| p["name"] == SINK).cloned().unwrap();
            json!({ "listed": found, "detail": detail })
        };
        let first = seen(0);
        for node in 1..self.nodes.len() {
            assert_eq!(seen(node), first, "node {node} says what node 0 says");
        }
        first
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_pushed_at_any_node_runs_wherever_the_changefeed_does() {
    let cluster = Cluster::start(3).await;
    let first = cluster.push(0, "1", &build("1"), &[]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    let bank = Bank::open_with(&cluster, ("pushed", 0), json!({ "sink": { "plugin": SINK } })).await;
    cluster.catch_up("pushed").await;
    let runner = cluster.runner(0, "pushed", &[]).await;
    let (ask, third) = (cluster.other(runner), cluster.other(cluster.other(runner)));

    let pushed = cluster.push(ask, "2", &build("2"), &["--activate"]);
    assert_eq!(pushed.code, Some(0), "{}{}\n{}", pushed.out, pushed.err, cluster.logs());
    assert!(pushed.out.contains("pushed: elsewhere (it runs on "), "{}", pushed.out);
    assert!(pushed.out.contains("pushed: stays"), "{}", pushed.out);
    for node in 0..3 {
        assert_eq!(cluster.runs(node, "pushed").await, "2", "as node {node} says");
    }
    let seen = cluster.seen_everywhere();
    assert_eq!(seen["detail"]["version"]["version"], "2", "{seen}");
    assert_eq!(seen["listed"]["users"][0]["version"], "2", "{seen}");

    let canary = cluster.push(ask, "3", &build("3"), &["--activate", "--canary", "10%"]);
    assert!(canary.code == Some(1) && canary.err.contains("error[TG-5110]"), "{}{}", canary.out, canary.err);
    assert_eq!(cluster.seen_everywhere()["detail"]["version"]["version"], "2");

    // It is no sink. The node that runs the changefeed refuses it, and says so to who asked another.
    let wrong = cluster.push(ask, "4", tg_builtin::by_name("dispatcher").unwrap(), &["--activate"]);
    assert!(wrong.code == Some(1) && wrong.err.contains("error[TG-4105]"), "{}{}", wrong.out, wrong.err);
    assert_eq!(cluster.runs(third, "pushed").await, "2", "what runs goes on");
    for (node, version) in [(third, "2"), (ask, "1")] {
        let back = cluster.plugin(node, &["rollback", SINK]);
        assert_eq!(back.code, Some(0), "{}{}\n{}", back.out, back.err, cluster.logs());
        cluster.until_runs(node, "pushed", version).await;
    }
    cluster.catch_up("pushed").await;
    let lines = bank.close(&cluster).await;
    println!("pushed: two versions and two rollbacks at nodes that do not run it; {lines} transfers, each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_away_runs_what_was_pushed_meanwhile() {
    let mut cluster = Cluster::start(3).await;
    let first = cluster.push(0, "1", &build("1"), &[]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    let bank = Bank::open_with(&cluster, ("away", 0), json!({ "sink": { "plugin": SINK } })).await;
    cluster.catch_up("away").await;
    let away = cluster.runner(0, "away", &[]).await;
    let (ask, third) = (cluster.other(away), cluster.other(cluster.other(away)));

    cluster.nodes[away].kill9();
    let pushed = cluster.push(ask, "2", &build("2"), &["--activate", "--no-wait"]);
    assert_eq!(pushed.code, Some(0), "{}{}", pushed.out, pushed.err);
    // Whoever has it now began with the version before, and looks what the name means.
    cluster.until_runs(ask, "away", "2").await;
    cluster.nodes[away].restart().unwrap();

    // Nobody asks it for anything: it gets the component because that is active.
    let detail: Value = serde_json::from_str(&cluster.plugin(ask, &["inspect", SINK, "--json"]).out).unwrap();
    let hex = detail["version"]["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let component = cluster.nodes[away].data().join("components").join(&hex[..2]).join(format!("{hex}.wasm"));
    let deadline = Instant::now() + PATIENCE;
    while !component.exists() {
        assert!(Instant::now() < deadline, "no {}\n{}", component.display(), cluster.logs());
        tokio::time::sleep(POLL).await;
    }
    for node in [ask, third] {
        cluster.nodes[node].kill9();
    }
    assert_eq!(cluster.runner(away, "away", &[ask, third]).await, away);
    cluster.catch_up("away").await;
    assert_eq!(cluster.runs(away, "away").await, "2", "alone, with what it had fetched");
    let lines = bank.close(&cluster).await;
    println!(
        "away: a version came while its node was down and outlived those that had it; {lines} transfers, each once"
    );
}
