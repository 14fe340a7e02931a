//! Every column type at its boundaries, and what PostgreSQL cannot hold.

use crate::Rig;
use crate::statements::types::{BYTES, BYTES_THEN, INTEGERS, INTEGERS_THEN, MIXED, MIXED_THEN, NUMBERS, NUMBERS_THEN};
use tg_sql::Cell;

/// Runs `before`, compares, runs `after`, compares.
async fn check(db: &str, before: &[&str], after: &[&str]) {
    let rig = Rig::shared();
    let mut feed = rig.feed(db, "").await;
    feed.up.all(before).await.unwrap();
    rig.verify(&mut feed, "after inserts").await;
    feed.up.all(after).await.unwrap();
    rig.verify(&mut feed, "after updates and deletes").await;
    rig.remove(&feed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers() {
    let before = &[
        "CREATE TABLE keys_of_two (a SMALLINT, b VARCHAR(20), c DECIMAL(8,2), v INT, PRIMARY KEY (a, b, c))",
        "INSERT INTO keys_of_two VALUES (-32768, 'it''s', -1.50, 1), (1, '', 0, 2), (2, 'x', 9.99, 3)",
        "CREATE TABLE keyless (a SMALLINT, b DOUBLE, c VARCHAR(9), d JSON, e DATETIME(3), f VECTOR(2), g DECIMAL(9,3), \
         h TIME(2), i BIT(5), j ENUM('x','y'), k VARBINARY(5))",
        "INSERT INTO keyless VALUES (-1, 0.1, 'a', '[1, {\"b\": 2}]', '2024-01-02 03:04:05.678', '[1,2.5]', 1.5, \
         '-01:02:03.45', b'101', 'y', 0x00ff), (NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)",
        "INSERT INTO keyless SELECT * FROM keyless",
    ];
    let then = &[
        "UPDATE keys_of_two SET b = 'moved' WHERE a = -32768",
        "DELETE FROM keys_of_two WHERE a IN (1, 2)",
        "DELETE FROM keyless WHERE a IS NULL LIMIT 1",
        "UPDATE keyless SET c = 'b' WHERE a = -1 LIMIT 1",
        "DELETE FROM keyless WHERE c = 'a'",
        "UPDATE ints SET id = 40 WHERE id = 1",
    ];
    check("p_numbers", &[INTEGERS, NUMBERS, before].concat(), &[INTEGERS_THEN, NUMBERS_THEN, then].concat()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_times_and_the_rest() {
    let before = &[
        "CREATE TABLE strs (id INT PRIMARY KEY, a CHAR(10), b VARCHAR(100), c TINYTEXT, d TEXT, e MEDIUMTEXT, \
         f LONGTEXT, g VARCHAR(50) CHARACTER SET latin1 COLLATE latin1_bin, \
         h VARCHAR(50) CHARACTER SET gbk COLLATE gbk_chinese_ci, j VARCHAR(50) COLLATE utf8mb4_unicode_ci)",
        "INSERT INTO strs VALUES (1, '', '', '', '', '', '', '', '', ''), \
         (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
         (3, 'äöü€😀', 'it''s \\\\ \\\"quoted\\\" \\n \\t \\Z % _', 'a$tidegate$b', 'line\\r\\nline', '`x`', '-- x /* y */ ; z', \
          'latin', '汉字', 'ǅ ﬀ'), \
         (4, 'trail   ', 'trail   ', '  lead', 'x', 'y', 'z', 'w ', '中文 ', '😀😀')",
        "INSERT INTO strs (id, d, e, f) VALUES (5, REPEAT('x', 65535), REPEAT('é', 70000), REPEAT('long', 100000))",
        "CREATE TABLE times (id INT PRIMARY KEY, a DATE, b DATETIME, c DATETIME(3), d DATETIME(6), \
         e TIMESTAMP NULL, f TIMESTAMP(6) NULL, g TIME, h TIME(3), i TIME(6))",
        "INSERT INTO times VALUES \
         (1, '1000-01-01', '1000-01-01 00:00:00', '1000-01-01 00:00:00', '1000-01-01 00:00:00', \
          '1970-01-01 00:00:01', '1970-01-01 00:00:01.000001', '-838:59:59', '-838:59:59', '-838:59:59'), \
         (2, '9999-12-31', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.999999', \
          '2038-01-19 03:14:07', '2038-01-19 03:14:07.999999', '838:59:59', '838:59:59', '838:59:59'), \
         (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
         (4, '2024-02-29', '2024-02-28 01:02:03', '1000-01-01 00:00:00.001', '2024-02-29 12:00:00.000001', \
          '2024-03-31 02:30:00', '2024-10-27 02:30:00.5', '00:00:00', '-00:00:00.001', '-00:00:00.000001')",
        "SET time_zone = 'America/New_York'",
        "INSERT INTO times (id, e, f) VALUES (6, '2024-03-10 01:59:59', '2024-11-03 01:30:00')",
        "SET time_zone = '+00:00'",
        "CREATE TABLE gen (id INT PRIMARY KEY, a INT, s INT AS (a * 2) STORED, v INT AS (a + 1) VIRTUAL)",
        "INSERT INTO gen (id, a) VALUES (1, 5), (2, NULL)",
        "CREATE TABLE uniq (id INT PRIMARY KEY, u VARCHAR(9) UNIQUE, w INT, UNIQUE KEY (w, u))",
        "INSERT INTO uniq VALUES (1, 'a', 1), (2, 'b', 2), (3, NULL, 3), (4, NULL, 3)",
    ];
    let then = &[
        "UPDATE strs SET b = CONCAT(b, '!'), h = '改' WHERE id = 3",
        "UPDATE strs SET a = NULL, d = 'short' WHERE id IN (4, 5)",
        "DELETE FROM strs WHERE id = 1",
        "UPDATE times SET e = '2001-02-03 04:05:06', g = '-00:00:01' WHERE id = 1",
        "UPDATE gen SET a = a + 1",
        "BEGIN",
        "UPDATE uniq SET u = 'tmp' WHERE id = 1",
        "UPDATE uniq SET u = 'a' WHERE id = 2",
        "UPDATE uniq SET u = 'b' WHERE id = 1",
        "DELETE FROM uniq WHERE id = 3",
        "COMMIT",
        "UPDATE uniq SET id = 20 WHERE id = 2",
    ];
    check("p_texts", &[BYTES, MIXED, before].concat(), &[BYTES_THEN, MIXED_THEN, then].concat()).await;
}

async fn ids(feed: &mut crate::Feed, table: &str) -> String {
    let query = format!("SELECT coalesce(string_agg(id::text,',' ORDER BY id),'') FROM {}.{table}", feed.db);
    match feed.down.query(&query, 1).await.unwrap().rows[0][0].clone() {
        Cell::Text(ids) => ids,
        other => panic!("{other:?}"),
    }
}

async fn caught_up(rig: &Rig, feed: &mut crate::Feed) {
    let now = feed.up.now_ts().await.unwrap();
    rig.tidegate.api().wait_checkpoint(&feed.db, now, tg_testkit::CATCH_UP).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_held_is_put_aside_and_the_rest_goes_on() {
    let rig = Rig::shared();
    let mut feed = rig.feed("p_aside", "").await;
    feed.up
        .all(&[
            "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(20), d DATE, j JSON)",
            "INSERT INTO t VALUES (1, 'fine', '2024-01-01', '{}'), (2, 'a\\0b', NULL, NULL), (3, 'x', '0000-00-00', NULL), \
             (4, 'x', '2024-00-10', NULL), (5, 'x', NULL, '\"\\\\u0000\"'), (6, 'fine', NULL, NULL)",
        ])
        .await
        .unwrap();
    caught_up(&rig, &mut feed).await;
    assert_eq!(ids(&mut feed, "t").await, "1,6");
    feed.up.run("UPDATE t SET s = 'y', d = NULL, j = NULL WHERE id > 1").await.unwrap();
    rig.verify(&mut feed, "after the rows were repaired").await;
    rig.remove(&feed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dates_that_do_not_exist_become_null_where_that_is_wanted() {
    let rig = Rig::shared();
    let mut feed = rig.feed("p_zero", "&zero-dates=null&bit-type=bit").await;
    feed.up
        .all(&[
            "CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL, b BIT(4))",
            "INSERT INTO t VALUES (1, '0000-00-00', b'101'), (2, '2024-01-01', NULL)",
            "ALTER TABLE t ADD COLUMN e DATETIME NOT NULL",
        ])
        .await
        .unwrap();
    caught_up(&rig, &mut feed).await;
    let query = "SELECT d IS NULL AND e IS NULL,b::text FROM p_zero.t ORDER BY id";
    let rows = feed.down.query(query, 9).await.unwrap().rows;
    assert_eq!(rows, [[Cell::Int(1), Cell::Text("0101".into())], [Cell::Int(0), Cell::Null]]);
    rig.remove(&feed).await;
}
