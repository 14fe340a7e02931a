//! DDL between writes.

use crate::Rig;
use crate::statements::ddl::{COLUMNS_ADDED, COLUMNS_CHANGED, INDEXES, TABLES};

/// Runs the statements; compares at each empty one and at the end.
async fn check(db: &str, statements: &[&str]) {
    let rig = Rig::shared();
    let mut feed = rig.feed(db, "").await;
    for statement in statements {
        if statement.is_empty() {
            rig.verify(&mut feed, "between").await;
        } else {
            feed.up.run(statement).await.unwrap();
        }
    }
    rig.verify(&mut feed, &format!("after {} statements", statements.len())).await;
    rig.remove(&feed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns() {
    let not_null = &["ALTER TABLE a ADD COLUMN nn INT NOT NULL", "ALTER TABLE a ADD COLUMN ns VARCHAR(5) NOT NULL"];
    check("p_columns", &[COLUMNS_ADDED, not_null, COLUMNS_CHANGED].concat()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_change_their_type_and_name_at_once() {
    check(
        "p_change",
        &[
            "CREATE TABLE a (id INT PRIMARY KEY, v INT, w DECIMAL(10,2), b BLOB)",
            "INSERT INTO a VALUES (1, 10, 1.25, 'x'), (2, NULL, -2.50, NULL)",
            "ALTER TABLE a CHANGE COLUMN v v2 VARCHAR(20)",
            "ALTER TABLE a MODIFY COLUMN w INT",
            "INSERT INTO a VALUES (3, 'text', 7, 'y')",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indexes_and_constraints() {
    check("p_indexes", INDEXES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_and_views() {
    let more = &[
        "ALTER DATABASE p_tables CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "CREATE TABLE parts (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (200))",
        "INSERT INTO parts VALUES (1, 1), (150, 2)",
        "ALTER TABLE parts ADD PARTITION (PARTITION p2 VALUES LESS THAN (300))",
        "INSERT INTO parts VALUES (250, 3)",
        "UPDATE parts SET id = 251 WHERE id = 1",
        "CREATE TABLE last (id INT PRIMARY KEY)",
        "INSERT INTO last VALUES (1)",
    ];
    check("p_tables", &[TABLES, more].concat()).await;
}
