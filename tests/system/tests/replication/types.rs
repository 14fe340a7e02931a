//! Every column type at its boundaries.

use crate::check;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn integers_and_bits() {
    check(
        "t_ints",
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
             (2, b'1', b'11111111', b'1111111111111', 0xffffffffffffffff, b'1'), (3, NULL, NULL, NULL, NULL, NULL), \
             (4, b'1', b'1000001', b'1000000000001', 0x8000000000000001, b'0')",
        ],
        &[
            "UPDATE ints SET a = -1, b = 128, c = NULL, i = i - 1, j = 9223372036854775808 WHERE id = 2",
            "UPDATE ints SET a = 5, y = 1999 WHERE id = 3",
            "DELETE FROM ints WHERE id = 4",
            "UPDATE bits SET b = b'1', d = 1 WHERE id >= 2",
            "DELETE FROM bits WHERE id = 1",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decimals_and_floats() {
    check(
        "t_nums",
        &[
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
        ],
        &[
            "UPDATE nums SET a = -a, e = e / 2, f = f / 3 WHERE id IN (1, 2, 5, 6)",
            "UPDATE nums SET a = 0.000000000000000000000000000001, f = 123456789.123456789 WHERE id = 3",
            "DELETE FROM nums WHERE id = 4",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dates_and_times() {
    check(
        "t_times",
        &[
            "CREATE TABLE times (id INT PRIMARY KEY, a DATE, b DATETIME, c DATETIME(3), d DATETIME(6), \
             e TIMESTAMP NULL, f TIMESTAMP(6) NULL, g TIME, h TIME(3), i TIME(6))",
            "INSERT INTO times VALUES \
             (1, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', \
              '1970-01-01 00:00:01', '1970-01-01 00:00:01.000001', '-838:59:59', '-838:59:59', '-838:59:59'), \
             (2, '9999-12-31', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.999999', \
              '2038-01-19 03:14:07', '2038-01-19 03:14:07.999999', '838:59:59', '838:59:59', '838:59:59'), \
             (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
             (4, '2024-00-00', '2024-02-00 01:02:03', '1000-01-01 00:00:00.001', '2024-02-29 12:00:00.000001', \
              '2024-03-31 02:30:00', '2024-10-27 02:30:00.5', '00:00:00', '-00:00:00.001', '-00:00:00.000001'), \
             (5, '2000-01-01', '2000-01-01', '2000-01-01', '2000-01-01', '2000-01-01', '2000-01-01', \
              '01:02:03', '01:02:03.004', '100:00:00.000005')",
            "SET time_zone = 'America/New_York'",
            "INSERT INTO times (id, e, f) VALUES (6, '2024-03-10 01:59:59', '2024-11-03 01:30:00')",
            "SET time_zone = '+00:00'",
        ],
        &[
            "UPDATE times SET e = '2001-02-03 04:05:06', g = '-00:00:01' WHERE id = 1",
            "UPDATE times SET a = '0000-00-00', b = NULL, i = '00:00:00.000001' WHERE id = 2",
            "DELETE FROM times WHERE id = 5",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strings_and_bytes() {
    check(
        "t_strs",
        &[
            "CREATE TABLE strs (id INT PRIMARY KEY, a CHAR(10), b VARCHAR(100), c TINYTEXT, d TEXT, e MEDIUMTEXT, \
             f LONGTEXT, g VARCHAR(50) CHARACTER SET latin1 COLLATE latin1_bin, \
             h VARCHAR(50) CHARACTER SET gbk COLLATE gbk_chinese_ci, i VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin, \
             j VARCHAR(50) COLLATE utf8mb4_unicode_ci)",
            "INSERT INTO strs VALUES (1, '', '', '', '', '', '', '', '', '', ''), \
             (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
             (3, 'äöü€😀', 'it''s \\\\ \\\"quoted\\\" \\n \\t \\Z % _', 'a\\0b', 'line\\r\\nline', '`x`', '-- x /* y */ ; z', \
              'latin', '汉字', 'ascii', 'ǅ ﬀ'), \
             (4, 'trail   ', 'trail   ', '  lead', 'x', 'y', 'z', 'w ', '中文 ', ' ', '😀😀')",
            "INSERT INTO strs (id, d, e, f) VALUES (5, REPEAT('x', 65535), REPEAT('é', 70000), REPEAT('long', 100000))",
            "CREATE TABLE bytes (id INT PRIMARY KEY, a BINARY(5), b VARBINARY(300), c TINYBLOB, d BLOB, e MEDIUMBLOB, f LONGBLOB)",
            "INSERT INTO bytes VALUES (1, '', '', '', '', '', ''), (2, NULL, NULL, NULL, NULL, NULL, NULL), \
             (3, 0x0001, 0x00ff27225c0a, 0xfffefd, 0x5c27, 0x00, 0xf0288cbc), (4, 'abcde', 'abc  ', 'x ', '\\\\', '''', '\\n')",
            "INSERT INTO bytes (id, d, f) VALUES (5, REPEAT(0xff, 65535), REPEAT(0x00, 200000))",
        ],
        &[
            "UPDATE strs SET b = CONCAT(b, '!'), h = '改' WHERE id = 3",
            "UPDATE strs SET a = NULL, d = 'short' WHERE id IN (4, 5)",
            "DELETE FROM strs WHERE id = 1",
            "UPDATE bytes SET b = 0x8081828384, f = 0x27 WHERE id >= 3",
            "DELETE FROM bytes WHERE id = 2",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enums_sets_json_and_vectors() {
    check(
        "t_misc",
        &[
            "CREATE TABLE misc (id INT PRIMARY KEY, a ENUM('x','y','it''s','ü'), b SET('a','b','c','d e'), c JSON, v VECTOR(3))",
            "INSERT INTO misc VALUES (1, 'x', '', 'null', '[1,2,3]'), (2, NULL, NULL, NULL, NULL), \
             (3, 'it''s', 'a,c,d e', '{\"k\": [1, 2.5, true, null, \"q\\\\\"uote\"], \"ü\": {\"n\": 18446744073709551615}}', '[-0.5,1e10,0]'), \
             (4, 'ü', 'a,b,c,d e', '[]', '[0,0,0]'), (5, 'nonsense', 'a', '\"text\"', NULL), \
             (6, 'y', 'b', '-1.5e-3', NULL), (7, 'y', 'b', '9223372036854775807', NULL)",
        ],
        &[
            "UPDATE misc SET a = 'y', b = 'd e', c = JSON_SET(c, '$.z', 'new') WHERE id = 3",
            "UPDATE misc SET c = JSON_ARRAY(1, 'two', JSON_OBJECT('three', 3)) WHERE id = 2",
            "DELETE FROM misc WHERE id = 1",
        ],
    )
    .await;
}
