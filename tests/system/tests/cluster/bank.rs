//! A bank that works while nodes come and go: money is moved between two tables, each transfer has one line in a journal.

use crate::rig::Cluster;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tg_testkit::{Sql, compare};
use tokio::task::JoinHandle;

const ACCOUNTS: u64 = 40;
const BALANCE: u64 = 1_000;
const WRITERS: u64 = 2;
/// Between two transfers of one writer: the machine is to have time for what is tested.
const PAUSE: Duration = Duration::from_millis(4);

/// A changefeed of one database with transfers going on.
pub(crate) struct Bank {
    pub(crate) db: String,
    work: Arc<Work>,
    writers: Vec<JoinHandle<()>>,
}

struct Work {
    url: String,
    db: String,
    stop: AtomicBool,
    entries: AtomicU64,
}

impl Work {
    async fn transfer(self: Arc<Self>, writer: u64) {
        let mut rng = StdRng::seed_from_u64(writer);
        let mut sql = Sql::connect(&self.url).await.unwrap();
        sql.run(&format!("USE {}", self.db)).await.unwrap();
        while !self.stop.load(Ordering::Relaxed) {
            let (from, to, amount) =
                (rng.random_range(0..ACCOUNTS), rng.random_range(0..ACCOUNTS), rng.random_range(1..20));
            let entry = self.entries.fetch_add(1, Ordering::Relaxed);
            let statements = [
                "BEGIN PESSIMISTIC".to_owned(),
                format!("UPDATE accounts SET balance = balance - {amount} WHERE id = {from}"),
                format!("UPDATE accounts2 SET balance = balance + {amount} WHERE id = {to}"),
                format!("INSERT INTO journal VALUES ({entry}, {from}, {to}, {amount})"),
                "COMMIT".to_owned(),
            ];
            for statement in statements {
                if sql.run(&statement).await.is_err() {
                    let _ = sql.run("ROLLBACK").await;
                    break;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Bank {
    /// Opens a bank in a database of its own, with a changefeed that was created at one of the nodes.
    pub(crate) async fn open(cluster: &Cluster, db: &str, node: usize) -> Self {
        Self::open_with(cluster, (db, node), json!({})).await
    }

    /// The same with options of ours.
    pub(crate) async fn open_with(cluster: &Cluster, (db, node): (&str, usize), own: Value) -> Self {
        let mut up = Sql::connect(&cluster.upstream.url()).await.unwrap();
        let start_ts = up.now_ts().await.unwrap();
        up.run(&format!("CREATE DATABASE {db}")).await.unwrap();
        up.run(&format!("USE {db}")).await.unwrap();
        let config = json!({"force_replicate": true, "filter": {"rules": [format!("{db}.*")]}, "tidegate": own});
        let body = json!({
            "changefeed_id": db, "start_ts": start_ts, "sink_uri": cluster.downstream.url(), "replica_config": config,
        });
        cluster.api(node).create(&body).await.unwrap_or_else(|e| panic!("{e:#}\n{}", cluster.logs()));
        for table in ["accounts", "accounts2"] {
            up.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY, balance BIGINT)")).await.unwrap();
            let rows: Vec<String> = (0..ACCOUNTS).map(|id| format!("({id}, {BALANCE})")).collect();
            up.run(&format!("INSERT INTO {table} VALUES {}", rows.join(","))).await.unwrap();
        }
        up.run("CREATE TABLE journal (entry BIGINT, a INT, b INT, amount INT)").await.unwrap();
        let work = Work {
            url: cluster.upstream.url(),
            db: db.to_owned(),
            stop: AtomicBool::new(false),
            entries: AtomicU64::new(0),
        };
        let work = Arc::new(work);
        let writers = (0..WRITERS).map(|w| tokio::spawn(Arc::clone(&work).transfer(w))).collect();
        Self { db: db.to_owned(), work, writers }
    }

    /// Ends the work, waits until all of it is downstream, and compares: money, journal, every row.
    pub(crate) async fn close(self, cluster: &Cluster) -> u64 {
        self.work.stop.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.await.unwrap();
        }
        let db = self.db;
        cluster.catch_up(&db).await;
        let found = compare(&cluster.upstream.url(), &cluster.downstream.url(), &[&db]).await.unwrap();
        assert!(found.differences.is_empty(), "{}\n{}", found.differences.join("\n"), cluster.logs());
        let mut down = Sql::connect(&cluster.downstream.url()).await.unwrap();
        let sum: String = down
            .one(&format!(
                "SELECT CAST(SUM(b) AS CHAR) FROM (SELECT balance b FROM {db}.accounts UNION ALL SELECT balance FROM {db}.accounts2) x"
            ))
            .await
            .unwrap();
        assert_eq!(sum, (2 * ACCOUNTS * BALANCE).to_string(), "no money is made or lost");
        let (lines, entries): (u64, u64) =
            down.one(&format!("SELECT COUNT(*), COUNT(DISTINCT entry) FROM {db}.journal")).await.unwrap();
        assert_eq!(lines, entries, "each line of the journal is there once");
        lines
    }
}
