//! The sink on a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../../../sql-common/tests/common/bench.rs"]
mod bench;
#[path = "../../../sql-common/tests/common/mod.rs"]
mod common;
mod host;

use common::{Change, V, batch, column, row, table, text, time};
use host::Bench;
use std::sync::Arc;
use tgr1::row_flags;
use tidegate_sdk::{
    Column, ColumnProps, DdlEvent, DdlKind, Failure, Index, LogicalType as L, Position, Sink, TableSchema,
};

fn typed(name: &str, logical: L, source: &str) -> Column {
    Column { source_type: source.to_owned(), ..column(name, logical) }
}

fn short(name: &str) -> Column {
    Column { length: Some(9), ..typed(name, L::Text, "varchar(9)") }
}

fn in_db(mut table: Arc<TableSchema>, db: &str) -> Arc<TableSchema> {
    Arc::make_mut(&mut table).database = db.to_owned();
    table
}

fn event(kind: DdlKind, before: Option<&Arc<TableSchema>>, after: Option<&Arc<TableSchema>>) -> DdlEvent {
    let of = after.or(before).unwrap();
    DdlEvent {
        at: Position { ts: 1_700_000_000_000 << 18, stage: 2, seq: 0 },
        kind,
        database: of.database.clone(),
        table: of.name.clone(),
        query: String::new(),
        before: before.map(|t| (**t).clone()),
        after: after.map(|t| (**t).clone()),
        maybe_done: false,
        attrs: Vec::new(),
    }
}

fn created(name: &str, t: &Arc<TableSchema>) -> Bench {
    let mut bench = Bench::new(name, "");
    bench.create(t, &event(DdlKind::CreateTable, None, Some(t)));
    bench
}

fn every_type() -> Vec<Column> {
    let listed = |name: &str, logical| Column { members: vec!["a".into(), "it's".into()], ..column(name, logical) };
    let sized = |c: Column, length, decimals| Column { length, decimals, ..c };
    vec![
        typed("i", L::Int, "smallint"),
        typed("u", L::Uint, "bigint unsigned"),
        column("f", L::Float32),
        column("g", L::Float64),
        sized(column("d", L::Decimal), Some(65), Some(30)),
        column("t", L::Text),
        column("b", L::Bytes),
        column("j", L::Json),
        column("da", L::Date),
        sized(column("dt", L::Datetime), None, Some(6)),
        sized(column("ts", L::Timestamp), None, Some(6)),
        sized(column("ti", L::Time), None, Some(6)),
        column("y", L::Year),
        listed("en", L::Enumeration),
        listed("se", L::Set),
        column("bi", L::Bit),
        column("ve", L::Vector),
    ]
}

fn boundaries() -> Vec<V> {
    vec![
        V::I(-32768),
        V::U(u64::MAX),
        V::F(f64::from(f32::MAX)),
        V::F(5e-324),
        text(&format!("-{}.{}", "9".repeat(35), "9".repeat(30))),
        text("it's \\ \"x\" $1 €😀"),
        V::B(vec![0, 255, b'\'', b'\\']),
        text(r#"{"k":[1,18446744073709551615,"\\u0000"]}"#),
        time(9999, 12, 31, 0, 0, 0, 0),
        time(1, 1, 1, 23, 59, 59, 999_999),
        time(2038, 1, 19, 3, 14, 7, 999_999),
        V::I(-3_020_399_000_001),
        V::I(2155),
        V::U(2),
        V::U(3),
        V::U(u64::MAX),
        V::B([1.0_f32, f32::MIN, 1e-45].iter().flat_map(|f| f.to_le_bytes()).collect()),
    ]
}

const SHOWN: &str = "i::text,u::text,(f=3.4028234663852886e38::real)::text,(g=5e-324::float8)::text,d::text,t,encode(b,'hex'),\
                     j::text,da::text,dt::text,ts::text,ti::text,y::text,en,se,bi::text,ve::text";
const HELD: &str = "-32768|18446744073709551615|true|true|-99999999999999999999999999999999999.999999999999999999999999999999|\
                    it's \\ \"x\" $1 €😀|00ff275c|{\"k\": [1, 18446744073709551615, \"\\\\u0000\"]}|9999-12-31|\
                    0001-01-01 23:59:59.999999|2038-01-19 03:14:07.999999+00|-838:59:59.000001|2155|it's|a,it's|\
                    18446744073709551615|{1,-3.4028235e+38,1e-45}";

/// Of every type: written, found again by all its values, and gone. Once with a key of all columns that can be one, once without.
#[test]
fn every_type_is_held_found_and_deleted() {
    let keyless = in_db(table(11, "keyless", every_type(), &[]), "types");
    let not_null = |c: Column| Column { props: ColumnProps { nullable: false, ..c.props }, ..c };
    let key: Vec<u32> = (0..16).filter(|i| *i != 7).collect();
    let keyed = in_db(table(12, "keyed", every_type().into_iter().map(not_null).collect(), &[&key]), "types");
    for t in [keyless, keyed] {
        let mut bench = created(&format!("types-{}", t.name), &t);
        let rows = format!("SELECT {SHOWN} FROM types.{}", t.name);
        bench.write(&batch(&t, &[Change::Insert(boundaries())], 0)).unwrap();
        assert_eq!(bench.rows(&rows), [HELD], "{}", t.name);
        bench.write(&batch(&t, &[Change::Delete(boundaries())], 0)).unwrap();
        assert!(bench.rows(&rows).is_empty(), "{}", t.name);
    }
}

fn small(db: &str, unique: &[&[u32]]) -> Arc<TableSchema> {
    in_db(table(20, "t", vec![typed("id", L::Int, "int"), short("v")], unique), db)
}

#[test]
fn a_window_may_be_written_again() {
    let t = small("again", &[&[0]]);
    let mut bench = created("again", &t);
    let changes = [
        Change::Insert(row(1, "a")),
        Change::Insert(row(2, "b")),
        Change::Update(row(1, "a"), row(3, "a")),
        Change::Delete(row(2, "b")),
    ];
    for _ in 0..2 {
        bench.write(&batch(&t, &changes, row_flags::MAYBE_REPEATED)).unwrap();
        assert_eq!(bench.rows("SELECT id,v FROM again.t ORDER BY id"), ["3|a"]);
    }
}

/// After an open outcome the same barrier writes the window again; another call means that it took effect.
#[test]
fn an_open_outcome_is_settled_by_the_next_call() {
    let t = small("doubt", &[]);
    let mut bench = created("doubt", &t);
    bench.lose_answer();
    let error = bench.write(&batch(&t, &[Change::Insert(row(1, "a"))], 0)).unwrap_err();
    assert!(matches!(error, Failure::Unknown { .. }), "{error:?}");
    bench.write(&batch(&t, &[Change::Insert(row(2, "b"))], 0)).unwrap();
    assert_eq!(
        bench.rows("SELECT id FROM doubt.t ORDER BY id"),
        ["1", "2"],
        "the first was there and is not written again"
    );
}

#[test]
fn unique_values_change_hands() {
    let t = small("unique", &[&[0], &[1]]);
    let mut bench = created("unique", &t);
    bench.write(&batch(&t, &[Change::Insert(row(1, "a")), Change::Insert(row(2, "b"))], 0)).unwrap();
    let swap = [
        Change::Update(row(1, "a"), row(1, "x")),
        Change::Update(row(2, "b"), row(2, "a")),
        Change::Update(row(1, "x"), row(1, "b")),
    ];
    bench.write(&batch(&t, &swap, 0)).unwrap();
    assert_eq!(bench.rows("SELECT id,v FROM \"unique\".t ORDER BY id"), ["1|b", "2|a"]);
    // A row of a later time holds the value that an earlier time is written with again: it comes again itself.
    bench.write(&batch(&t, &[Change::Insert(row(3, "a"))], 0)).unwrap();
    assert_eq!(bench.rows("SELECT id,v FROM \"unique\".t ORDER BY id"), ["1|b", "3|a"]);
}

fn changed(before: &Arc<TableSchema>, change: impl FnOnce(&mut TableSchema)) -> Arc<TableSchema> {
    let mut after = (**before).clone();
    after.id.version += 1;
    change(&mut after);
    Arc::new(after)
}

/// Each DDL is done, and once more as after a crash that forgot it: the table is as it is to be, both times.
#[test]
fn ddl_may_be_done_again() {
    let one = small("ddl", &[&[0]]);
    let mut bench = created("ddl", &one);
    bench.write(&batch(&one, &[Change::Insert(row(1, "7"))], 0)).unwrap();
    let two = changed(&one, |t| {
        t.columns[1].name = "w".into();
        t.columns.push(Column { id: 9, default_value: Some(b"it's".to_vec()), ..short("n") });
        t.indexes.push(Index { name: "iw".into(), columns: vec![1, 2], unique: true, primary: false });
    });
    let three = changed(&two, |t| {
        t.columns[1] = Column { id: 10, ..typed("w", L::Int, "int") };
        t.indexes[1].name = "other".into();
    });
    let four = changed(&three, |t| {
        t.columns.remove(2);
        t.indexes.truncate(1);
        t.name = "renamed".into();
        t.database = "ddl2".into();
    });
    let five = changed(&four, |t| (t.row_key, t.indexes) = (None, Vec::new()));
    bench.sql("CREATE SCHEMA ddl2");
    let steps = [
        (DdlKind::CreateTable, None, &one),
        (DdlKind::MultiSchemaChange, Some(&one), &two),
        (DdlKind::ModifyColumn, Some(&two), &three),
        (DdlKind::AlterTable, Some(&three), &four),
        (DdlKind::DropIndex, Some(&four), &five),
        (DdlKind::AddIndex, Some(&five), &four),
    ];
    let shown = "SELECT string_agg(attname::text||' '||format_type(atttypid,atttypmod),',' ORDER BY attnum) FROM pg_attribute \
                 WHERE attrelid=coalesce(to_regclass('ddl.t'),to_regclass('ddl2.renamed')) AND attnum>0 AND NOT attisdropped";
    let indexes =
        "SELECT count(*)::text FROM pg_index WHERE indrelid=coalesce(to_regclass('ddl.t'),to_regclass('ddl2.renamed'))";
    let wanted = [
        ("id integer,v text", "1"),
        ("id integer,w text,n text", "2"),
        ("id integer,w integer,n text", "2"),
        ("id integer,w integer", "1"),
        ("id integer,w integer", "0"),
        ("id integer,w integer", "1"),
    ];
    for ((kind, before, after), (columns, count)) in steps.into_iter().zip(wanted) {
        for maybe_done in [false, true] {
            let e = DdlEvent { maybe_done, ..event(kind, before, Some(after)) };
            bench.run(|sink| sink.on_ddl(&e)).unwrap_or_else(|f| panic!("{kind:?} {maybe_done}: {f:?}"));
            assert_eq!(
                (bench.rows(shown), bench.rows(indexes)),
                (vec![columns.to_owned()], vec![count.to_owned()]),
                "{kind:?}"
            );
        }
        if kind == DdlKind::MultiSchemaChange {
            assert_eq!(bench.rows("SELECT id,w,n FROM ddl.t"), ["1|7|it's"], "rows that are there have the default");
        }
    }
    assert_eq!(bench.rows("SELECT id,w FROM ddl2.renamed"), ["1|7"]);
    for maybe_done in [false, true] {
        let e = DdlEvent { maybe_done, ..event(DdlKind::DropTable, Some(&four), None) };
        bench.run(|sink| sink.on_ddl(&e)).unwrap();
    }
}
