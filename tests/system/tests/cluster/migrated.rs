//! From one server to several, and back, with a bank that goes on working.

use crate::bank::Bank;
use crate::rig::Cluster;
use tg_testkit::{Ended, Tidegate};

/// Moves the metadata between the first node's data directory and etcd.
fn migrate(cluster: &Cluster, flags: &[&str]) -> Ended {
    let (data, metastore) = (cluster.nodes[0].data().display().to_string(), cluster.metastore());
    let all = [&["meta", "migrate", "--data-dir", &data, "--metastore", &metastore], flags].concat();
    Ended::of(&all).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_one_server_to_several_and_back() {
    let mut cluster = Cluster::without_nodes().await;
    let folder = cluster.folder.path().join("n0");
    cluster.nodes.push(Tidegate::start(&cluster.upstream.pd(), &folder).unwrap());
    let bank = Bank::open(&cluster, "migrated", 0).await;
    cluster.catch_up("migrated").await;
    let busy = migrate(&cluster, &[]);
    assert!(busy.code == Some(1) && busy.err.contains("TG-5205"), "a server has the data directory: {}", busy.err);
    cluster.nodes[0].stop().unwrap();

    let moved = migrate(&cluster, &[]);
    assert!(moved.code == Some(0) && moved.out.contains("Moved 1 changefeeds"), "{}{}", moved.out, moved.err);
    let again = migrate(&cluster, &[]);
    assert!(again.code == Some(1) && again.err.contains("TG-4113"), "it is there already: {}", again.err);
    cluster.nodes.clear();
    for n in 0..2 {
        let node = cluster.node(&format!("n{n}"), &[]).unwrap();
        cluster.nodes.push(node);
    }
    cluster.complete().await;
    cluster.catch_up("migrated").await;
    let used = migrate(&cluster, &["--back"]);
    assert!(used.code == Some(1) && used.err.contains("TG-"), "nodes are registered: {}", used.err);

    for node in &mut cluster.nodes {
        node.stop().unwrap();
    }
    // Into an empty folder: the old one still has what was moved.
    let data = cluster.folder.path().join("back");
    let (path, metastore) = (data.join("data").display().to_string(), cluster.metastore());
    let back = Ended::of(&["meta", "migrate", "--data-dir", &path, "--metastore", &metastore, "--back"]).unwrap();
    assert!(back.code == Some(0) && back.out.contains("Moved 1 changefeeds"), "{}{}", back.out, back.err);
    cluster.nodes.clear();
    cluster.nodes.push(Tidegate::start(&cluster.upstream.pd(), &data).unwrap());
    let lines = bank.close(&cluster).await;
    println!("migrated: from one server to two and back to one; {lines} transfers, each once");
}
