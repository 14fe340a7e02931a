//! Every shape of key: rows are found again when they change, also when the key changes.

use crate::check;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clustered_keys() {
    check(
        "k_clustered",
        &[
            "CREATE TABLE i (id BIGINT PRIMARY KEY, v INT)",
            "INSERT INTO i VALUES (-9223372036854775808, 1), (-1, 2), (0, 3), (9223372036854775807, 4)",
            "CREATE TABLE u (id BIGINT UNSIGNED PRIMARY KEY, v INT)",
            "INSERT INTO u VALUES (0, 1), (9223372036854775808, 2), (18446744073709551615, 3)",
            "CREATE TABLE c (a INT, b VARCHAR(20), c DATETIME(3), v INT, PRIMARY KEY (a, b, c) CLUSTERED)",
            "INSERT INTO c VALUES (1, 'x', '2024-01-01', 1), (1, 'y', '2024-01-01', 2), (1, '', '2024-01-01 00:00:00.001', 3), (2, 'a\\0b', '2024-01-01', 4)",
            "CREATE TABLE s (id VARCHAR(50) COLLATE utf8mb4_general_ci PRIMARY KEY CLUSTERED, v INT)",
            "INSERT INTO s VALUES ('a', 1), ('Bär', 2), ('ß', 3), ('it''s', 4), ('', 5)",
            "CREATE TABLE b (id VARBINARY(40) PRIMARY KEY CLUSTERED, v INT)",
            "INSERT INTO b VALUES (0x00, 1), (0xff00ff, 2), ('plain', 3)",
            "CREATE TABLE d (id DECIMAL(20,5) PRIMARY KEY CLUSTERED, v INT)",
            "INSERT INTO d VALUES (-1.5, 1), (0, 2), (123456789012345.12345, 3)",
            "CREATE TABLE p (id VARCHAR(100), v INT, PRIMARY KEY (id(3)) CLUSTERED)",
            "INSERT INTO p VALUES ('abcdef', 1), ('abdxxx', 2)",
        ],
        &[
            "UPDATE i SET v = v + 10",
            "UPDATE i SET id = 5 WHERE id = -1",
            "DELETE FROM i WHERE id = 0",
            "UPDATE u SET id = 7 WHERE id = 18446744073709551615",
            "UPDATE u SET v = 9 WHERE id = 9223372036854775808",
            "UPDATE c SET b = 'z' WHERE b = 'x'",
            "UPDATE c SET a = a + 10, v = v * 2 WHERE a = 1",
            "DELETE FROM c WHERE a = 2",
            "UPDATE s SET id = 'A', v = 11 WHERE id = 'a'",
            "UPDATE s SET id = 'bar2' WHERE id = 'Bär'",
            "DELETE FROM s WHERE id = 'it''s'",
            "UPDATE b SET id = 0x0000 WHERE id = 0x00",
            "UPDATE b SET v = 22 WHERE id = 0xff00ff",
            "UPDATE d SET id = id + 1, v = v + 1",
            "UPDATE p SET id = 'abcxyz', v = 3 WHERE v = 1",
            "DELETE FROM p WHERE v = 2",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_keys() {
    check(
        "k_other",
        &[
            "CREATE TABLE n (id VARCHAR(20), v INT, w INT, PRIMARY KEY (id) NONCLUSTERED, UNIQUE KEY (w))",
            "INSERT INTO n VALUES ('a', 1, 1), ('b', 2, 2), ('c', 3, NULL), ('d', 4, NULL)",
            "CREATE TABLE u (a INT NOT NULL, b VARCHAR(10) NOT NULL, v INT, UNIQUE KEY (a, b))",
            "INSERT INTO u VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3)",
            "CREATE TABLE un (a INT, v INT, UNIQUE KEY (a))",
            "INSERT INTO un VALUES (1, 1), (NULL, 2), (NULL, 2), (3, 3)",
            "CREATE TABLE nk (a INT, b VARCHAR(20), c DOUBLE, d JSON, e BLOB)",
            "INSERT INTO nk VALUES (1, 'x', 0.1, '{\"a\": 1}', 0x00ff), (1, 'x', 0.1, '{\"a\": 1}', 0x00ff), (2, NULL, NULL, NULL, NULL), (2, NULL, NULL, NULL, NULL)",
            "CREATE TABLE nk2 (a INT, b VARCHAR(20))",
            "INSERT INTO nk2 VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL), (NULL, NULL), (3, 'z')",
        ],
        &[
            "UPDATE n SET id = 'z' WHERE id = 'a'",
            "BEGIN",
            "UPDATE n SET w = 100 WHERE id = 'z'",
            "UPDATE n SET w = 1 WHERE id = 'b'",
            "UPDATE n SET w = 2 WHERE id = 'z'",
            "COMMIT",
            "UPDATE u SET b = 'q' WHERE a = 1 AND b = 'x'",
            "BEGIN",
            "UPDATE u SET a = 50 WHERE a = 2",
            "UPDATE u SET a = 2, b = 'x' WHERE b = 'y'",
            "UPDATE u SET a = 1, b = 'y' WHERE a = 50",
            "COMMIT",
            "UPDATE un SET v = v + 1",
            "UPDATE un SET a = 9 WHERE a = 1",
            "DELETE FROM un WHERE a IS NULL LIMIT 1",
            "DELETE FROM nk2 WHERE a = 1 LIMIT 1",
            "UPDATE nk2 SET b = 'y' WHERE a = 1 LIMIT 1",
            "DELETE FROM nk2 WHERE a IS NULL LIMIT 1",
            "INSERT INTO nk2 SELECT * FROM nk2",
            "UPDATE nk SET c = 0.2 WHERE a = 1 LIMIT 1",
            "DELETE FROM nk WHERE a = 2 LIMIT 1",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_and_generated_columns() {
    check(
        "k_parts",
        &[
            "CREATE TABLE r (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (200), PARTITION p2 VALUES LESS THAN MAXVALUE)",
            "INSERT INTO r VALUES (1, 1), (99, 2), (100, 3), (199, 4), (5000, 5)",
            "CREATE TABLE h (id INT PRIMARY KEY, v INT) PARTITION BY HASH (id) PARTITIONS 4",
            "INSERT INTO h VALUES (0, 0), (1, 1), (2, 2), (3, 3), (4, 4)",
            "CREATE TABLE l (id INT, g INT, PRIMARY KEY (id, g)) PARTITION BY LIST (g) (PARTITION a VALUES IN (1, 2), PARTITION b VALUES IN (3))",
            "INSERT INTO l VALUES (1, 1), (2, 2), (3, 3)",
            "CREATE TABLE k (id VARCHAR(10) PRIMARY KEY, v INT) PARTITION BY KEY (id) PARTITIONS 3",
            "INSERT INTO k VALUES ('a', 1), ('b', 2), ('c', 3)",
            "CREATE TABLE g (id INT PRIMARY KEY, a INT, s INT AS (a * 2) STORED, w INT AS (a + 1) VIRTUAL, j JSON, jn VARCHAR(20) AS (JSON_UNQUOTE(JSON_EXTRACT(j, '$.n'))) STORED, UNIQUE KEY (s))",
            "INSERT INTO g (id, a, j) VALUES (1, 1, '{\"n\": \"one\"}'), (2, 2, '{\"n\": \"two\"}'), (3, NULL, NULL)",
        ],
        &[
            "UPDATE r SET id = 150 WHERE id = 1",
            "UPDATE r SET id = id + 101 WHERE id IN (99, 5000)",
            "DELETE FROM r WHERE id = 100",
            "UPDATE h SET id = id + 10, v = v + 1",
            "UPDATE l SET g = 3 WHERE id = 1",
            "UPDATE k SET id = 'zz' WHERE id = 'a'",
            "UPDATE g SET a = a + 10, j = '{\"n\": \"x\"}' WHERE id < 3",
            "UPDATE g SET id = 30, a = 1 WHERE id = 3",
            "DELETE FROM g WHERE id = 2",
        ],
    )
    .await;
}
