//! DDL through the rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use tg_plugin_route::Route;
use tidegate_sdk::{Context, DdlEvent, DdlKind, Failure, Position, TableRef, TableSchema, Transform};

const RULES: &str = r#"{"rules":[
    {"match":"shop.tmp_*","leave-out":true},
    {"match":"shop.*","database":"archive","table":"{database}_{table}"},
    {"match":"old.*","database":"new"},
    {"match":"junk.*","leave-out":true}
]}"#;

fn schema(database: &str, name: &str) -> TableSchema {
    TableSchema {
        id: TableRef { table: 1, version: 1 },
        database: database.into(),
        name: name.into(),
        columns: Vec::new(),
        indexes: Vec::new(),
        row_key: None,
        charset: String::new(),
        collation: String::new(),
        attrs: Vec::new(),
    }
}

fn routed(kind: DdlKind, before: &str, after: &str, query: &str) -> Result<Option<DdlEvent>, Failure> {
    let side = |s: &str| s.split_once('.').map(|(d, t)| schema(d, t));
    let (database, table) = if after.is_empty() { before } else { after }.split_once('.').unwrap();
    let ddl = DdlEvent {
        at: Position { ts: 9, stage: 2, seq: 0 },
        kind,
        database: database.into(),
        table: table.into(),
        query: query.into(),
        before: side(before).filter(|s| !s.name.is_empty()),
        after: side(after).filter(|s| !s.name.is_empty()),
        maybe_done: false,
        attrs: Vec::new(),
    };
    let mut route = Route::open(Context { config: RULES.into(), ..Context::default() }).unwrap();
    route.on_ddl(ddl)
}

#[test]
fn names_change_in_the_statement_and_in_the_schemas() {
    use DdlKind::{AddColumn, CreateSchema, CreateTable, DropTable, RenameTable};
    for (kind, before, after, query, expected, name) in [
        (
            CreateTable,
            "",
            "shop.a",
            "CREATE TABLE `shop`.`a` (id int)",
            "CREATE TABLE `archive`.`shop_a` (id int)",
            "archive.shop_a",
        ),
        (
            AddColumn,
            "old.a",
            "old.a",
            "ALTER TABLE old.a ADD COLUMN shop int",
            "ALTER TABLE `new`.`a` ADD COLUMN shop int",
            "new.a",
        ),
        (
            RenameTable,
            "other.x",
            "shop.a",
            "RENAME TABLE `other`.`x` TO `shop`.`a`",
            "RENAME TABLE `other`.`x` TO `archive`.`shop_a`",
            "archive.shop_a",
        ),
        (DropTable, "other.x", "", "DROP TABLE `other`.`x`", "DROP TABLE `other`.`x`", "other.x"),
        (
            CreateSchema,
            "",
            "old.",
            "CREATE DATABASE `old` CHARACTER SET utf8mb4",
            "CREATE DATABASE `new` CHARACTER SET utf8mb4",
            "new.",
        ),
        (CreateSchema, "", "shop.", "CREATE DATABASE `shop`", "CREATE DATABASE `shop`", "shop."),
    ] {
        let seen = routed(kind, before, after, query).unwrap().unwrap();
        assert_eq!(seen.query, expected);
        assert_eq!(format!("{}.{}", seen.database, seen.table), name);
        if let Some(after) = seen.after {
            assert_eq!((after.database, after.name), (seen.database, seen.table));
        }
    }
}

#[test]
fn what_is_left_out_is_not_seen() {
    let gone = routed(DdlKind::CreateTable, "", "shop.tmp_1", "CREATE TABLE `shop`.`tmp_1` (a int)");
    assert_eq!(gone.unwrap(), None);
    assert_eq!(routed(DdlKind::DropSchema, "", "junk.", "DROP DATABASE `junk`").unwrap(), None);
}

#[test]
fn what_cannot_be_rewritten_fails() {
    use DdlKind::{AlterTable, CreateTable, CreateView, DropSchema, RenameTable};
    for (kind, before, after, query) in [
        (RenameTable, "shop.a", "shop.tmp_a", "RENAME TABLE `shop`.`a` TO `shop`.`tmp_a`"),
        (CreateTable, "", "other.x", "CREATE TABLE other.x (a int, FOREIGN KEY (a) REFERENCES shop.tmp_1 (a))"),
        (DropSchema, "", "shop.", "DROP DATABASE `shop`"),
        (CreateView, "", "other.v", "CREATE VIEW `other`.`v` AS SELECT `shop`.`a`.`b` FROM `shop`.`a`"),
        (AlterTable, "old.a", "old.a", "OPTIMIZE whatever"),
    ] {
        let e = routed(kind, before, after, query).unwrap_err();
        assert!(matches!(&e, Failure::Unsupported { code, .. } if code == "route"), "{query}: {e}");
    }
    let plain = routed(CreateView, "", "other.v", "CREATE VIEW `other`.`v` AS SELECT `other`.`x`.`b` FROM `other`.`x`");
    assert!(plain.unwrap().is_some());
}
