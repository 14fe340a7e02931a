//! Every column type at its boundaries, and what PostgreSQL cannot hold.

use crate::Rig;
use tg_downstream::Cell;

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
    check(
        "p_numbers",
        &[
            "CREATE TABLE ints (id INT PRIMARY KEY, a TINYINT, b TINYINT UNSIGNED, c SMALLINT, d SMALLINT UNSIGNED, \
             e MEDIUMINT, f MEDIUMINT UNSIGNED, g INT, h INT UNSIGNED, i BIGINT, j BIGINT UNSIGNED, k BOOL, \
             y YEAR, z INT(6) ZEROFILL)",
            "INSERT INTO ints VALUES \
             (1, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, 0, 1901, 0), \
             (2, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, \
              18446744073709551615, 1, 2155, 999999), \
             (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
             (4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 42)",
            "CREATE TABLE bits (id INT PRIMARY KEY, a BIT(1), b BIT(8), c BIT(13), d BIT(64), e BIT)",
            "INSERT INTO bits VALUES (1, b'0', b'0', b'0', b'0', b'0'), \
             (2, b'1', b'11111111', b'1111111111111', 0xffffffffffffffff, b'1'), (3, NULL, NULL, NULL, NULL, NULL)",
            "CREATE TABLE nums (id INT PRIMARY KEY, a DECIMAL(65,30), b DECIMAL(10,0), c DECIMAL(5,2) UNSIGNED, \
             d DECIMAL(30,30), e FLOAT, f DOUBLE, g FLOAT UNSIGNED, h DECIMAL(65,0))",
            "INSERT INTO nums VALUES \
             (1, 99999999999999999999999999999999999.999999999999999999999999999999, 9999999999, 999.99, \
              0.999999999999999999999999999999, 3.402823e38, 1.7976931348623157e308, 0, \
              99999999999999999999999999999999999999999999999999999999999999999), \
             (2, -99999999999999999999999999999999999.999999999999999999999999999999, -9999999999, 0, \
              -0.000000000000000000000000000001, -1.17549435e-38, -2.2250738585072014e-308, 0.1, -1), \
             (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (4, 0, 0, 0.01, 0, 0, 0, 16777216, 0), \
             (5, 1.5, -0, 1, 0.5, 0.1, 0.1, 1e10, 10000000000), (6, 12345678.9, 7, 7.7, 0.7, 3.14159274, 1e-7, 7, 7)",
            "CREATE TABLE keys_of_two (a SMALLINT, b VARCHAR(20), c DECIMAL(8,2), v INT, PRIMARY KEY (a, b, c))",
            "INSERT INTO keys_of_two VALUES (-32768, 'it''s', -1.50, 1), (1, '', 0, 2), (2, 'x', 9.99, 3)",
            "CREATE TABLE keyless (a SMALLINT, b DOUBLE, c VARCHAR(9), d JSON, e DATETIME(3), f VECTOR(2), g DECIMAL(9,3), \
             h TIME(2), i BIT(5), j ENUM('x','y'), k VARBINARY(5))",
            "INSERT INTO keyless VALUES (-1, 0.1, 'a', '[1, {\"b\": 2}]', '2024-01-02 03:04:05.678', '[1,2.5]', 1.5, \
             '-01:02:03.45', b'101', 'y', 0x00ff), (NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)",
            "INSERT INTO keyless SELECT * FROM keyless",
        ],
        &[
            "UPDATE ints SET a = -1, b = 128, c = NULL, i = i - 1, j = 9223372036854775808 WHERE id = 2",
            "DELETE FROM ints WHERE id = 4",
            "UPDATE ints SET id = 40 WHERE id = 1",
            "UPDATE bits SET b = b'1', d = 1 WHERE id >= 2",
            "UPDATE nums SET a = -a, e = e / 2, f = f / 3 WHERE id IN (1, 2, 5, 6)",
            "DELETE FROM nums WHERE id = 4",
            "UPDATE keys_of_two SET b = 'moved' WHERE a = -32768",
            "DELETE FROM keys_of_two WHERE a IN (1, 2)",
            "DELETE FROM keyless WHERE a IS NULL LIMIT 1",
            "UPDATE keyless SET c = 'b' WHERE a = -1 LIMIT 1",
            "DELETE FROM keyless WHERE c = 'a'",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_times_and_the_rest() {
    check(
        "p_texts",
        &[
            "CREATE TABLE strs (id INT PRIMARY KEY, a CHAR(10), b VARCHAR(100), c TINYTEXT, d TEXT, e MEDIUMTEXT, \
             f LONGTEXT, g VARCHAR(50) CHARACTER SET latin1 COLLATE latin1_bin, \
             h VARCHAR(50) CHARACTER SET gbk COLLATE gbk_chinese_ci, j VARCHAR(50) COLLATE utf8mb4_unicode_ci)",
            "INSERT INTO strs VALUES (1, '', '', '', '', '', '', '', '', ''), \
             (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
             (3, 'äöü€😀', 'it''s \\\\ \\\"quoted\\\" \\n \\t \\Z % _', 'a$tidegate$b', 'line\\r\\nline', '`x`', '-- x /* y */ ; z', \
              'latin', '汉字', 'ǅ ﬀ'), \
             (4, 'trail   ', 'trail   ', '  lead', 'x', 'y', 'z', 'w ', '中文 ', '😀😀')",
            "INSERT INTO strs (id, d, e, f) VALUES (5, REPEAT('x', 65535), REPEAT('é', 70000), REPEAT('long', 100000))",
            "CREATE TABLE bytes (id INT PRIMARY KEY, a BINARY(5), b VARBINARY(300), c TINYBLOB, d BLOB, e MEDIUMBLOB, f LONGBLOB)",
            "INSERT INTO bytes VALUES (1, '', '', '', '', '', ''), (2, NULL, NULL, NULL, NULL, NULL, NULL), \
             (3, 0x0001, 0x00ff27225c0a, 0xfffefd, 0x5c27, 0x00, 0xf0288cbc), (4, 'abcde', 'abc  ', 'x ', '\\\\', '''', '\\n')",
            "INSERT INTO bytes (id, d, f) VALUES (5, REPEAT(0xff, 65535), REPEAT(0x00, 200000))",
            "CREATE TABLE misc (id INT PRIMARY KEY, a ENUM('x','y','it''s','ü'), b SET('a','b','c','d e'), c JSON, v VECTOR(3))",
            "INSERT INTO misc VALUES (1, 'x', '', 'null', '[1,2,3]'), (2, NULL, NULL, NULL, NULL), \
             (3, 'it''s', 'a,c,d e', '{\"k\": [1, 2.5, true, null, \"q\\\\\"uote\"], \"ü\": {\"n\": 18446744073709551615}}', '[-0.5,1e10,0]'), \
             (4, 'ü', 'a,b,c,d e', '[]', '[0,0,0]'), (5, 'nonsense', 'a', '\"text\"', NULL), \
             (6, 'y', 'b', '-1.5e-3', NULL), (7, 'y', 'b', '9223372036854775807', NULL)",
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
        ],
        &[
            "UPDATE strs SET b = CONCAT(b, '!'), h = '改' WHERE id = 3",
            "UPDATE strs SET a = NULL, d = 'short' WHERE id IN (4, 5)",
            "DELETE FROM strs WHERE id = 1",
            "UPDATE bytes SET b = 0x8081828384, f = 0x27 WHERE id >= 3",
            "DELETE FROM bytes WHERE id = 2",
            "UPDATE misc SET a = 'y', b = 'd e', c = JSON_SET(c, '$.z', 'new') WHERE id = 3",
            "UPDATE misc SET c = JSON_ARRAY(1, 'two', JSON_OBJECT('three', 3)) WHERE id = 2",
            "DELETE FROM misc WHERE id = 1",
            "UPDATE times SET e = '2001-02-03 04:05:06', g = '-00:00:01' WHERE id = 1",
            "UPDATE gen SET a = a + 1",
            "BEGIN",
            "UPDATE uniq SET u = 'tmp' WHERE id = 1",
            "UPDATE uniq SET u = 'a' WHERE id = 2",
            "UPDATE uniq SET u = 'b' WHERE id = 1",
            "DELETE FROM uniq WHERE id = 3",
            "COMMIT",
            "UPDATE uniq SET id = 20 WHERE id = 2",
        ],
    )
    .await;
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
