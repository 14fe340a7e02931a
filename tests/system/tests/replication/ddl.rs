//! DDL between writes.

use crate::statements::ddl::{COLUMNS_ADDED, COLUMNS_CHANGED, INDEXES, TABLES};
use crate::verify;
use serde_json::json;
use tg_testkit::Rig;

/// Runs the statements; compares at each empty one and at the end.
async fn check(db: &str, statements: &[&str]) {
    let rig = Rig::shared().unwrap();
    let mut feed = rig.feed(db, json!({"force_replicate": true})).await.unwrap();
    for statement in statements {
        if statement.is_empty() {
            verify(&mut feed, "between").await;
        } else {
            feed.up.run(statement).await.unwrap();
        }
    }
    verify(&mut feed, &format!("after {} statements", statements.len())).await;
    rig.tidegate.api().remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns() {
    check("d_columns", &[COLUMNS_ADDED, COLUMNS_CHANGED].concat()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indexes_and_constraints() {
    check("d_indexes", INDEXES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_and_views() {
    let more = &[
        "ALTER DATABASE d_tables CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "CREATE TABLE last (id INT PRIMARY KEY)",
        "INSERT INTO last VALUES (1)",
    ];
    check("d_tables", &[TABLES, more].concat()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions() {
    check(
        "d_parts",
        &[
            "CREATE TABLE p (id INT, v INT, PRIMARY KEY (id)) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (200))",
            "INSERT INTO p VALUES (1, 1), (150, 2)",
            "ALTER TABLE p ADD PARTITION (PARTITION p2 VALUES LESS THAN (300))",
            "INSERT INTO p VALUES (250, 3)",
            "ALTER TABLE p TRUNCATE PARTITION p0",
            "INSERT INTO p VALUES (2, 2)",
            "UPDATE p SET id = 251 WHERE id = 250",
            "UPDATE p SET id = 199 WHERE id = 2",
            "",
            "ALTER TABLE p DROP PARTITION p1",
            "CREATE TABLE ex (id INT, v INT, PRIMARY KEY (id))",
            "INSERT INTO ex VALUES (5, 5)",
            "INSERT INTO p VALUES (7, 7)",
            "ALTER TABLE p EXCHANGE PARTITION p0 WITH TABLE ex",
            "INSERT INTO p VALUES (6, 6)",
            "INSERT INTO ex VALUES (160, 7)",
            "",
            "ALTER TABLE p REORGANIZE PARTITION p2 INTO (PARTITION p2a VALUES LESS THAN (260), PARTITION p2b VALUES LESS THAN (300))",
            "INSERT INTO p VALUES (270, 8)",
            "ALTER TABLE p REMOVE PARTITIONING",
            "INSERT INTO p VALUES (1000, 9)",
            "ALTER TABLE p PARTITION BY HASH (id) PARTITIONS 3",
            "INSERT INTO p VALUES (1001, 10)",
            "UPDATE p SET v = v + 100",
        ],
    )
    .await;
}

/// What only TiDB has is left out without stopping anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_only_tidb_knows() {
    check(
        "d_tidb",
        &[
            "CREATE TABLE ar (id BIGINT PRIMARY KEY AUTO_RANDOM, v INT)",
            "INSERT INTO ar (v) VALUES (1), (2), (3)",
            "CREATE SEQUENCE sq",
            "ALTER SEQUENCE sq INCREMENT BY 2",
            "DROP SEQUENCE sq",
            "CREATE TABLE ttl (id INT PRIMARY KEY, ts DATETIME) TTL = ts + INTERVAL 1 DAY",
            "ALTER TABLE ttl TTL_ENABLE = 'OFF'",
            "ALTER TABLE ttl REMOVE TTL",
            "INSERT INTO ttl VALUES (1, '2024-01-01')",
            "CREATE TABLE sh (a INT) SHARD_ROW_ID_BITS = 2 PRE_SPLIT_REGIONS = 1",
            "INSERT INTO sh VALUES (1), (2)",
            "ALTER TABLE sh SHARD_ROW_ID_BITS = 3",
            "CREATE TABLE ca (id INT PRIMARY KEY) AUTO_ID_CACHE 50",
            "ALTER TABLE ca AUTO_ID_CACHE 100",
            "ALTER TABLE ca CACHE",
            "ALTER TABLE ca NOCACHE",
            "INSERT INTO ca VALUES (1)",
            "CREATE TABLE iv (id INT PRIMARY KEY, v INT, INDEX ix (v))",
            "ALTER TABLE iv ALTER INDEX ix INVISIBLE",
            "CREATE GLOBAL TEMPORARY TABLE gt (id INT) ON COMMIT DELETE ROWS",
            "DROP TABLE gt",
            "INSERT INTO iv VALUES (1, 1)",
        ],
    )
    .await;
}
