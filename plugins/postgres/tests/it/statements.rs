//! Statements as text, and the net effect against a model.

use crate::common::{Change, V, batch, column, del, ins, plain, row, table, text, time, upd};
use std::rc::Rc;
use tg_plugin_postgres::{BitType, Config, KeyMode, Limits, Table, Window, ZeroDates, write_statements};
use tgr1::{Batch, row_flags};
use tidegate_sdk::sql::Blocks;
use tidegate_sdk::{Column, LogicalType as L, TableSchema};

const LIMITS: Limits = Limits { rows: 3, keys: 3, bytes: 10_000 };

fn window(schema: &TableSchema, changes: &[Change], flags: u16, config: &Config) -> (Window, Vec<(u32, String)>) {
    let mut window = Window::default();
    let table = Rc::new(Table::new(schema, config));
    let data = batch(schema, changes, flags);
    let bad = window.push(&table, &Batch::parse(&data).unwrap()).unwrap();
    (window, bad.into_iter().map(|b| (b.row, b.code)).collect())
}

fn written(window: &Window, safe: bool, limits: Limits) -> Vec<String> {
    let mut out = Blocks::default();
    write_statements(window, safe, limits, &mut out).unwrap();
    out.iter().map(|s| String::from_utf8(s.to_vec()).unwrap()).collect()
}

fn check(schema: &TableSchema, changes: &[Change], safe: bool, expected: &[&str]) {
    let (window, bad) = window(schema, changes, 0, &Config::default());
    assert_eq!((written(&window, safe, LIMITS), bad), (expected.iter().map(|s| (*s).to_owned()).collect(), vec![]));
}

#[test]
fn one_unique_key() {
    let t = plain();
    let put = |rows: &str| {
        format!(r#"INSERT INTO "db"."t" ("id","v") VALUES {rows} ON CONFLICT ("id") DO UPDATE SET "v"=EXCLUDED."v""#)
    };
    check(&t, &[ins(1, "a"), ins(2, "b")], false, &[&put("(1,'a'),(2,'b')")]);
    check(&t, &[upd(1, "a", "b"), upd(1, "b", "it's \\")], false, &[&put("(1,'it''s \\')")]);
    check(&t, &[del(1, "a"), ins(1, "b")], false, &[&put("(1,'b')")]);
    check(
        &t,
        &[ins(9, "n"), del(1, "a"), del(2, "a"), del(3, "a"), del(4, "a"), upd(5, "x", "y")],
        false,
        &[
            r#"DELETE FROM "db"."t" WHERE "id" IN (1,2,3)"#,
            r#"DELETE FROM "db"."t" WHERE "id" IN (4)"#,
            &put("(9,'n'),(5,'y')"),
        ],
    );
    let moved = Change::Update(row(1, "a"), row(2, "a"));
    check(&t, &[moved], false, &[r#"DELETE FROM "db"."t" WHERE "id" IN (1)"#, &put("(2,'a')")]);
    let back = [Change::Update(row(1, "a"), row(2, "a")), Change::Update(row(2, "a"), row(1, "c"))];
    check(&t, &back, false, &[r#"DELETE FROM "db"."t" WHERE "id" IN (2)"#, &put("(1,'c')")]);
}

#[test]
fn several_unique_keys_free_their_values_first() {
    let t = table(1, "t", vec![column("id", L::Int), column("v", L::Text)], &[&[0], &[1]]);
    let put = |rows: &str| {
        format!(r#"INSERT INTO "db"."t" ("id","v") VALUES {rows} ON CONFLICT ("id") DO UPDATE SET "v"=EXCLUDED."v""#)
    };
    assert_eq!(Table::new(&t, &Config::default()).mode(), KeyMode::Replace);
    check(&t, &[ins(1, "a"), ins(2, "b")], false, &[&put("(1,'a'),(2,'b')")]);
    let swap = [upd(1, "a", "x"), upd(2, "b", "a"), upd(1, "x", "b")];
    check(&t, &swap, false, &[r#"DELETE FROM "db"."t" WHERE "id" IN (1,2)"#, &put("(1,'b'),(2,'a')")]);
    check(
        &t,
        &[ins(1, "a"), Change::Insert(vec![V::I(2), V::Null])],
        true,
        &[
            r#"DELETE FROM "db"."t" WHERE "id" IN (1,2)"#,
            r#"DELETE FROM "db"."t" WHERE "v" IN ('a')"#,
            &put("(1,'a'),(2,NULL)"),
        ],
    );
    let (repeated, _) = window(&t, &[ins(1, "a")], row_flags::MAYBE_REPEATED, &Config::default());
    assert_eq!(
        written(&repeated, false, LIMITS),
        [r#"DELETE FROM "db"."t" WHERE "id" IN (1)"#.to_owned(), put("(1,'a')")]
    );
}

#[test]
fn keys_of_several_columns() {
    let t =
        table(1, "t\"x", vec![column("a", L::Text), typed("b", L::Int, "smallint"), column("n", L::Int)], &[&[1, 0]]);
    let row = |a: &str, b: i64, n: i64| vec![text(a), V::I(b), V::I(n)];
    check(
        &t,
        &[Change::Delete(row("x", -32768, 1)), Change::Delete(row("y", 7, 1))],
        false,
        &[
            r#"DELETE FROM "db"."t""x" WHERE ("b","a") IN (VALUES (CAST(-32768 AS smallint),CAST('x' AS text)),(CAST(7 AS smallint),CAST('y' AS text)))"#,
        ],
    );
    let only_key = table(1, "t", vec![column("id", L::Int)], &[&[0]]);
    let put = r#"INSERT INTO "db"."t" ("id") VALUES (1) ON CONFLICT ("id") DO NOTHING"#;
    check(&only_key, &[Change::Insert(vec![V::I(1)])], false, &[put]);
}

#[test]
fn tables_without_a_key() {
    let t = table(1, "t", vec![typed("a", L::Int, "int"), column("v", L::Text)], &[]);
    let gone = |a: &str, v: &str| {
        format!(
            r#"DELETE FROM "db"."t" WHERE ctid=(SELECT ctid FROM "db"."t" WHERE "a" IS NOT DISTINCT FROM CAST({a} AS integer) AND "v" IS NOT DISTINCT FROM CAST({v} AS text) LIMIT 1)"#
        )
    };
    let put = |rows: &str| format!(r#"INSERT INTO "db"."t" ("a","v") VALUES {rows}"#);
    check(
        &t,
        &[ins(1, "a"), ins(1, "a"), del(1, "a"), upd(2, "x", "y"), Change::Delete(vec![V::Null, V::Null])],
        false,
        &[&put("(1,'a'),(1,'a')"), &gone("1", "'a'"), &gone("2", "'x'"), &put("(2,'y')"), &gone("NULL", "NULL")],
    );
}

fn typed(name: &str, logical: L, source: &str) -> Column {
    Column { source_type: source.to_owned(), ..column(name, logical) }
}

fn spelled(column: Column, value: V, config: &Config) -> String {
    let t = table(1, "t", vec![typed("id", L::Int, "int"), column], &[&[0]]);
    let (window, bad) = window(&t, &[Change::Insert(vec![V::I(1), value])], 0, config);
    match bad.as_slice() {
        [(0, code)] => format!("bad: {code}"),
        _ => {
            let statement = written(&window, false, LIMITS).remove(0);
            let (_, rest) = statement.split_once("VALUES (1,").unwrap();
            rest.split_once(") ON CONFLICT").unwrap().0.to_owned()
        }
    }
}

#[test]
fn values_are_spelled_for_their_types() {
    let config = Config::default();
    let members = |logical| Column { members: vec!["a".into(), "it's".into(), "c".into()], ..column("v", logical) };
    let f32s = |values: &[f32]| V::B(values.iter().flat_map(|f| f.to_le_bytes()).collect());
    for (column, value, wanted) in [
        (column("v", L::Int), V::I(i64::MIN), "-9223372036854775808"),
        (column("v", L::Uint), V::U(u64::MAX), "18446744073709551615"),
        (column("v", L::Year), V::I(1999), "1999"),
        (column("v", L::Float64), V::F(-0.1), "'-1e-1'"),
        (column("v", L::Float32), V::F(f64::from(0.1_f32)), "'1.0000000149011612e-1'"),
        (column("v", L::Decimal), text("-12.50"), "-12.50"),
        (column("v", L::Text), text("a'b\\"), "'a''b\\'"),
        (column("v", L::Text), text("a\0b"), "bad: nul-in-text"),
        (column("v", L::Text), V::B(vec![0xff]), "bad: not-utf8"),
        (column("v", L::Bytes), V::B(vec![0, 0xff, b'\'']), "'\\x00ff27'"),
        (column("v", L::Json), text(r#"{"k":"a'b"}"#), r#"'{"k":"a''b"}'"#),
        (column("v", L::Json), text(r#""\u0000""#), "bad: nul-in-json"),
        (column("v", L::Date), time(2024, 2, 29, 0, 0, 0, 0), "'2024-02-29'"),
        (column("v", L::Date), time(0, 0, 0, 0, 0, 0, 0), "bad: no-such-date"),
        (column("v", L::Datetime), time(2024, 2, 0, 1, 2, 3, 0), "bad: no-such-date"),
        (column("v", L::Datetime), time(9999, 12, 31, 23, 59, 59, 999_999), "'9999-12-31 23:59:59.999999'"),
        (column("v", L::Timestamp), time(2038, 1, 19, 3, 14, 7, 0), "'2038-01-19 03:14:07+00'"),
        (column("v", L::Time), V::I(-1), "'-00:00:00.000001'"),
        (column("v", L::Time), V::I(3_020_399_000_000), "'838:59:59'"),
        (members(L::Enumeration), V::U(2), "'it''s'"),
        (members(L::Enumeration), V::U(0), "''"),
        (members(L::Enumeration), V::U(4), "bad: no-such-member"),
        (members(L::Set), V::U(0b101), "'a,c'"),
        (members(L::Set), V::U(0), "''"),
        (members(L::Set), V::U(0b1000), "bad: no-such-member"),
        (column("v", L::Bit), V::U(5), "5"),
        (column("v", L::Vector), f32s(&[1.0, -0.5]), "'{1,-0.5}'"),
        (column("v", L::Text), V::Null, "NULL"),
    ] {
        let shown = format!("{:?} {value:?}", column.logical);
        assert_eq!(spelled(column, value, &config), wanted, "{shown}");
    }
}

#[test]
fn the_configuration_chooses_for_dates_and_bits() {
    let config = Config { zero_dates: ZeroDates::Null, bit_type: BitType::Bit, ..Config::default() };
    assert_eq!(spelled(column("v", L::Date), time(0, 0, 0, 0, 0, 0, 0), &config), "NULL");
    let bits = Column { length: Some(4), ..column("v", L::Bit) };
    assert_eq!(spelled(bits, V::U(5), &config), "B'0101'");
    let key = table(1, "t", vec![column("d", L::Date)], &[&[0]]);
    let (_, bad) = window(&key, &[Change::Insert(vec![time(0, 0, 0, 0, 0, 0, 0)])], 0, &config);
    assert_eq!(bad, [(0, "no-such-date".to_owned())], "a key cannot be NULL");
}

#[test]
fn a_row_that_cannot_be_held_is_put_aside_alone() {
    let (window, bad) = window(&plain(), &[ins(1, "a"), ins(2, "\0"), upd(1, "a", "b")], 0, &Config::default());
    assert_eq!((bad, window.rows()), (vec![(1, "nul-in-text".to_owned())], 2));
    assert_eq!(written(&window, false, LIMITS).len(), 1);
}

#[test]
fn statements_stay_within_their_limits() {
    let rows: Vec<Change> = (0..20_000).map(|i| upd(i, "a", "b")).collect();
    let (window, _) = window(&plain(), &rows, 0, &Config::default());
    let statements = written(&window, false, Limits { rows: 1000, keys: 1000, bytes: 1 << 20 });
    assert_eq!(statements.len(), 20);
    let statements = written(&window, false, Limits { rows: 100_000, keys: 100_000, bytes: 4096 });
    assert!(statements.iter().all(|s| s.len() <= 4096) && statements.len() > 40, "{}", statements.len());
}

#[test]
fn a_new_version_of_a_table_starts_a_new_segment() {
    let one = plain();
    let mut two = (*one).clone();
    two.id.version = 2;
    two.columns[1].name = "w".into();
    let mut window = Window::default();
    for schema in [&*one, &two] {
        let table = Rc::new(Table::new(schema, &Config::default()));
        let data = batch(schema, &[ins(1, "a")], 0);
        window.push(&table, &Batch::parse(&data).unwrap()).unwrap();
    }
    assert_eq!((written(&window, false, LIMITS).len(), window.rows()), (2, 2));
    window.clear();
    assert!(window.is_empty() && window.bytes() == 0);
}
