//! Kills: the product dies at random moments while money moves, and in the end nothing is lost or doubled.

use crate::Rig;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tg_sql::Cell;
use tg_testkit::Sql;

const ACCOUNTS: u64 = 40;
const BALANCE: u64 = 1_000;
const WRITERS: u64 = 3;
/// How often the product is killed when `TIDEGATE_KILLS` does not say it.
const KILLS: u32 = 8;

async fn transfers(url: String, db: &'static str, writer: u64, stop: Arc<AtomicBool>, entries: Arc<AtomicU64>) {
    let mut rng = StdRng::seed_from_u64(writer);
    let mut sql = Sql::connect(&url).await.unwrap();
    sql.run(&format!("USE {db}")).await.unwrap();
    while !stop.load(Ordering::Relaxed) {
        let pick = |rng: &mut StdRng| rng.random_range(0..ACCOUNTS);
        let (from, to, amount) = (pick(&mut rng), pick(&mut rng), rng.random_range(1..20));
        let entry = entries.fetch_add(1, Ordering::Relaxed);
        let parts = [
            "BEGIN".to_owned(),
            format!("UPDATE accounts SET balance = balance - {amount} WHERE id = {from}"),
            format!("UPDATE accounts SET balance = balance + {amount} WHERE id = {to}"),
            format!("INSERT INTO journal VALUES ({entry}, {from}, {to}, {amount})"),
            "COMMIT".to_owned(),
        ];
        if sql.all(&parts.each_ref().map(String::as_str)).await.is_err() {
            sql.run("ROLLBACK").await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..8))).await;
    }
}

/// Transfers while the product is killed and columns are added; what is there in the end, as the downstream says it.
async fn bank(db: &'static str, journal: &str, config: Value) -> Vec<Cell> {
    let mut rig = Rig::start();
    let mut feed = rig.feed_with(db, "", config).await;
    feed.up.run("CREATE TABLE accounts (id INT PRIMARY KEY, balance BIGINT)").await.unwrap();
    feed.up.run(journal).await.unwrap();
    let rows: Vec<String> = (0..ACCOUNTS).map(|id| format!("({id}, {BALANCE})")).collect();
    feed.up.run(&format!("INSERT INTO accounts VALUES {}", rows.join(","))).await.unwrap();
    let (stop, entries) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let url = rig.upstream.url();
    let writers: Vec<_> = (0..WRITERS)
        .map(|w| tokio::spawn(transfers(url.clone(), db, w, Arc::clone(&stop), Arc::clone(&entries))))
        .collect();
    let kills = std::env::var("TIDEGATE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let mut rng = StdRng::seed_from_u64(20_261_130);
    for n in 0..kills {
        tokio::time::sleep(Duration::from_millis(rng.random_range(50..1_200))).await;
        rig.tidegate.kill9();
        if n % 4 == 1 {
            feed.up.run(&format!("ALTER TABLE accounts ADD COLUMN c{n} INT DEFAULT {n}")).await.unwrap();
        }
        rig.tidegate.restart().unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let (_, rows) = rig.verify(&mut feed, "after the kills").await;
    let query = format!(
        "SELECT (SELECT sum(balance)::text FROM {db}.accounts),count(*)::text,count(DISTINCT entry)::text,\
         (SELECT count(*)>0 FROM tidegate.tg_progress) FROM {db}.journal"
    );
    let found = feed.down.query(&query, 1).await.unwrap().rows.remove(0);
    assert_eq!(found[0], Cell::Text((ACCOUNTS * BALANCE).to_string()), "no money is made or lost");
    println!("{db}: killed {kills} times, {:?} transfers, {rows} rows equal, sum kept", found[1]);
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_transfer_once_over_kills() {
    // Without a key, a transfer that is written twice is there twice.
    let journal = "CREATE TABLE journal (entry BIGINT, a INT, b INT, amount INT)";
    let found = bank("p_bank", journal, json!({})).await;
    assert_eq!((&found[1], &found[3]), (&found[2], &Cell::Int(1)), "each transfer is there once, and positions too");
}

/// Rows and DDL that come again after a restart leave the same behind, also where unique values have changed hands since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_again_does_no_harm_without_exactly_once() {
    let journal = "CREATE TABLE journal (entry BIGINT PRIMARY KEY, a INT, b INT, amount INT, UNIQUE KEY (amount, entry), KEY (a))";
    let found = bank("p_again", journal, json!({"tidegate": {"exactly_once": false}})).await;
    assert_eq!(found[3], Cell::Int(0), "no positions are kept there");
}
