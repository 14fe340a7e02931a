//! A real TiDB engine, the product, a real MariaDB: after what each test did upstream, every table is equal.
//! All tests share the three servers; each has a database and a changefeed of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod ddl;
mod keys;
mod lifecycle;
#[path = "../statements/mod.rs"]
mod statements;
mod tap;
mod transactions;
mod types;

use serde_json::json;
use tg_testkit::{Feed, Rig};

/// Compares and says so in a line.
async fn verify(feed: &mut Feed, what: &str) {
    let (tables, rows) = feed.verify().await.unwrap_or_else(|e| panic!("{what}: {e:#}"));
    println!("{}: {what}: {tables} tables with {rows} rows are equal", feed.db);
}

/// Runs `before`, compares, runs `after`, compares.
async fn check(db: &str, before: &[&str], after: &[&str]) {
    let rig = Rig::shared().unwrap();
    let mut feed = rig.feed(db, json!({"force_replicate": true})).await.unwrap();
    // Zero dates and the like are allowed by a sql_mode without the strict bits only.
    feed.up.run("SET sql_mode = ''").await.unwrap();
    feed.up.all(before).await.unwrap();
    verify(&mut feed, "after inserts").await;
    feed.up.all(after).await.unwrap();
    verify(&mut feed, "after updates and deletes").await;
    rig.tidegate.api().remove(db).await.unwrap();
}
