//! DDL between writes.

use crate::Rig;

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
    check(
        "p_columns",
        &[
            "CREATE TABLE a (id INT PRIMARY KEY, v INT DEFAULT 5)",
            "INSERT INTO a (id) VALUES (1), (2)",
            "ALTER TABLE a ADD COLUMN s VARCHAR(20) NOT NULL DEFAULT 'dflt'",
            "ALTER TABLE a ADD COLUMN dt DATETIME DEFAULT '2020-01-01 00:00:00', ADD COLUMN n DECIMAL(8,2) DEFAULT 1.5",
            "INSERT INTO a (id) VALUES (3)",
            "UPDATE a SET v = v + 1 WHERE id = 1",
            "ALTER TABLE a ADD COLUMN first_col INT DEFAULT 9 FIRST",
            "ALTER TABLE a ADD COLUMN nn INT NOT NULL",
            "ALTER TABLE a ADD COLUMN ns VARCHAR(5) NOT NULL",
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
    check(
        "p_indexes",
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
        "p_tables",
        &[
            "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(10), KEY (v))",
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
            "ALTER TABLE b ADD INDEX again (v, id)",
            "CREATE TABLE IF NOT EXISTS a1 (id INT)",
            "DROP TABLE b",
            "CREATE TABLE b (id INT PRIMARY KEY, other DATE)",
            "INSERT INTO b VALUES (1, '2024-01-01')",
            "DROP TABLE IF EXISTS b, missing",
            "CREATE VIEW vw AS SELECT id FROM a1",
            "UPDATE a1 SET v = 'view' WHERE id = 1",
            "DROP VIEW vw",
            "CREATE TABLE `od``d\"` (`se``lect\"` INT PRIMARY KEY, `from` INT)",
            "INSERT INTO `od``d\"` VALUES (1, 2)",
            "UPDATE `od``d\"` SET `from` = 3",
            "DROP TABLE `od``d\"`",
            "ALTER DATABASE p_tables CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "CREATE TABLE parts (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (200))",
            "INSERT INTO parts VALUES (1, 1), (150, 2)",
            "ALTER TABLE parts ADD PARTITION (PARTITION p2 VALUES LESS THAN (300))",
            "INSERT INTO parts VALUES (250, 3)",
            "UPDATE parts SET id = 251 WHERE id = 1",
            "CREATE TABLE last (id INT PRIMARY KEY)",
            "INSERT INTO last VALUES (1)",
        ],
    )
    .await;
}
