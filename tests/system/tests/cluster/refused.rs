//! What is refused, with a code, before anything is started.

use crate::rig::Cluster;
use reqwest::Method;
use serde_json::json;
use tg_testkit::{Ended, UpstreamTidb};

/// A server that is expected to end by itself.
fn refused(cluster: &Cluster, pd: &str, folder: &str, flags: &[&str]) -> Ended {
    let data = cluster.folder.path().join(folder).join("data");
    let (data, metastore) = (data.display().to_string(), cluster.metastore());
    let all = [&["server", "--pd", pd, "--metastore", &metastore, "--data-dir", &data], flags].concat();
    Ended::of(&all).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_do_not_belong_are_refused_with_a_code() {
    let cluster = Cluster::start(1).await;
    let (pd, first) = (cluster.upstream.pd(), cluster.nodes[0].address());
    let listen = |port: u16| format!("127.0.0.1:{port}");
    let free = || listen(tg_testkit::free_port().unwrap());

    let same_folder = refused(&cluster, &pd, "n0", &["--addr", &free()]);
    assert!(same_folder.code == Some(1) && same_folder.err.contains("TG-5205"), "{}", same_folder.err);

    let same_address = refused(&cluster, &pd, "n1", &["--addr", &free(), "--advertise-addr", &first]);
    assert!(same_address.code == Some(1) && same_address.err.contains("TG-5001"), "{}", same_address.err);

    // The folder of a node of this cluster, under another cluster's name.
    let other = refused(&cluster, &pd, "n1", &["--addr", &free(), "--cluster-id", "elsewhere"]);
    assert!(other.code == Some(1) && other.err.contains("TG-5002"), "{}", other.err);

    let stranger = UpstreamTidb::start_with(&["--cluster-id", "7000000000000000009"]).unwrap();
    let upstream = refused(&cluster, &stranger.pd(), "n2", &["--addr", &free()]);
    assert!(upstream.code == Some(1) && upstream.err.contains("TG-5003"), "{}", upstream.err);

    let alone = cluster.capture(0).await;
    let drain = cluster.api(0).call(Method::POST, &format!("/captures/{alone}/drain"), Some(&json!({}))).await;
    assert!(drain.unwrap_err().to_string().contains("TG-5101"), "nobody would be left");
    let resign = cluster.api(0).call(Method::POST, "/owner/resign", Some(&json!({}))).await;
    assert!(resign.unwrap_err().to_string().contains("TG-5102"), "nobody could take over");
    let nobody = cluster.api(0).call(Method::POST, "/captures/0123/drain", Some(&json!({}))).await;
    assert!(nobody.unwrap_err().to_string().contains("TG-6109"));
}
