//! A real TiDB engine, the product, a real PostgreSQL: after what each test did upstream, every value of every table is equal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod compare;
mod ddl;
mod kills;
#[path = "../statements/mod.rs"]
mod statements;
mod types;

use serde_json::{Value, json};
use std::sync::{Arc, Mutex, Weak};
use tempfile::TempDir;
use tg_postgres::{PostgresConnection, PostgresEndpoint, PostgresTarget};
use tg_test_servers::Postgres;
use tg_testkit::{CATCH_UP, Sql, Tidegate, UpstreamTidb};

struct Rig {
    tidegate: Tidegate,
    upstream: UpstreamTidb,
    downstream: Postgres,
    _folder: TempDir,
}

/// A changefeed of one database.
struct Feed {
    db: String,
    up: Sql,
    down: PostgresConnection,
}

static SHARED: Mutex<Weak<Rig>> = Mutex::new(Weak::new());

impl Rig {
    fn start() -> Self {
        let folder = TempDir::with_prefix("tidegate-system-").unwrap();
        let downstream = Postgres::start_with(&["max_connections=500"]).unwrap();
        let upstream = UpstreamTidb::start().unwrap();
        let tidegate = Tidegate::start(&upstream.pd(), folder.path()).unwrap();
        Self { tidegate, upstream, downstream, _folder: folder }
    }

    fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap();
        if let Some(rig) = shared.upgrade() {
            return rig;
        }
        let rig = Arc::new(Self::start());
        *shared = Arc::downgrade(&rig);
        rig
    }

    /// Makes a database upstream, and a changefeed of it; `more` goes behind the sink URI.
    async fn feed(&self, db: &str, more: &str) -> Feed {
        self.feed_with(db, more, json!({})).await
    }

    /// The same with a configuration, whose filter is set here.
    async fn feed_with(&self, db: &str, more: &str, mut config: Value) -> Feed {
        config["force_replicate"] = json!(true);
        config["filter"] = json!({"rules": [format!("{db}.*")]});
        let mut up = Sql::connect(&self.upstream.url()).await.unwrap();
        let start_ts = up.now_ts().await.unwrap();
        up.all(&[&format!("CREATE DATABASE {db}"), &format!("USE {db}"), "SET sql_mode = ''"]).await.unwrap();
        let body = json!({
            "changefeed_id": db,
            "start_ts": start_ts,
            "sink_uri": format!("{}{more}", self.downstream.url()),
            "replica_config": config,
        });
        self.tidegate.api().create(&body).await.unwrap_or_else(|e| panic!("{e:#}\n{}", self.tidegate.log_tail()));
        let target = PostgresTarget { port: self.downstream.port(), ..PostgresTarget::default() };
        let down = PostgresEndpoint::connect(target).await.unwrap().open(None).await.unwrap();
        Feed { db: db.to_owned(), up, down }
    }

    /// Waits until everything committed upstream is downstream, and compares; returns tables and rows.
    async fn verify(&self, feed: &mut Feed, what: &str) -> (usize, usize) {
        let now = feed.up.now_ts().await.unwrap();
        let caught = self.tidegate.api().wait_checkpoint(&feed.db, now, CATCH_UP).await;
        caught.unwrap_or_else(|e| panic!("{what}: {e:#}\n{}", self.tidegate.log_tail()));
        let (tables, rows, differences) = compare::compare(&mut feed.up, &mut feed.down, &feed.db).await;
        assert!(differences.is_empty(), "{}: {what}: they differ:\n{}", feed.db, differences.join("\n"));
        println!("{}: {what}: {tables} tables with {rows} rows are equal", feed.db);
        (tables, rows)
    }

    async fn remove(&self, feed: &Feed) {
        self.tidegate.api().remove(&feed.db).await.unwrap();
    }
}
