//! Changefeeds of TiCDC, from the keys that it keeps in etcd, taken over and run.

use crate::rig::Cluster;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tg_testkit::{Ended, Sql, compare};

impl Cluster {
    /// Writes a key of a changefeed as TiCDC does, through etcd's own gateway.
    async fn ticdc_key(&self, key: &str, value: &Value) {
        // A second call finds the provider installed, which is what is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = format!("/tidb/cdc/default/default/changefeed/{key}");
        let body = json!({ "key": STANDARD.encode(key), "value": STANDARD.encode(value.to_string()) });
        let put =
            reqwest::Client::new().post(format!("{}/v3/kv/put", self.etcd.endpoints()[0])).json(&body).send().await;
        assert!(put.unwrap().status().is_success());
    }

    async fn ticdc_feed(&self, name: &str, checkpoint: u64, consistent: &str) {
        let storage = if consistent == "none" { "" } else { "s3://bucket/redo" };
        let info = json!({
            "upstream-id": 0, "namespace": "default", "changefeed-id": name, "sink-uri": self.downstream.url(),
            "create-time": "2026-03-01T10:00:00+08:00", "start-ts": checkpoint - 1, "target-ts": 0, "admin-job-type": 1,
            "sort-engine": "unified", "sort-dir": "", "state": "stopped", "error": null, "creator-version": "v8.5.1", "epoch": 2,
            "config": {
                "memory-quota": 1_073_741_824_u64, "case-sensitive": false, "force-replicate": false, "check-gc-safe-point": true,
                "filter": { "rules": [format!("{name}.*")], "ignore-txn-start-ts": null, "event-filters": null },
                "mounter": { "worker-num": 16 }, "sink": { "encoder-concurrency": 32, "safe-mode": false },
                "consistent": { "level": consistent, "max-log-size": 64, "flush-interval": 2000, "storage": storage },
                "scheduler": { "enable-table-across-nodes": false }, "sql-mode": ""
            }
        });
        self.ticdc_key(&format!("info/{name}"), &info).await;
        let status =
            json!({ "checkpoint-ts": checkpoint, "min-table-barrier-ts": checkpoint + 1, "admin-job-type": 1 });
        self.ticdc_key(&format!("status/{name}"), &status).await;
    }

    fn import(&self, flags: &[&str]) -> Ended {
        let (from, metastore) = (self.etcd.endpoints().join(","), self.metastore());
        Ended::of(&[&["meta", "import-ticdc", &from, "--metastore", &metastore], flags].concat()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changefeed_of_ticdc_goes_on_where_it_was() {
    let mut cluster = Cluster::without_nodes().await;
    let none = cluster.import(&[]);
    assert!(none.code == Some(1) && none.err.contains("error[TG-4115]"), "{}", none.err);

    // What TiCDC has done: one row up to its checkpoint, and one beyond it, as it always may have.
    let mut up = Sql::connect(&cluster.upstream.url()).await.unwrap();
    let mut down = Sql::connect(&cluster.downstream.url()).await.unwrap();
    for sql in [&mut up, &mut down] {
        sql.all(&["CREATE DATABASE taken", "CREATE TABLE taken.t (id INT PRIMARY KEY, v INT)"]).await.unwrap();
        sql.run("INSERT INTO taken.t VALUES (1, 1)").await.unwrap();
    }
    let checkpoint = up.now_ts().await.unwrap();
    up.all(&[
        "INSERT INTO taken.t VALUES (2, 2)",
        "UPDATE taken.t SET v = 9 WHERE id = 1",
        "DELETE FROM taken.t WHERE id = 1",
    ])
    .await
    .unwrap();
    down.run("INSERT INTO taken.t VALUES (2, 2)").await.unwrap();
    cluster.ticdc_feed("taken", checkpoint, "none").await;
    cluster.ticdc_feed("redo", checkpoint, "eventual").await;

    let refused = cluster.import(&[]);
    assert!(refused.code == Some(1) && refused.err.contains("error[TG-4114]"), "{}", refused.err);
    assert!(refused.err.contains("default/redo: `consistent.level`"), "{}", refused.err);
    let looked = cluster.import(&["-c", "taken", "--dry-run", "--json"]);
    let shown: Value =
        serde_json::from_str(&looked.out).unwrap_or_else(|e| panic!("{e}: {}{}", looked.out, looked.err));
    assert_eq!(shown["changefeeds"][0]["start_ts"], checkpoint, "{shown}");
    let taken = cluster.import(&["-c", "taken"]);
    assert!(
        taken.code == Some(0) && taken.out.contains("Took over 1 changefeeds, paused"),
        "{}{}",
        taken.out,
        taken.err
    );
    assert!(taken.out.contains("`sort-engine`"), "what has no meaning here is named: {}", taken.out);
    let again = cluster.import(&["-c", "taken"]);
    assert!(again.code == Some(1) && again.err.contains("error[TG-4114]"), "it is here already: {}", again.err);

    let node = cluster.node("n0", &[]).unwrap();
    cluster.nodes.push(node);
    cluster.complete().await;
    let paused = cluster.api(0).changefeed("taken").await.unwrap();
    assert_eq!((&paused["state"], &paused["checkpoint_ts"]), (&json!("stopped"), &json!(checkpoint)), "{paused}");
    let resumed = cluster.nodes[0].command(&["changefeed", "resume", "-c", "taken"]).unwrap();
    assert_eq!(resumed.code, Some(0), "{}{}", resumed.err, cluster.logs());
    cluster.catch_up("taken").await;
    up.run("INSERT INTO taken.t VALUES (3, 3)").await.unwrap();
    cluster.catch_up("taken").await;
    let found = compare(&cluster.upstream.url(), &cluster.downstream.url(), &["taken"]).await.unwrap();
    assert!(found.differences.is_empty(), "{}\n{}", found.differences.join("\n"), cluster.logs());
    println!("taken over from TiCDC at {checkpoint}: a row that was written ahead of it came again and did no harm");
}
