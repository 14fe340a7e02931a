//! DDL of TiDB in other dialects, as a table.

use tg_plugin_mysql::{Rewritten, Server, rewrite};
use tidegate_sdk::sql::Dialect;
use tidegate_sdk::{DdlEvent, DdlKind, Position};

fn event(kind: DdlKind, query: &str) -> DdlEvent {
    DdlEvent {
        at: Position::default(),
        kind,
        database: "db".into(),
        table: "t".into(),
        query: query.into(),
        before: None,
        after: None,
        maybe_done: false,
        attrs: Vec::new(),
    }
}

/// Removed words leave their spaces behind.
fn squeezed(statement: &str) -> String {
    statement.split_whitespace().collect::<Vec<_>>().join(" ").replace(" )", ")").replace(" ,", ",")
}

fn maria() -> Server {
    Server::new(Dialect::Mariadb, "5.5.5-10.11.6-MariaDB-log")
}

fn check(server: &Server, kind: DdlKind, query: &str, expected: &str) {
    let Rewritten::Run(statement) = rewrite(server, &event(kind, query)) else { panic!("not run: {query}") };
    assert_eq!(squeezed(&statement), squeezed(expected), "{query}");
}

#[test]
fn versions_are_read() {
    assert_eq!(maria().version, (10, 11));
    assert_eq!(Server::new(Dialect::Mysql, "8.0.15").version, (8, 0));
    assert_eq!(Server::new(Dialect::Other, "").version, (0, 0));
}

#[test]
fn tidb_gets_statements_as_they_are() {
    let tidb = Server::new(Dialect::Tidb, "8.0.11-TiDB-v8.5.0");
    let query = "CREATE TABLE `db`.`t` (`id` BIGINT PRIMARY KEY CLUSTERED AUTO_RANDOM(5), `v` VECTOR(3)) TTL=`d` + INTERVAL 1 DAY";
    check(&tidb, DdlKind::CreateTable, query, query);
    assert_eq!(rewrite(&tidb, &event(DdlKind::AlterTable, " ; ")), Rewritten::Skip("the statement is empty"));
}

#[test]
fn mariadb() {
    let d = " DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    let create = [
        ("CREATE TABLE `db`.`t` (`id` INT PRIMARY KEY CLUSTERED)", format!("CREATE TABLE `db`.`t` (`id` INT PRIMARY KEY ){d}")),
        ("CREATE TABLE `db`.`t` (`clustered` INT,`id` INT,PRIMARY KEY(`id`) NONCLUSTERED);", format!("CREATE TABLE `db`.`t` (`clustered` INT,`id` INT,PRIMARY KEY(`id`) ){d}")),
        ("CREATE TABLE t (clustered INT, vector INT, auto_random int)", format!("CREATE TABLE t (clustered INT, vector INT, auto_random int){d}")),
        ("CREATE TABLE t (id BIGINT AUTO_RANDOM(5, 54) PRIMARY KEY)", format!("CREATE TABLE t (id BIGINT  PRIMARY KEY){d}")),
        ("CREATE TABLE t (id BIGINT /*T![auto_rand] AUTO_RANDOM(5) */ PRIMARY KEY)", format!("CREATE TABLE t (id BIGINT /*T![auto_rand] AUTO_RANDOM(5) */ PRIMARY KEY){d}")),
        ("CREATE TABLE t (a VECTOR(3), b VECTOR<FLOAT>(3), c vector NOT NULL)", format!("CREATE TABLE t (a LONGTEXT, b LONGTEXT, c LONGTEXT NOT NULL){d}")),
        ("CREATE TABLE t (a VECTOR(3), VECTOR INDEX i((VEC_COSINE_DISTANCE(a))), b INT)", format!("CREATE TABLE t (a LONGTEXT , b INT){d}")),
        ("CREATE TABLE t (a INT) TTL = `d` + INTERVAL 1 DAY TTL_ENABLE='OFF' COMMENT='TTL=1'", format!("CREATE TABLE t (a INT){d}   COMMENT='TTL=1'")),
        ("CREATE TABLE t (a INT) SHARD_ROW_ID_BITS=4 PRE_SPLIT_REGIONS=2 PLACEMENT POLICY=`p`", format!("CREATE TABLE t (a INT){d}")),
        ("CREATE TABLE t (a INT, PRIMARY KEY(a)) PARTITION BY RANGE(a) (PARTITION p VALUES LESS THAN (5) PLACEMENT POLICY=x, PARTITION q VALUES LESS THAN (9))", format!("CREATE TABLE t (a INT, PRIMARY KEY(a)){d} PARTITION BY RANGE(a) (PARTITION p VALUES LESS THAN (5) , PARTITION q VALUES LESS THAN (9))")),
        ("CREATE TABLE t (a INT) CHARSET=utf8mb4", "CREATE TABLE t (a INT) CHARSET=utf8mb4 COLLATE utf8mb4_bin".into()),
        ("CREATE TABLE t (a VARCHAR(9) CHARACTER SET latin1 DEFAULT 'x') DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci", "CREATE TABLE t (a VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'x') DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_nopad_ai_ci".into()),
        ("CREATE TABLE t (a VARCHAR(9) CHARSET utf8mb4 COLLATE utf8mb4_0900_bin)", format!("CREATE TABLE t (a VARCHAR(9) CHARSET utf8mb4 COLLATE utf8mb4_nopad_bin){d}")),
        ("CREATE TABLE `b` LIKE `a`", "CREATE TABLE `b` LIKE `a`".into()),
        ("CREATE TABLE t (a INT, KEY k(a) INVISIBLE, KEY e((a+1)), KEY f(a))", format!("CREATE TABLE t (a INT, KEY k(a) IGNORED , KEY f(a)){d}")),
        ("CREATE TABLE t (a VARCHAR(9) DEFAULT 'CHARSET x COLLATE utf8mb4_0900_ai_ci')", format!("CREATE TABLE t (a VARCHAR(9) DEFAULT 'CHARSET x COLLATE utf8mb4_0900_ai_ci'){d}")),
    ];
    for (query, expected) in create {
        check(&maria(), DdlKind::CreateTable, query, &expected);
    }
    let alter = [
        ("ALTER TABLE `db`.`t` ADD COLUMN `v` VECTOR(3)", "ALTER TABLE `db`.`t` ADD COLUMN `v` LONGTEXT"),
        ("ALTER TABLE `db`.`t` ALTER INDEX `i` INVISIBLE", "ALTER TABLE `db`.`t` ALTER INDEX `i` IGNORED"),
        ("ALTER TABLE t ALTER INDEX i VISIBLE", "ALTER TABLE t ALTER INDEX i NOT IGNORED"),
        ("ALTER TABLE t TTL_ENABLE='OFF', ADD COLUMN c INT", "ALTER TABLE t  ADD COLUMN c INT"),
        ("ALTER TABLE t ADD COLUMN c INT, REMOVE TTL", "ALTER TABLE t ADD COLUMN c INT"),
        (
            "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE x WITHOUT VALIDATION",
            "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE x",
        ),
        (
            "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
            "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        ),
        ("ALTER TABLE t ADD UNIQUE KEY u(a) GLOBAL", "ALTER TABLE t ADD UNIQUE KEY u(a)"),
    ];
    for (query, expected) in alter {
        check(&maria(), DdlKind::AlterTable, query, expected);
    }
    check(&maria(), DdlKind::CreateSchema, "CREATE DATABASE `d`", &format!("CREATE DATABASE `d`{d}"));
    check(
        &maria(),
        DdlKind::CreateSchema,
        "CREATE DATABASE `d` CHARSET latin1",
        "CREATE DATABASE `d` CHARSET latin1 COLLATE latin1_bin",
    );
}

#[test]
fn mysql_keeps_what_it_has() {
    let mysql = Server::new(Dialect::Mysql, "8.0.15");
    let same = [
        "ALTER TABLE t ADD INDEX e((a+1)) INVISIBLE",
        "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE x WITHOUT VALIDATION",
        "ALTER TABLE t ADD COLUMN s VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci",
    ];
    for query in same {
        check(&mysql, DdlKind::AlterTable, query, query);
    }
}

#[test]
fn what_others_cannot_have_is_left_out_or_refused() {
    let skipped = [
        "ALTER TABLE t TTL_ENABLE='OFF'",
        "ALTER TABLE `db`.`t` REMOVE TTL",
        "ALTER TABLE t SET TIFLASH REPLICA 1",
        "ALTER TABLE t PLACEMENT POLICY = x",
        "ALTER TABLE t ADD VECTOR INDEX i((VEC_L2_DISTANCE(v)))",
        "ALTER TABLE t ADD INDEX e((a+1))",
        "CREATE INDEX e ON t((a+1))",
        "CREATE PLACEMENT POLICY p FOLLOWERS=1",
        "CREATE SEQUENCE s",
    ];
    for query in skipped {
        let answer = rewrite(&maria(), &event(DdlKind::AlterTable, query));
        assert!(matches!(answer, Rewritten::Skip(_)), "{query}: {answer:?}");
    }
    let answer = rewrite(&maria(), &event(DdlKind::RecoverTable, "FLASHBACK TABLE b TO c"));
    assert!(matches!(answer, Rewritten::Refuse(_)));
}
