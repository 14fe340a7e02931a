//! An etcd that talks to nobody without a certificate.

use crate::bank::Bank;
use crate::rig::Cluster;
use std::path::{Path, PathBuf};
use tg_test_servers::Pki;
use tg_testkit::{Ended, free_port};

/// A configuration that shows etcd this certificate.
fn config(folder: &Path, name: &str, ca: &Path, cert: &Path, key: &Path) -> PathBuf {
    let file = folder.join(name);
    let [ca, cert, key] = [ca, cert, key].map(|p| p.display().to_string());
    let text = format!("[metastore]\nca-path = \"{ca}\"\ncert-path = \"{cert}\"\nkey-path = \"{key}\"\n");
    std::fs::write(&file, text).unwrap();
    file
}

fn refused(cluster: &Cluster, config: &Path) -> Ended {
    let data = cluster.folder.path().join("refused").display().to_string();
    let (config, metastore) = (config.display().to_string(), cluster.metastore());
    let (pd, addr) = (cluster.upstream.pd(), format!("127.0.0.1:{}", free_port().unwrap()));
    let flags = ["server", "--config", &config, "--pd", &pd, "--metastore", &metastore];
    Ended::of(&[&flags[..], &["--data-dir", &data, "--addr", &addr]].concat()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_share_and_take_over_work_through_an_etcd_with_tls() {
    let mut cluster = Cluster::with_secured_etcd().await;
    let folder = cluster.folder.path().to_owned();
    let tls = cluster.etcd.tls().unwrap().clone();
    let good = config(&folder, "good.toml", &tls.ca, &tls.cert, &tls.key).display().to_string();
    for n in 0..2 {
        let node = cluster.node(&format!("n{n}"), &["--config", &good]).unwrap();
        cluster.nodes.push(node);
    }
    cluster.complete().await;
    let bank = Bank::open(&cluster, "secured", 0).await;
    cluster.catch_up("secured").await;
    let runner = cluster.runner(0, "secured", &[]).await;
    cluster.nodes[runner].kill9();
    cluster.runner(cluster.other(runner), "secured", &[runner]).await;
    cluster.catch_up("secured").await;
    cluster.nodes[runner].restart().unwrap();
    cluster.complete().await;

    // Somebody else's authority: neither side believes the other.
    let strangers = Pki::new(&folder.join("strangers")).unwrap();
    let stranger = strangers.identity("stranger").unwrap();
    for (name, ca) in [("unbelieving.toml", &stranger.ca), ("unbelieved.toml", &tls.ca)] {
        let told = refused(&cluster, &config(&folder, name, ca, &stranger.cert, &stranger.key));
        assert!(told.code == Some(1) && told.err.contains("error[TG-52"), "{name}: {}", told.err);
    }
    let missing = refused(&cluster, &config(&folder, "missing.toml", &tls.ca, &folder.join("none.pem"), &tls.key));
    assert!(missing.code == Some(1) && missing.err.contains("error[TG-5215]"), "{}", missing.err);
    assert!(missing.err.contains("none.pem"), "{}", missing.err);
    println!("secured: {} transfers, each once, over a takeover", bank.close(&cluster).await);
}
