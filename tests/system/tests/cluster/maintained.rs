//! A node in maintenance: its work waits for it over a restart, for so long and no longer.

use crate::bank::Bank;
use crate::rig::Cluster;
use serde_json::Value;
use std::time::Duration;
use tg_testkit::Ended;

/// Looks in a row, over some seconds, in which nobody takes what waits.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

impl Cluster {
    fn maintain(&self, ask: usize, node: usize, more: &[&str]) -> Ended {
        let address = self.nodes[node].address();
        self.nodes[ask].command(&[&["capture", "maintenance", &address], more].concat()).unwrap()
    }

    /// Looks for a while whether anybody else takes a changefeed from a node that is away.
    async fn nobody_takes(&self, ask: usize, feed: &str, from: usize) {
        let address = self.nodes[from].address();
        for _ in 0..LOOKS {
            if let Ok(shown) = self.api(ask).changefeed(feed).await {
                let at = shown["maintainer_addr"].as_str().unwrap_or_default();
                assert!(at.is_empty() || at == address, "{feed} went to {at}\n{}", self.logs());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    fn schedule(&self, ask: usize) -> Value {
        let shown = self.nodes[ask].command(&["schedule", "--json"]).unwrap();
        serde_json::from_str(&shown.out).unwrap_or_else(|e| panic!("{e}: {}{}", shown.out, shown.err))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_maintenance_moves_nothing_and_a_long_absence_does() {
    let mut cluster = Cluster::start(3).await;
    let bank = Bank::open(&cluster, "kept", 0).await;
    cluster.catch_up("kept").await;
    let node = cluster.runner(0, "kept", &[]).await;
    let ask = cluster.other(node);
    let address = cluster.nodes[node].address();

    let none = cluster.maintain(ask, node, &["--off"]);
    assert!(none.code == Some(1) && none.err.contains("error[TG-5111]"), "it is in none: {}", none.err);
    let nobody = cluster.nodes[ask].command(&["capture", "maintenance", "nowhere:1"]).unwrap();
    assert!(nobody.code == Some(1) && nobody.err.contains("error[TG-5111]"), "{}", nobody.err);
    let on = cluster.maintain(ask, node, &["--for", "120"]);
    assert_eq!(on.code, Some(0), "{}", on.err);
    cluster
        .until("the node is shown in maintenance", |captures| {
            captures.iter().any(|c| c["address"] == address.as_str() && c["tidegate_state"] == "maintenance")
        })
        .await;
    cluster.catch_up("kept").await;
    assert_eq!(cluster.runner(ask, "kept", &[]).await, node, "it keeps what it runs");

    // In good order, and then as a crash.
    for kill in [false, true] {
        if kill {
            cluster.nodes[node].kill9();
        } else {
            cluster.nodes[node].stop().unwrap();
        }
        cluster.nobody_takes(ask, "kept", node).await;
        if !kill {
            let nodes = cluster.schedule(ask)["nodes"].clone();
            let away = nodes.as_array().unwrap().iter().find(|n| n["address"] == address.as_str()).cloned().unwrap();
            assert_eq!((&away["state"], &away["away"]), (&"maintenance".into(), &true.into()), "{nodes}");
        }
        cluster.nodes[node].restart().unwrap();
        cluster.catch_up("kept").await;
        assert_eq!(cluster.runner(ask, "kept", &[]).await, node, "it went on where it was\n{}", cluster.logs());
    }

    // It gets nothing new.
    let second = Bank::open(&cluster, "fresh", node).await;
    cluster.catch_up("fresh").await;
    assert_ne!(cluster.runner(ask, "fresh", &[]).await, node);

    // Past its time its work goes elsewhere, and does not come back.
    assert_eq!(cluster.maintain(ask, node, &["--for", "3"]).code, Some(0));
    cluster.nodes[node].stop().unwrap();
    let taken = cluster.runner(ask, "kept", &[node]).await;
    cluster.catch_up("kept").await;
    cluster.nodes[node].restart().unwrap();
    cluster.complete().await;
    assert_eq!(cluster.runner(ask, "kept", &[]).await, taken);
    let off = cluster.maintain(ask, node, &["--off"]);
    assert!(off.code == Some(0) && off.out.contains("takes work again"), "{}{}", off.out, off.err);
    let lines = bank.close(&cluster).await + second.close(&cluster).await;
    println!("kept: two restarts in maintenance moved nothing, a longer absence did; {lines} transfers, each once");
}
