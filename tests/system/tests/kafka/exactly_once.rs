//! Kills of the product and of the broker: readers of what is committed see every row once.

use crate::support::{Rig, applied, row_id, source};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tg_format_common::ChangeEvent;
use tg_testkit::Sql;

/// How often something is killed when `TIDEGATE_KILLS` does not say it.
const KILLS: u32 = 6;

fn kills() -> u32 {
    std::env::var("TIDEGATE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS)
}

/// Inserts, and updates of what was inserted last, until told to stop.
async fn work(url: String, writer: u64, stop: Arc<AtomicBool>) -> u64 {
    let mut sql = Sql::connect(&url).await.unwrap();
    sql.run("USE exact").await.unwrap();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return n;
        }
        let first = writer * 1_000_000_000 + n * 10;
        let rows: Vec<String> = (0..10).map(|i| format!("({}, {n}, 'w{writer}')", first + i)).collect();
        sql.run(&format!("INSERT INTO t VALUES {}", rows.join(","))).await.unwrap();
        sql.run(&format!("UPDATE t SET v = v + 1 WHERE id BETWEEN {first} AND {}", first + 4)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_seen_once_over_kills() {
    let mut rig = Rig::start();
    let config = json!({"sink": {"dispatchers": [{"matcher": ["*.*"], "partition": "index-value"}]}});
    let mut feed = rig.feed("exact", "protocol=canal-json&enable-tidb-extension=true", config).await;
    feed.up.run("CREATE TABLE t (id BIGINT PRIMARY KEY, v INT, name VARCHAR(20))").await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..2).map(|w| tokio::spawn(work(rig.upstream.url(), w, Arc::clone(&stop)))).collect();
    let mut rng = StdRng::seed_from_u64(20_261_129);
    for n in 0..kills() {
        tokio::time::sleep(Duration::from_millis(rng.random_range(300..2_000))).await;
        if n % 3 == 2 {
            rig.kafka.kill();
            tokio::time::sleep(Duration::from_millis(rng.random_range(50..1_500))).await;
            rig.kafka.restart().unwrap();
        } else {
            rig.tidegate.kill9();
            rig.tidegate.restart().unwrap();
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut rounds = 0;
    for writer in writers {
        rounds += writer.await.unwrap();
    }
    feed.catch_up(&rig).await;
    let messages = feed.read();
    let mut seen: BTreeMap<(String, u64), u32> = BTreeMap::new();
    let mut events = Vec::new();
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for m in &messages {
        let event = tg_format_canal_json::decode(m.value.as_deref().unwrap()).unwrap();
        if let ChangeEvent::Row(row) = &event {
            let (id, ts) = (row_id(row), row.commit_ts.unwrap());
            *seen.entry((id.clone(), ts)).or_default() += 1;
            let before = last.insert(id.clone(), ts).unwrap_or(0);
            assert!(before < ts, "row {id}: {ts} comes behind {before}");
        }
        events.push(event);
    }
    let twice: Vec<_> = seen.iter().filter(|(_, n)| **n > 1).take(5).collect();
    assert!(twice.is_empty(), "seen more than once: {twice:?}");
    assert_eq!(seen.len() as u64, rounds * 15, "ten inserts and five updates a round");
    assert_eq!(applied(&events), source(&mut feed.up, "t").await);
    println!("exactly once: {} kills, {} changes, each once", kills(), seen.len());
}
