//! The disk runs full: the changefeed that is hit says so, the server answers, and with space again nothing is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use tg_testkit::{CATCH_UP, Rig, Sql};

const DISK_MIB: u32 = 48;
/// Rows that wait: three times what stays in memory.
const BATCHES: u32 = 48;
const BATCH_ROWS: u32 = 256;
const VALUE_BYTES: usize = 4_000;

/// Leaves nothing free on the disk of that directory.
fn fill(ballast: &Path) {
    let mut file = File::create(ballast).unwrap();
    for piece_bytes in [1 << 20, 4 << 10] {
        while file.write_all(&vec![0; piece_bytes]).is_ok() {}
    }
}

/// Rows that do not compress.
async fn write_much(up: &mut Sql) {
    let mut rng = StdRng::seed_from_u64(5);
    for batch in 0..BATCHES {
        let row = |n: u32| {
            let value: String = (0..VALUE_BYTES).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
            format!("({}, '{value}')", batch * BATCH_ROWS + n)
        };
        let rows: Vec<String> = (0..BATCH_ROWS).map(row).collect();
        up.run(&format!("INSERT INTO t VALUES {}", rows.join(","))).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_ridden_through() {
    let Some(mut rig) = Rig::start_on_small_disk(DISK_MIB).unwrap() else {
        println!("disk full: passed over, no file system can be mounted here");
        return;
    };
    let api = rig.tidegate.api();
    let mut feed = rig.feed("full", json!({})).await.unwrap();
    feed.up.all(&["CREATE TABLE t (id INT PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (-1, 'before')"]).await.unwrap();
    feed.verify().await.unwrap();

    let ballast = rig.tidegate.data().join("ballast");
    fill(&ballast);
    rig.downstream.kill();
    write_much(&mut feed.up).await;
    // Whichever writes first says it: the sorter, the rows that wait for their commit, or the metadata, on the same disk.
    let told =
        |f: &serde_json::Value| f["error"]["message"].as_str().is_some_and(|m| m.contains("No space left on device"));
    let shown = api.wait("full", CATCH_UP, "that the disk is full", told).await.unwrap();
    let code = shown["error"]["code"].as_str().unwrap();
    assert!(["TG-1201", "TG-1203", "TG-1120", "TG-4005", "TG-5206"].contains(&code), "{shown}");
    assert_eq!(shown["state"], "warning", "it is tried again: {shown}");
    rig.downstream.restart().unwrap();
    std::fs::remove_file(&ballast).unwrap();
    feed.up.run("INSERT INTO t VALUES (-2, 'after')").await.unwrap();
    let compared = feed.verify().await;
    let (_, rows) = compared.unwrap_or_else(|e| panic!("{e:#}\n{}", rig.tidegate.log_tail()));
    println!("disk full: {}, and by itself {rows} rows equal when there is space again", shown["error"]["code"]);
}
