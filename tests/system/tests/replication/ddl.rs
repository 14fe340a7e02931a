//! DDL between writes.

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
    check(
        "d_columns",
        &[
            "CREATE TABLE a (id INT PRIMARY KEY, v INT DEFAULT 5)",
            "INSERT INTO a (id) VALUES (1), (2)",
            "ALTER TABLE a ADD COLUMN s VARCHAR(20) NOT NULL DEFAULT 'dflt'",
            "ALTER TABLE a ADD COLUMN dt DATETIME DEFAULT '2020-01-01 00:00:00', ADD COLUMN n DECIMAL(8,2) DEFAULT 1.5",
            "INSERT INTO a (id) VALUES (3)",
            "UPDATE a SET v = v + 1 WHERE id = 1",
            "ALTER TABLE a ADD COLUMN first_col INT DEFAULT 9 FIRST",
            "INSERT INTO a (id) VALUES (4)",
            "",
            "ALTER TABLE a DROP COLUMN n",
            "UPDATE a SET s = CONCAT(s, id)",
            "ALTER TABLE a MODIFY COLUMN v BIGINT",
            "INSERT INTO a (id, v) VALUES (5, 1 << 40)",
            "ALTER TABLE a MODIFY COLUMN v VARCHAR(30)",
            "INSERT INTO a (id, v) VALUES (6, 'str')",
            "",
            "ALTER TABLE a CHANGE COLUMN s s2 VARCHAR(40)",
            "ALTER TABLE a ALTER COLUMN s2 SET DEFAULT 'nd'",
            "INSERT INTO a (id, v) VALUES (7, 'q')",
            "ALTER TABLE a RENAME COLUMN s2 TO s3",
            "ALTER TABLE a MODIFY COLUMN s3 VARCHAR(50) FIRST",
            "INSERT INTO a (id, v) VALUES (8, 'q')",
            "ALTER TABLE a ADD COLUMN g INT AS (id * 2) VIRTUAL, ADD COLUMN e ENUM('p', 'q') NOT NULL DEFAULT 'q'",
            "INSERT INTO a (id, v) VALUES (9, 'r')",
            "ALTER TABLE a MODIFY COLUMN e ENUM('p', 'q', 'r')",
            "UPDATE a SET e = 'r' WHERE id > 5",
            "ALTER TABLE a COMMENT = 'it''s a comment'",
            "ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
            "ALTER TABLE a AUTO_INCREMENT = 1000",
            "DELETE FROM a WHERE id = 2",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indexes_and_constraints() {
    check(
        "d_indexes",
        &[
            "CREATE TABLE a (id INT NOT NULL, v INT, s VARCHAR(50), PRIMARY KEY (id) NONCLUSTERED)",
            "INSERT INTO a VALUES (1, 1, 'x'), (2, 2, 'y')",
            "ALTER TABLE a ADD INDEX iv (v)",
            "ALTER TABLE a ADD UNIQUE INDEX us (s, id)",
            "CREATE INDEX ip ON a (s(3))",
            "INSERT INTO a VALUES (3, 3, 'z')",
            "ALTER TABLE a RENAME INDEX us TO us2",
            "ALTER TABLE a DROP INDEX iv",
            "ALTER TABLE a DROP PRIMARY KEY",
            "UPDATE a SET v = v + 1",
            "",
            "ALTER TABLE a ADD PRIMARY KEY (id) NONCLUSTERED",
            "INSERT INTO a VALUES (4, 4, 'w')",
            "ALTER TABLE a ADD COLUMN c1 INT, ADD COLUMN c2 INT, DROP COLUMN v, ADD INDEX (id)",
            "INSERT INTO a VALUES (5, 's', 5, 5)",
            "CREATE TABLE fk1 (id INT PRIMARY KEY)",
            "CREATE TABLE fk2 (id INT PRIMARY KEY, p INT, CONSTRAINT f FOREIGN KEY (p) REFERENCES fk1 (id))",
            "INSERT INTO fk1 VALUES (1), (2)",
            "INSERT INTO fk2 VALUES (1, 1), (2, 2)",
            "ALTER TABLE fk2 DROP FOREIGN KEY f",
            "DELETE FROM fk1 WHERE id = 2",
            "CREATE TABLE ck (id INT PRIMARY KEY, v INT, CHECK (v > 0))",
            "INSERT INTO ck VALUES (1, 1)",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_and_views() {
    check(
        "d_tables",
        &[
            "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(10))",
            "INSERT INTO a VALUES (1, 'a1'), (2, 'a2')",
            "CREATE TABLE b LIKE a",
            "INSERT INTO b SELECT * FROM a",
            "RENAME TABLE a TO a1",
            "INSERT INTO a1 VALUES (9, 'n')",
            "RENAME TABLE a1 TO tmp, b TO a1, tmp TO b",
            "INSERT INTO a1 VALUES (100, 'x')",
            "INSERT INTO b VALUES (101, 'y')",
            "",
            "TRUNCATE TABLE b",
            "INSERT INTO b VALUES (1, 'after')",
            "CREATE TABLE IF NOT EXISTS a1 (id INT)",
            "DROP TABLE b",
            "CREATE TABLE b (id INT PRIMARY KEY, other DATE)",
            "INSERT INTO b VALUES (1, '2024-01-01')",
            "DROP TABLE IF EXISTS b, missing",
            "CREATE VIEW vw AS SELECT id FROM a1",
            "UPDATE a1 SET v = 'view' WHERE id = 1",
            "CREATE OR REPLACE VIEW vw AS SELECT id, v FROM a1",
            "DROP VIEW vw",
            "CREATE TABLE `od``d` (`se``lect` INT PRIMARY KEY, `from` INT)",
            "INSERT INTO `od``d` VALUES (1, 2)",
            "DROP TABLE `od``d`",
            "ALTER DATABASE d_tables CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "CREATE TABLE last (id INT PRIMARY KEY)",
            "INSERT INTO last VALUES (1)",
        ],
    )
    .await;
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
