//! Kills: the product dies at random moments while a bank works, and in the end nothing is lost or doubled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tg_testkit::{Rig, Sql};

const ACCOUNTS: u64 = 60;
const BALANCE: u64 = 1_000;
const WRITERS: u64 = 4;
/// How often the product is killed when `TIDEGATE_KILLS` does not say it.
const KILLS: u32 = 10;

fn kills() -> u32 {
    std::env::var("TIDEGATE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS)
}

struct Bank {
    url: String,
    stop: AtomicBool,
    entries: AtomicU64,
    lost: AtomicU64,
}

impl Bank {
    /// Transfers until told to stop; every committed one has one line in the journal.
    async fn work(self: Arc<Self>, writer: u64) {
        let mut rng = StdRng::seed_from_u64(writer);
        let mut sql = Sql::connect(&self.url).await.unwrap();
        sql.run("USE bank").await.unwrap();
        while !self.stop.load(Ordering::Relaxed) {
            let (from, to, amount) =
                (rng.random_range(0..ACCOUNTS), rng.random_range(0..ACCOUNTS), rng.random_range(1..20));
            let entry = self.entries.fetch_add(1, Ordering::Relaxed);
            let mode = if rng.random_bool(0.5) { "OPTIMISTIC" } else { "PESSIMISTIC" };
            let statements = [
                format!("BEGIN {mode}"),
                format!("UPDATE accounts SET balance = balance - {amount} WHERE id = {from}"),
                format!("UPDATE accounts2 SET balance = balance + {amount} WHERE id = {to}"),
                format!("INSERT INTO journal VALUES ({entry}, {from}, {to}, {amount})"),
                "COMMIT".to_owned(),
            ];
            let parts: Vec<&str> = statements.iter().map(String::as_str).collect();
            if sql.all(&parts).await.is_err() {
                self.lost.fetch_add(1, Ordering::Relaxed);
                sql.run("ROLLBACK").await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..8))).await;
        }
    }
}

async fn bank(options: &[&str], config: serde_json::Value, what: &str) {
    let mut rig = Rig::start_with(options).unwrap();
    let mut feed = rig.feed("bank", config).await.unwrap();
    for table in ["accounts", "accounts2"] {
        feed.up.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY, balance BIGINT)")).await.unwrap();
        let rows: Vec<String> = (0..ACCOUNTS).map(|id| format!("({id}, {BALANCE})")).collect();
        feed.up.run(&format!("INSERT INTO {table} VALUES {}", rows.join(","))).await.unwrap();
    }
    feed.up.run("CREATE TABLE journal (entry BIGINT, a INT, b INT, amount INT)").await.unwrap();
    let state = Bank {
        url: rig.upstream.url(),
        stop: AtomicBool::new(false),
        entries: AtomicU64::new(0),
        lost: AtomicU64::new(0),
    };
    let bank = Arc::new(state);
    let writers: Vec<_> = (0..WRITERS).map(|w| tokio::spawn(Arc::clone(&bank).work(w))).collect();
    let mut rng = StdRng::seed_from_u64(20_261_121);
    for n in 0..kills() {
        tokio::time::sleep(Duration::from_millis(rng.random_range(50..1_200))).await;
        rig.tidegate.kill9();
        if n % 5 == 3 {
            feed.up.run(&format!("ALTER TABLE accounts ADD COLUMN c{n} INT DEFAULT {n}")).await.unwrap();
        }
        rig.tidegate.restart().unwrap();
    }
    bank.stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let compared = feed.verify().await;
    let (_, rows) = compared.unwrap_or_else(|e| panic!("{e:#}\n{}", rig.tidegate.log_tail()));
    let sum: String =
        feed.down.one("SELECT CAST(SUM(b) AS CHAR) FROM (SELECT balance b FROM bank.accounts UNION ALL SELECT balance FROM bank.accounts2) x").await.unwrap();
    assert_eq!(sum, (2 * ACCOUNTS * BALANCE).to_string(), "no money is made or lost");
    let (lines, entries): (u64, u64) =
        feed.down.one("SELECT COUNT(*), COUNT(DISTINCT entry) FROM bank.journal").await.unwrap();
    assert_eq!(lines, entries, "each line of the journal is there once");
    println!(
        "bank, {what}: killed {} times, {lines} transfers ({} lost to conflicts), {rows} rows equal, sum kept, journal exact",
        kills(),
        bank.lost.load(Ordering::Relaxed)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_once_over_kills() {
    bank(&[], json!({"force_replicate": true}), "two-phase commit").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_once_over_kills_with_async_commit() {
    bank(&["--async-commit"], json!({"force_replicate": true}), "async commit and one-phase commit").await;
}
