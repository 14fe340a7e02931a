//! Transactions of every size, conflicts, splits.

use crate::verify;
use serde_json::json;
use tg_testkit::{Rig, Sql};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_tables_and_rollbacks() {
    let rig = Rig::shared().unwrap();
    let mut feed = rig.feed("x_multi", json!({})).await.unwrap();
    let statements = [
        "CREATE TABLE a (id INT PRIMARY KEY, v INT, UNIQUE KEY (v))",
        "CREATE TABLE b (id INT PRIMARY KEY, v INT)",
        "BEGIN",
        "INSERT INTO a VALUES (1, 1), (2, 2), (3, 3)",
        "INSERT INTO b SELECT * FROM a",
        "UPDATE a SET v = v + 10",
        "DELETE FROM b WHERE id = 2",
        "COMMIT",
        "BEGIN",
        "INSERT INTO a VALUES (100, 100)",
        "DELETE FROM b",
        "ROLLBACK",
        "BEGIN OPTIMISTIC",
        "DELETE FROM a WHERE id = 1",
        "INSERT INTO a VALUES (1, 50)",
        "INSERT INTO b VALUES (50, 50)",
        "DELETE FROM b WHERE id = 50",
        "COMMIT",
        "BEGIN PESSIMISTIC",
        "SELECT * FROM a WHERE id = 2 FOR UPDATE",
        "SAVEPOINT s",
        "UPDATE a SET v = 77 WHERE id = 2",
        "ROLLBACK TO SAVEPOINT s",
        "UPDATE a SET v = 78 WHERE id = 3",
        "COMMIT",
        "REPLACE INTO a VALUES (3, 11), (4, 12)",
        "INSERT INTO a VALUES (4, 99) ON DUPLICATE KEY UPDATE v = 13",
    ];
    feed.up.all(&statements).await.unwrap();
    verify(&mut feed, "transactions over two tables, rollbacks, replaced rows").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_rows_in_one() {
    let rig = Rig::shared().unwrap();
    let mut feed = rig.feed("x_large", json!({})).await.unwrap();
    feed.up.run("CREATE TABLE big (id INT PRIMARY KEY, v INT, s VARCHAR(50))").await.unwrap();
    feed.up.run("BEGIN").await.unwrap();
    for part in 0..50 {
        let rows: Vec<String> =
            (0..1000).map(|n| part * 1000 + n).map(|n| format!("({n}, {}, 'row {n}')", n * 7)).collect();
        feed.up.run(&format!("INSERT INTO big VALUES {}", rows.join(","))).await.unwrap();
    }
    feed.up.run("COMMIT").await.unwrap();
    verify(&mut feed, "an insert of 50,000 rows").await;
    feed.up.run("UPDATE big SET v = v + 1, id = id + 1000000 WHERE id % 3 = 0").await.unwrap();
    feed.up.run("DELETE FROM big WHERE id % 5 = 0").await.unwrap();
    verify(&mut feed, "an update of keys and a delete").await;
}

/// One writer of many: some of its transactions lose, which is no matter.
async fn conflicting(url: String, writer: u32, mode: &str) -> u32 {
    let mut sql = Sql::connect(&url).await.unwrap();
    sql.run("USE x_conflict").await.unwrap();
    let mut lost = 0;
    for n in 0..40 {
        let id = (writer * 7 + n * 3) % 10;
        let statements = [
            format!("BEGIN {mode}"),
            format!("UPDATE c SET v = v + 1 WHERE id = {id}"),
            format!("INSERT INTO l VALUES ({writer}, {n}, {id})"),
            format!("UPDATE c SET v = v - 1 WHERE id = {}", (id + 1) % 10),
            "COMMIT".to_owned(),
        ];
        let parts: Vec<&str> = statements.iter().map(String::as_str).collect();
        if sql.all(&parts).await.is_err() {
            lost += 1;
            sql.run("ROLLBACK").await.unwrap();
        }
    }
    lost
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts() {
    let rig = Rig::shared().unwrap();
    let mut feed = rig.feed("x_conflict", json!({})).await.unwrap();
    feed.up.run("CREATE TABLE c (id INT PRIMARY KEY, v INT)").await.unwrap();
    feed.up.run("CREATE TABLE l (w INT, n INT, id INT, PRIMARY KEY (w, n))").await.unwrap();
    feed.up.run("INSERT INTO c VALUES (0,0),(1,0),(2,0),(3,0),(4,0),(5,0),(6,0),(7,0),(8,0),(9,0)").await.unwrap();
    let url = rig.upstream.url();
    let writers: Vec<_> = (0..6)
        .map(|w| tokio::spawn(conflicting(url.clone(), w, if w % 2 == 0 { "PESSIMISTIC" } else { "OPTIMISTIC" })))
        .collect();
    let mut lost = 0;
    for writer in writers {
        lost += writer.await.unwrap();
    }
    verify(&mut feed, &format!("240 transactions of 6 writers, {lost} lost to conflicts")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn splits_while_writing() {
    let rig = Rig::shared().unwrap();
    let mut feed = rig.feed("x_split", json!({})).await.unwrap();
    feed.up.run("CREATE TABLE s (id INT PRIMARY KEY, v INT)").await.unwrap();
    let url = rig.upstream.url();
    let writer = tokio::spawn(async move {
        let mut sql = Sql::connect(&url).await.unwrap();
        sql.run("USE x_split").await.unwrap();
        for n in 0..300 {
            sql.run(&format!("INSERT INTO s VALUES ({}, {n}), ({}, {n})", n * 31 % 9973, 10_000 + n)).await.unwrap();
            sql.run(&format!("UPDATE s SET v = v + 1 WHERE id = {}", n / 2 * 31 % 9973)).await.unwrap();
        }
    });
    for regions in [3, 5, 8] {
        let split = format!("SPLIT TABLE s BETWEEN (0) AND (10000) REGIONS {regions}");
        feed.up.rows::<mysql_async::Row>(&split).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    }
    writer.await.unwrap();
    verify(&mut feed, "900 writes while the table was split three times").await;
}
