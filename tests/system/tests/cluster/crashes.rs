//! Nodes and members of etcd die, or stand still and wake up.

use crate::bank::Bank;
use crate::rig::Cluster;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_and_a_runner_are_killed_and_a_member_of_etcd_too() {
    let mut cluster = Cluster::start(3).await;
    let bank = Bank::open(&cluster, "killed", 0).await;
    cluster.catch_up("killed").await;

    let owner = cluster.owner().await;
    cluster.nodes[owner].kill9();
    let ask = cluster.other(owner);
    let address = cluster.nodes[owner].address();
    cluster
        .until("another owner", |c| c.iter().any(|c| c["is_owner"] == true && c["address"] != address.as_str()))
        .await;
    // It may have run the changefeed as well.
    cluster.runner(ask, "killed", &[owner]).await;
    cluster.catch_up("killed").await;
    cluster.nodes[owner].restart().unwrap();

    cluster.etcd.kill(0);
    let runner = cluster.runner(ask, "killed", &[]).await;
    cluster.nodes[runner].kill9();
    cluster.runner(cluster.other(runner), "killed", &[runner]).await;
    cluster.catch_up("killed").await;
    cluster.nodes[runner].restart().unwrap();
    cluster.etcd.restart(0).unwrap();
    let lines = bank.close(&cluster).await;
    println!("killed: owner, runner and a member of etcd; {lines} transfers, each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zombie_that_wakes_up_writes_nothing() {
    let cluster = Cluster::start(3).await;
    let bank = Bank::open(&cluster, "zombie", 1).await;
    cluster.catch_up("zombie").await;
    let mut runner = cluster.runner(0, "zombie", &[]).await;
    for _ in 0..2 {
        // It stands still in the middle of writing, longer than anybody waits for it, and then goes on as if nothing were.
        cluster.nodes[runner].signal("STOP").unwrap();
        let next = cluster.runner(cluster.other(runner), "zombie", &[runner]).await;
        cluster.catch_up("zombie").await;
        cluster.nodes[runner].signal("CONT").unwrap();
        cluster.catch_up("zombie").await;
        runner = next;
    }
    let lines = bank.close(&cluster).await;
    println!("zombies: two runners stood still and woke up; {lines} transfers, each once");
}
