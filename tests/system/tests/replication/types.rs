//! Every column type at its boundaries.

use crate::check;
use crate::statements::types::{BYTES, BYTES_THEN, INTEGERS, INTEGERS_THEN, MIXED, MIXED_THEN, NUMBERS, NUMBERS_THEN};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn integers_and_bits() {
    check("t_ints", INTEGERS, INTEGERS_THEN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decimals_and_floats() {
    check("t_nums", NUMBERS, NUMBERS_THEN).await;
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
    let before = &[
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
    ];
    let then = &[
        "UPDATE strs SET b = CONCAT(b, '!'), h = '改' WHERE id = 3",
        "UPDATE strs SET a = NULL, d = 'short' WHERE id IN (4, 5)",
        "DELETE FROM strs WHERE id = 1",
    ];
    check("t_strs", &[BYTES, before].concat(), &[BYTES_THEN, then].concat()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enums_sets_json_and_vectors() {
    check("t_misc", MIXED, MIXED_THEN).await;
}
