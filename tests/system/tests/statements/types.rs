//! Column types at their boundaries: what is written first, and what then.

/// Integers and bits.
pub(crate) const INTEGERS: &[&str] = &[
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
];

/// Changes of [`INTEGERS`].
pub(crate) const INTEGERS_THEN: &[&str] = &[
    "UPDATE ints SET a = -1, b = 128, c = NULL, i = i - 1, j = 9223372036854775808 WHERE id = 2",
    "UPDATE ints SET a = 5, y = 1999 WHERE id = 3",
    "DELETE FROM ints WHERE id = 4",
    "UPDATE bits SET b = b'1', d = 1 WHERE id >= 2",
    "DELETE FROM bits WHERE id = 1",
];

/// Decimals and floats.
pub(crate) const NUMBERS: &[&str] = &[
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
];

/// Changes of [`NUMBERS`].
pub(crate) const NUMBERS_THEN: &[&str] = &[
    "UPDATE nums SET a = -a, e = e / 2, f = f / 3 WHERE id IN (1, 2, 5, 6)",
    "UPDATE nums SET a = 0.000000000000000000000000000001, f = 123456789.123456789 WHERE id = 3",
    "DELETE FROM nums WHERE id = 4",
];

/// Bytes.
pub(crate) const BYTES: &[&str] = &[
    "CREATE TABLE bytes (id INT PRIMARY KEY, a BINARY(5), b VARBINARY(300), c TINYBLOB, d BLOB, e MEDIUMBLOB, f LONGBLOB)",
    "INSERT INTO bytes VALUES (1, '', '', '', '', '', ''), (2, NULL, NULL, NULL, NULL, NULL, NULL), \
     (3, 0x0001, 0x00ff27225c0a, 0xfffefd, 0x5c27, 0x00, 0xf0288cbc), (4, 'abcde', 'abc  ', 'x ', '\\\\', '''', '\\n')",
    "INSERT INTO bytes (id, d, f) VALUES (5, REPEAT(0xff, 65535), REPEAT(0x00, 200000))",
];

/// Changes of [`BYTES`].
pub(crate) const BYTES_THEN: &[&str] =
    &["UPDATE bytes SET b = 0x8081828384, f = 0x27 WHERE id >= 3", "DELETE FROM bytes WHERE id = 2"];

/// Enums, sets, JSON and vectors.
pub(crate) const MIXED: &[&str] = &[
    "CREATE TABLE misc (id INT PRIMARY KEY, a ENUM('x','y','it''s','ü'), b SET('a','b','c','d e'), c JSON, v VECTOR(3))",
    "INSERT INTO misc VALUES (1, 'x', '', 'null', '[1,2,3]'), (2, NULL, NULL, NULL, NULL), \
     (3, 'it''s', 'a,c,d e', '{\"k\": [1, 2.5, true, null, \"q\\\\\"uote\"], \"ü\": {\"n\": 18446744073709551615}}', '[-0.5,1e10,0]'), \
     (4, 'ü', 'a,b,c,d e', '[]', '[0,0,0]'), (5, 'nonsense', 'a', '\"text\"', NULL), \
     (6, 'y', 'b', '-1.5e-3', NULL), (7, 'y', 'b', '9223372036854775807', NULL)",
];

/// Changes of [`MIXED`].
pub(crate) const MIXED_THEN: &[&str] = &[
    "UPDATE misc SET a = 'y', b = 'd e', c = JSON_SET(c, '$.z', 'new') WHERE id = 3",
    "UPDATE misc SET c = JSON_ARRAY(1, 'two', JSON_OBJECT('three', 3)) WHERE id = 2",
    "DELETE FROM misc WHERE id = 1",
];
