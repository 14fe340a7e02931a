//! DDL from schemas, as data.

use crate::common::{column, table};
use tg_plugin_postgres::{Actual, Config, Ddl, ZeroDates, ddl_statements};
use tidegate_sdk::{Column, ColumnProps, DdlEvent, DdlKind, Index, LogicalType as L, Position, TableSchema};

const TS: u64 = 1_700_000_000_123 << 18;

fn event(kind: DdlKind, before: Option<&TableSchema>, after: Option<&TableSchema>) -> DdlEvent {
    DdlEvent {
        at: Position { ts: TS, stage: 2, seq: 0 },
        kind,
        database: "db".into(),
        table: "t".into(),
        query: "ALTER TABLE `db`.`t` …".into(),
        before: before.cloned(),
        after: after.cloned(),
        maybe_done: false,
        attrs: Vec::new(),
    }
}

/// What the catalog shows of a table that the sink made.
fn made(table: &TableSchema, types: &[&str]) -> Actual {
    Actual {
        schema_exists: true,
        exists: true,
        columns: table.columns.iter().zip(types).map(|(c, ty)| (c.name.clone(), (*ty).to_owned(), false)).collect(),
        indexes: table
            .indexes
            .iter()
            .map(|i| (format!("{}_{}", i.name, table.id.table), (!i.primary).then(|| i.name.clone()), i.primary))
            .collect(),
    }
}

fn run(config: &Config, event: &DdlEvent, there: &[(&str, Actual)]) -> Ddl {
    let mut look =
        |_: &str, name: &str| Ok(there.iter().find(|(n, _)| *n == name).map(|(_, a)| a.clone()).unwrap_or_default());
    ddl_statements(config, event, &mut look).unwrap()
}

fn check(event: &DdlEvent, there: &[(&str, Actual)], expected: &[&str]) {
    let expected = Ddl::Run(expected.iter().map(|s| (*s).to_owned()).collect());
    assert_eq!(run(&Config::default(), event, there), expected);
}

fn typed(name: &str, logical: L, source: &str) -> Column {
    Column { source_type: source.to_owned(), ..column(name, logical) }
}

fn not_null(c: Column) -> Column {
    Column { props: ColumnProps { nullable: false, ..c.props }, ..c }
}

fn with_default(c: Column, text: &str) -> Column {
    Column { default_value: Some(text.as_bytes().to_vec()), ..c }
}

fn base() -> TableSchema {
    let columns = vec![
        not_null(typed("id", L::Int, "int")),
        with_default(Column { length: Some(20), ..typed("v", L::Text, "varchar(20)") }, "it's"),
        typed("j", L::Json, "json"),
    ];
    (*table(7, "t", columns, &[&[0]])).clone()
}

fn index(name: &str, columns: &[u32], unique: bool) -> Index {
    Index { name: name.into(), columns: columns.to_vec(), unique, primary: false }
}

#[test]
fn tables_are_made_once_with_the_indexes_that_fit() {
    let mut t = base();
    t.indexes[0].name = "PRIMARY".into();
    t.indexes.extend([index("iv", &[1], false), index("uv", &[1, 0], true), index("ij", &[2], false)]);
    let create = event(DdlKind::CreateTable, None, Some(&t));
    check(
        &create,
        &[],
        &[
            r#"CREATE SCHEMA IF NOT EXISTS "db""#,
            r#"CREATE TABLE IF NOT EXISTS "db"."t" ("id" integer NOT NULL,"v" text DEFAULT 'it''s',"j" jsonb,CONSTRAINT "PRIMARY_7" PRIMARY KEY ("id"))"#,
            r#"CREATE INDEX IF NOT EXISTS "iv_7" ON "db"."t" ("v")"#,
            r#"COMMENT ON INDEX "db"."iv_7" IS 'tidegate: iv'"#,
            r#"CREATE UNIQUE INDEX IF NOT EXISTS "uv_7" ON "db"."t" ("v","id")"#,
            r#"COMMENT ON INDEX "db"."uv_7" IS 'tidegate: uv'"#,
        ],
    );
    check(&create, &[("t", Actual { exists: true, ..Actual::default() })], &[]);
}

#[test]
fn schemas_tables_and_names() {
    let (t, mut u) = (base(), base());
    u.name = "u".into();
    check(&event(DdlKind::CreateSchema, None, None), &[], &[r#"CREATE SCHEMA IF NOT EXISTS "db""#]);
    check(&event(DdlKind::DropSchema, None, None), &[], &[r#"DROP SCHEMA IF EXISTS "db" CASCADE"#]);
    check(&event(DdlKind::DropTable, Some(&t), None), &[], &[r#"DROP TABLE IF EXISTS "db"."t""#]);
    check(&event(DdlKind::DropTable, None, None), &[], &[r#"DROP TABLE IF EXISTS "db"."t""#]);
    check(&event(DdlKind::TruncateTable, Some(&t), Some(&t)), &[], &[r#"TRUNCATE TABLE "db"."t""#]);
    let rename = event(DdlKind::RenameTable, Some(&t), Some(&u));
    let there = Actual { exists: true, ..Actual::default() };
    check(&rename, &[("t", there.clone())], &[r#"ALTER TABLE "db"."t" RENAME TO "u""#]);
    check(&rename, &[("u", there.clone())], &[]);
    u.database = "other".into();
    check(
        &event(DdlKind::RenameTable, Some(&t), Some(&u)),
        &[("t", there)],
        &[
            r#"ALTER TABLE "db"."t" RENAME TO "tidegate_moves_7""#,
            r#"ALTER TABLE "db"."tidegate_moves_7" SET SCHEMA "other""#,
            r#"ALTER TABLE "other"."tidegate_moves_7" RENAME TO "u""#,
        ],
    );
    for kind in [DdlKind::CreateView, DdlKind::AddForeignKey, DdlKind::DropPartition, DdlKind::AlterSchema] {
        assert!(matches!(run(&Config::default(), &event(kind, None, None), &[]), Ddl::Pass(_)), "{kind:?}");
    }
    let recover = run(&Config::default(), &event(DdlKind::RecoverTable, None, Some(&t)), &[]);
    assert!(matches!(recover, Ddl::Refuse(_)));
}

const TYPES: &[&str] = &["integer", "text", "jsonb"];

fn altered(change: impl FnOnce(&mut TableSchema)) -> (TableSchema, TableSchema) {
    let before = base();
    let mut after = before.clone();
    change(&mut after);
    (before, after)
}

fn check_alter(kind: DdlKind, change: impl FnOnce(&mut TableSchema), expected: &[&str]) {
    let (before, after) = altered(change);
    let there = [("t", made(&before, TYPES))];
    let expected: Vec<String> = expected.iter().map(|s| format!("ALTER TABLE \"db\".\"t\" {s}")).collect();
    assert_eq!(run(&Config::default(), &event(kind, Some(&before), Some(&after)), &there), Ddl::Run(expected));
}

fn new_column(c: Column) -> Column {
    Column { id: 99, ..c }
}

#[test]
fn columns_come_with_what_rows_have_in_them() {
    let add = |c: Column| move |t: &mut TableSchema| t.columns.push(new_column(c));
    let kind = DdlKind::AddColumn;
    check_alter(kind, add(typed("n", L::Int, "bigint")), &[r#"ADD COLUMN IF NOT EXISTS "n" bigint"#]);
    check_alter(
        kind,
        add(not_null(with_default(typed("n", L::Decimal, "decimal(8,2)"), "1.5"))),
        &[r#"ADD COLUMN IF NOT EXISTS "n" numeric NOT NULL DEFAULT '1.5'"#],
    );
    check_alter(
        kind,
        add(not_null(typed("n", L::Text, "varchar(3)"))),
        &[r#"ADD COLUMN IF NOT EXISTS "n" text NOT NULL DEFAULT ''"#, r#"ALTER COLUMN "n" DROP DEFAULT"#],
    );
    check_alter(
        kind,
        add(with_default(typed("n", L::Datetime, "datetime"), "CURRENT_TIMESTAMP")),
        &[
            r#"ADD COLUMN IF NOT EXISTS "n" timestamp(0) without time zone DEFAULT (to_timestamp(1700000000.123) AT TIME ZONE 'UTC')"#,
            r#"ALTER COLUMN "n" SET DEFAULT CURRENT_TIMESTAMP"#,
        ],
    );
    let zero = || not_null(typed("n", L::Datetime, "datetime"));
    let (before, after) = altered(add(zero()));
    let there = [("t", made(&before, TYPES))];
    let e = event(kind, Some(&before), Some(&after));
    assert!(matches!(run(&Config::default(), &e, &there), Ddl::Refuse(why) if why.contains("zero-dates")));
    let null = Config { zero_dates: ZeroDates::Null, ..Config::default() };
    let added = r#"ALTER TABLE "db"."t" ADD COLUMN IF NOT EXISTS "n" timestamp(0) without time zone"#;
    assert_eq!(run(&null, &e, &there), Ddl::Run(vec![added.to_owned()]));
}

#[test]
fn columns_go_and_change() {
    check_alter(DdlKind::DropColumn, |t| drop(t.columns.remove(1)), &[r#"DROP COLUMN IF EXISTS "v""#]);
    check_alter(DdlKind::ModifyColumn, |t| t.columns[1].name = "w".into(), &[r#"RENAME COLUMN "v" TO "w""#]);
    check_alter(
        DdlKind::ModifyColumn,
        |t| t.columns[0] = not_null(Column { id: 1, ..typed("id", L::Int, "bigint") }),
        &[
            r#"ALTER COLUMN "id" DROP DEFAULT"#,
            r#"ALTER COLUMN "id" TYPE bigint USING "id"::bigint"#,
            r#"ALTER COLUMN "id" DROP DEFAULT"#,
        ],
    );
    // Rewritten values have a column of another number, and here of another name too.
    check_alter(
        DdlKind::ModifyColumn,
        |t| t.columns[1] = new_column(typed("w", L::Int, "int")),
        &[
            r#"RENAME COLUMN "v" TO "w""#,
            r#"ALTER COLUMN "w" DROP DEFAULT"#,
            r#"ALTER COLUMN "w" TYPE integer USING "w"::text::integer"#,
            r#"ALTER COLUMN "w" DROP DEFAULT"#,
        ],
    );
    check_alter(DdlKind::ModifyColumn, |t| t.columns[1].source_type = "varchar(40)".into(), &[]);
    check_alter(
        DdlKind::ModifyColumn,
        |t| t.columns[1] = not_null(t.columns[1].clone()),
        &[r#"ALTER COLUMN "v" SET NOT NULL"#],
    );
    check_alter(
        DdlKind::AlterTable,
        |t| t.columns[1].default_value = Some(b"x".to_vec()),
        &[r#"ALTER COLUMN "v" SET DEFAULT 'x'"#],
    );
}

#[test]
fn what_the_schemas_do_not_tell_is_refused() {
    let (before, after) = altered(|t| t.columns[1] = new_column(typed("w", L::Int, "int")));
    let there = [("t", made(&before, TYPES))];
    let mut e = event(DdlKind::MultiSchemaChange, Some(&before), Some(&after));
    assert!(matches!(run(&Config::default(), &e, &there), Ddl::Run(s) if s.len() == 2), "one goes, one comes");
    e.query = "ALTER TABLE `db`.`t` CHANGE `v` `w` INT, ADD INDEX (`id`)".into();
    assert!(matches!(run(&Config::default(), &e, &there), Ddl::Refuse(_)));
    let (before, after) = altered(|t| {
        t.columns[1].name = "j".into();
        t.columns[2].name = "v".into();
    });
    let e = event(DdlKind::MultiSchemaChange, Some(&before), Some(&after));
    assert!(matches!(run(&Config::default(), &e, &there), Ddl::Refuse(_)), "two swap their names");
    let listed = Column { members: vec!["a".into()], ..typed("v", L::Enumeration, "enum('a')") };
    let (before, after) = altered(|t| t.columns[0] = Column { id: 1, ..listed });
    let e = event(DdlKind::ModifyColumn, Some(&before), Some(&after));
    assert!(matches!(run(&Config::default(), &e, &there), Ddl::Refuse(_)), "numbers become members");
}

/// Done before, and not noted: the same statement again changes nothing that is there.
#[test]
fn a_change_that_was_made_is_not_made_again() {
    let (before, after) = altered(|t| {
        t.columns[1].name = "w".into();
        t.columns[0].source_type = "bigint".into();
        t.columns.push(new_column(typed("n", L::Int, "int")));
        t.indexes.push(index("iw", &[1], false));
    });
    let e = event(DdlKind::MultiSchemaChange, Some(&before), Some(&after));
    let there = [("t", made(&after, &["bigint", "text", "jsonb", "integer"]))];
    check(&e, &there, &[r#"ALTER TABLE "db"."t" ADD COLUMN IF NOT EXISTS "n" integer"#]);
}

#[test]
fn indexes_come_go_and_take_other_names() {
    let (before, after) = altered(|t| t.indexes.push(index("iv", &[1], false)));
    let there = [("t", made(&before, TYPES))];
    check(
        &event(DdlKind::AddIndex, Some(&before), Some(&after)),
        &there,
        &[
            r#"CREATE INDEX IF NOT EXISTS "iv_7" ON "db"."t" ("v")"#,
            r#"COMMENT ON INDEX "db"."iv_7" IS 'tidegate: iv'"#,
        ],
    );
    let there = [("t", made(&after, TYPES))];
    check(&event(DdlKind::DropIndex, Some(&after), Some(&before)), &there, &[r#"DROP INDEX IF EXISTS "db"."iv_7""#]);
    let (mut renamed, mut keyless) = (after.clone(), after.clone());
    renamed.indexes[1].name = "other".into();
    check(
        &event(DdlKind::AlterIndex, Some(&after), Some(&renamed)),
        &there,
        &[r#"COMMENT ON INDEX "db"."iv_7" IS 'tidegate: other'"#],
    );
    (keyless.indexes, keyless.row_key) = (keyless.indexes.split_off(1), None);
    check(
        &event(DdlKind::DropIndex, Some(&after), Some(&keyless)),
        &there,
        &[r#"ALTER TABLE "db"."t" DROP CONSTRAINT IF EXISTS "u0_7""#],
    );
    check(
        &event(DdlKind::AddIndex, Some(&keyless), Some(&after)),
        &[("t", made(&keyless, TYPES))],
        &[r#"ALTER TABLE "db"."t" ADD CONSTRAINT "u0_7" PRIMARY KEY ("id")"#],
    );
}
