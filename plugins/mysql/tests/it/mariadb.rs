//! The sink, compiled natively, against a real MariaDB.

use crate::common::{Change, NoBatch, V, batch, column, table, text, time};
use crate::host::{Bench, bench};
use tgr1::row_flags::MAYBE_REPEATED;
use tidegate_sdk::{Barrier, BarrierKind, DdlEvent, DdlKind, Failure, LogicalType as L, Position, Sink, TableSchema};

fn barrier(id: u32, ts: u64) -> Barrier {
    Barrier { id, kind: BarrierKind::Checkpoint, at: Position { ts, stage: 1, seq: 0 } }
}

/// Writes the changes and flushes.
fn write(bench: &mut Bench, schema: &TableSchema, changes: &[Change], flags: u16) -> Result<(), Failure> {
    let data = batch(schema, changes, flags);
    bench.run(|sink| {
        sink.on_schema(std::sync::Arc::new(schema.clone()), &[])?;
        sink.write(&NoBatch, &data).map(|_| ())
    })?;
    bench.flush(barrier(1, 1000))
}

const TYPES: &str = "CREATE TABLE db.types (id INT PRIMARY KEY, i BIGINT, u BIGINT UNSIGNED, f FLOAT, fd FLOAT(7,3), d DOUBLE, \
    de DECIMAL(65,30), t TEXT, l VARCHAR(20) CHARACTER SET latin1, c CHAR(20), b VARBINARY(300), bi BINARY(4), j JSON, da DATE, \
    dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL, ti TIME, ti6 TIME(6), y YEAR, \
    e ENUM('a','b','含','d e'), s SET('x','y','z','w'), bt BIT(64), vec LONGTEXT)";

fn types_schema(unique: &[&[u32]]) -> std::sync::Arc<TableSchema> {
    let columns = [
        ("id", L::Int),
        ("i", L::Int),
        ("u", L::Uint),
        ("f", L::Float32),
        ("fd", L::Float32),
        ("d", L::Float64),
        ("de", L::Decimal),
        ("t", L::Text),
        ("l", L::Text),
        ("c", L::Text),
        ("b", L::Bytes),
        ("bi", L::Bytes),
        ("j", L::Json),
        ("da", L::Date),
        ("dt", L::Datetime),
        ("dt6", L::Datetime),
        ("ts", L::Timestamp),
        ("ts6", L::Timestamp),
        ("ti", L::Time),
        ("ti6", L::Time),
        ("y", L::Year),
        ("e", L::Enumeration),
        ("s", L::Set),
        ("bt", L::Bit),
        ("vec", L::Vector),
    ];
    table(7, "types", columns.map(|(n, l)| column(n, l)).to_vec(), unique)
}

fn type_rows() -> Vec<Vec<V>> {
    let bytes: Vec<u8> = (0..=255).collect();
    let vector: Vec<u8> = [1.0_f32, 2.5, -3e10].iter().flat_map(|f| f.to_le_bytes()).collect();
    let f32v = |f: f32| V::F(f64::from(f));
    let first = vec![
        V::I(1),
        V::I(i64::MIN),
        V::U(u64::MAX),
        f32v(3.21987),
        f32v(1234.567),
        V::F(2.818281828459045),
        text("12345678901234567890123456789012345.123456789012345678901234567890"),
        text("日本語 emoji 😀 it's \\ \"q\" \n\r\0\u{1a}%_"),
        text("café"),
        text("padded"),
        V::B(bytes),
        V::B(vec![1, 2, 0, 0]),
        text(r#"{"n": 1, "s": "it's \"x\" \\ é😀"}"#),
        time(2024, 2, 29, 0, 0, 0, 0),
        time(2024, 2, 29, 23, 59, 59, 0),
        time(9999, 12, 31, 23, 59, 59, 999_999),
        time(2038, 1, 19, 3, 14, 7, 0),
        time(1970, 1, 1, 0, 0, 1, 1),
        V::I(3_020_399_000_000),
        V::I(-3_020_398_999_999),
        V::I(2155),
        V::U(3),
        V::U(5),
        V::U(u64::MAX),
        V::B(vector),
    ];
    let second = vec![
        V::I(2),
        V::I(i64::MAX),
        V::U(0),
        f32v(-3.4e38),
        f32v(-0.001),
        V::F(1.7976931348623157e308),
        text("-0.000000000000000000000000000001"),
        text(""),
        text(""),
        text(""),
        V::B(vec![]),
        V::B(vec![0; 4]),
        text("[]"),
        V::U(0),
        V::U(0),
        time(2000, 0, 0, 0, 0, 0, 0),
        V::U(0),
        time(2020, 6, 1, 4, 0, 0, 250_000),
        V::I(-1_000_000),
        V::I(1),
        V::I(0),
        V::U(0),
        V::U(0),
        V::U(0),
        V::B(vec![]),
    ];
    let mut null = vec![V::Null; 25];
    null[0] = V::I(3);
    vec![first, second, null]
}

#[test]
fn every_type_round_trips() {
    let Some(mut bench) = bench("types") else {
        return;
    };
    bench.sql(TYPES);
    let schema = types_schema(&[&[0]]);
    let rows: Vec<Change> = type_rows().into_iter().map(Change::Insert).collect();
    write(&mut bench, &schema, &rows, 0).unwrap();
    let expected = [
        "1|-9223372036854775808|18446744073709551615|3.21987|1234.567|2.818281828459045|12345678901234567890123456789012345.123456789012345678901234567890|café|padded|01020000|2024-02-29|2024-02-29 23:59:59|9999-12-31 23:59:59.999999|2038-01-19 03:14:07|1970-01-01 00:00:01.000001|838:59:59|-838:59:58.999999|2155|含|x,z|18446744073709551615|[1,2.5,-30000000000]",
        "2|9223372036854775807|0|-3.4e38|-0.001|1.7976931348623157e308|-0.000000000000000000000000000001||||0000-00-00|0000-00-00 00:00:00|2000-00-00 00:00:00.000000|0000-00-00 00:00:00|2020-06-01 04:00:00.250000|-00:00:01|00:00:00.000001|0|||0|[]",
    ];
    let got = bench.rows(
        "SELECT id,i,u,f,fd,d,de,l,c,HEX(bi),da,dt,dt6,ts,ts6,ti,ti6,y,e,s,bt+0,vec FROM db.types WHERE id<3 ORDER BY id",
    );
    assert_eq!(got[0], expected[0]);
    assert_eq!(got[1], expected[1].replace("|||0000-00-00|", "||00000000|0000-00-00|"));
    let hex = |v: &V| match v {
        V::B(b) => b.iter().map(|b| format!("{b:02X}")).collect::<String>(),
        _ => String::new(),
    };
    let first = &type_rows()[0];
    assert_eq!(
        bench.rows("SELECT HEX(t),HEX(b),HEX(j) FROM db.types WHERE id=1"),
        [format!("{}|{}|{}", hex(&first[7]), hex(&first[10]), hex(&first[12]))]
    );
    assert_eq!(bench.rows("SELECT COUNT(*) FROM db.types WHERE f=3.219870090484619e0 AND id=1"), ["1"]);
    assert_eq!(
        bench.rows("SELECT COALESCE(i,u,f,d,de,t,l,c,b,bi,j,da,dt,ts,ti,y,e,s,bt,vec,'none') FROM db.types WHERE id=3"),
        ["none"]
    );
    assert_eq!(bench.rows("SELECT e+0 FROM db.types WHERE id=2"), ["0"]);
}

/// Every value that was written is found again by its literal: update and delete a table that has no key by all columns.
#[test]
fn without_a_key_rows_are_found_by_their_values() {
    let Some(mut bench) = bench("keyless") else {
        return;
    };
    bench.sql(&TYPES.replace("db.types", "db.bag").replace("INT PRIMARY KEY", "INT"));
    let mut schema = (*types_schema(&[])).clone();
    schema.name = "bag".into();
    for c in &mut schema.columns {
        if c.logical == L::Text {
            c.collation = "utf8mb4_general_ci".into();
        }
    }
    let rows = type_rows();
    let mut changes: Vec<Change> =
        rows.iter().flat_map(|r| [Change::Insert(r.clone()), Change::Insert(r.clone())]).collect();
    let changed = |r: &Vec<V>| {
        let mut r = r.clone();
        r[1] = V::I(42);
        r
    };
    changes.extend(rows.iter().map(|r| Change::Update(r.clone(), changed(r))));
    write(&mut bench, &schema, &changes, 0).unwrap();
    let count = "SELECT id,COUNT(*),SUM(i<=>42) FROM db.bag GROUP BY id ORDER BY id";
    assert_eq!(bench.rows(count), ["1|2|1", "2|2|1", "3|2|1"]);
    let deletes: Vec<Change> = rows.iter().map(|r| Change::Delete(changed(r))).collect();
    write(&mut bench, &schema, &deletes, 0).unwrap();
    assert_eq!(bench.rows(count), ["1|1|0", "2|1|0", "3|1|0"]);
}

#[test]
fn updates_deletes_and_unique_values_that_move() {
    let Some(mut bench) = bench("effects") else {
        return;
    };
    bench.sql("CREATE TABLE db.m (id INT PRIMARY KEY, v INT, UNIQUE KEY(v))");
    let schema = table(8, "m", vec![column("id", L::Int), column("v", L::Int)], &[&[0], &[1]]);
    let r = |id, v| vec![V::I(id), V::I(v)];
    write(&mut bench, &schema, &[Change::Insert(r(1, 10)), Change::Insert(r(2, 20)), Change::Insert(r(3, 30))], 0)
        .unwrap();
    let swap = [
        Change::Update(r(1, 10), r(1, 99)),
        Change::Update(r(2, 20), r(2, 10)),
        Change::Update(r(1, 99), r(1, 20)),
        Change::Delete(r(3, 30)),
        Change::Insert(r(4, 30)),
    ];
    for _ in 0..2 {
        write(&mut bench, &schema, &swap, MAYBE_REPEATED).unwrap();
        assert_eq!(bench.rows("SELECT id,v FROM db.m ORDER BY id"), ["1|20", "2|10", "4|30"]);
    }
}

#[test]
fn a_duplicate_turns_the_window_into_safe_mode() {
    let Some(mut bench) = bench("duplicate") else {
        return;
    };
    bench.sql("CREATE TABLE db.dup (id INT PRIMARY KEY, v INT)");
    bench.sql("INSERT INTO db.dup VALUES (1, 1)");
    let schema = table(9, "dup", vec![column("id", L::Int), column("v", L::Int)], &[&[0]]);
    let r = |id, v| vec![V::I(id), V::I(v)];
    write(&mut bench, &schema, &[Change::Insert(r(1, 5)), Change::Insert(r(2, 6))], 0).unwrap();
    assert_eq!(bench.rows("SELECT id,v FROM db.dup ORDER BY id"), ["1|5", "2|6"]);
    assert_eq!(bench.counter("mysql_windows_redone"), 1);
}

#[test]
fn most_round_trips_are_saved() {
    let Some(mut bench) = bench("trips") else {
        return;
    };
    bench.sql("CREATE TABLE db.many (id INT PRIMARY KEY, v VARCHAR(200))");
    let schema = table(10, "many", vec![column("id", L::Int), column("v", L::Text)], &[&[0]]);
    let rows: Vec<Change> = (0..5000).map(|i| Change::Insert(vec![V::I(i), text(&"x".repeat(200))])).collect();
    write(&mut bench, &schema, &rows, 0).unwrap();
    assert_eq!(bench.rows("SELECT COUNT(*) FROM db.many"), ["5000"]);
    let (rows, trips) = (bench.counter("mysql_rows"), bench.connection().round_trips());
    assert!(rows == 5000 && trips * 50 <= rows, "{trips} round trips for {rows} rows");
}

#[test]
fn rows_beyond_the_buffer_leave_before_the_barrier() {
    let Some(mut bench) = crate::host::bench_with("spill", r#"{"buffer-bytes":1024}"#) else {
        return;
    };
    bench.sql("CREATE TABLE db.sp (id INT PRIMARY KEY, v INT)");
    let schema = table(11, "sp", vec![column("id", L::Int), column("v", L::Int)], &[&[0]]);
    for half in 0..2 {
        let rows: Vec<Change> = (0..20).map(|i| Change::Insert(vec![V::I(half * 20 + i), V::I(0)])).collect();
        let data = batch(&schema, &rows, 0);
        let schema = schema.clone();
        bench
            .run(|s| {
                s.on_schema(schema, &[])?;
                s.write(&NoBatch, &data).map(|_| ())
            })
            .unwrap();
    }
    assert_eq!(bench.rows("SELECT COUNT(*) FROM db.sp"), ["20"]);
    bench.flush(barrier(1, 50)).unwrap();
    assert_eq!(bench.rows("SELECT COUNT(*) FROM db.sp"), ["40"]);
}

/// The connection breaks while COMMIT is under way; the same barrier again writes the same rows and harms nothing.
#[test]
fn an_open_outcome_is_settled_by_the_next_call() {
    let Some(mut bench) = bench("unknown") else {
        return;
    };
    bench.sql("CREATE TABLE db.un (id INT PRIMARY KEY, v INT)");
    let schema = table(12, "un", vec![column("id", L::Int), column("v", L::Int)], &[&[0]]);
    let r = |id, v| vec![V::I(id), V::I(v)];
    for (round, repeat) in [(1, true), (2, false)] {
        bench.lose_answer();
        let failure = write(&mut bench, &schema, &[Change::Insert(r(round, 1))], 0).unwrap_err();
        assert!(matches!(failure, Failure::Unknown { .. }), "{failure}");
        if repeat {
            bench.flush(barrier(1, 1000)).unwrap();
        }
        let before = bench.counter("mysql_rows");
        bench.flush(barrier(2, 2000)).unwrap();
        assert_eq!(bench.counter("mysql_rows"), before, "nothing is written again after another barrier");
        assert_eq!(bench.rows("SELECT COUNT(*) FROM db.un"), [round.to_string()]);
    }
}

fn ddl(kind: DdlKind, database: &str, name: &str, query: &str) -> DdlEvent {
    DdlEvent {
        at: Position { ts: 1_600_000_000_000 << 18, stage: 2, seq: 0 },
        kind,
        database: database.into(),
        table: name.into(),
        query: query.into(),
        before: None,
        after: None,
        maybe_done: false,
        attrs: Vec::new(),
    }
}

#[test]
fn a_list_of_ddl_runs_twice() {
    use DdlKind as K;
    let Some(mut bench) = bench("ddl") else {
        return;
    };
    let list = [
        (K::CreateSchema, "", "CREATE DATABASE IF NOT EXISTS `dd`"),
        (
            K::CreateTable,
            "a",
            "CREATE TABLE `dd`.`a` (`id` BIGINT PRIMARY KEY CLUSTERED AUTO_RANDOM(5), `v` INT DEFAULT 5)",
        ),
        (K::CreateTable, "s", "CREATE TABLE `dd`.`s` (`id` INT) SHARD_ROW_ID_BITS=4 PRE_SPLIT_REGIONS=2"),
        (
            K::CreateTable,
            "c",
            "CREATE TABLE `dd`.`c` (`a` VARCHAR(20) CHARSET utf8mb4 COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, `x` VECTOR(3), KEY `k`((LOWER(`a`))))",
        ),
        (K::AddColumn, "a", "ALTER TABLE `dd`.`a` ADD COLUMN `s` VARCHAR(20) NOT NULL DEFAULT 'dflt'"),
        (K::AddColumn, "a", "ALTER TABLE `dd`.`a` ADD COLUMN `t` DATETIME DEFAULT CURRENT_TIMESTAMP"),
        (K::ModifyColumn, "a", "ALTER TABLE `dd`.`a` MODIFY COLUMN `v` BIGINT"),
        (K::AddIndex, "a", "ALTER TABLE `dd`.`a` ADD INDEX `iv`(`v`) INVISIBLE"),
        (K::AlterIndex, "a", "ALTER TABLE `dd`.`a` ALTER INDEX `iv` VISIBLE"),
        (K::CreateTable, "b", "CREATE TABLE `dd`.`b` LIKE `dd`.`a`"),
        (K::DropIndex, "a", "ALTER TABLE `dd`.`a` DROP INDEX `iv`"),
        (K::DropColumn, "a", "ALTER TABLE `dd`.`a` DROP COLUMN `s`"),
        (K::TruncateTable, "b", "TRUNCATE TABLE `dd`.`b`"),
        (
            K::CreateTable,
            "p",
            "CREATE TABLE `dd`.`p` (`id` INT PRIMARY KEY) PARTITION BY RANGE(`id`) (PARTITION `p0` VALUES LESS THAN (100), PARTITION `p1` VALUES LESS THAN (200))",
        ),
        (K::AddPartition, "p", "ALTER TABLE `dd`.`p` ADD PARTITION (PARTITION `p2` VALUES LESS THAN (300))"),
        (K::DropPartition, "p", "ALTER TABLE `dd`.`p` DROP PARTITION `p0`"),
        (K::AlterTable, "a", "ALTER TABLE `dd`.`a` TTL_ENABLE='OFF'"),
        (K::CreateView, "w", "CREATE OR REPLACE VIEW `dd`.`w` AS SELECT `id` FROM `p`"),
        (K::AlterTable, "c", "ALTER TABLE `dd`.`c` CONVERT TO CHARACTER SET utf8mb4"),
    ];
    bench.sql("SET GLOBAL max_connections=200");
    for maybe_done in [false, true] {
        for (kind, name, query) in list {
            let event = DdlEvent { maybe_done, ..ddl(kind, "dd", name, query) };
            bench.run(|s| s.on_ddl(&event)).unwrap_or_else(|e| panic!("{query}: {e}"));
            if query.contains("`v` INT DEFAULT") && !maybe_done {
                bench.sql("INSERT INTO dd.a(id) VALUES (1)");
            }
        }
    }
    assert_eq!(bench.rows("SELECT t FROM dd.a"), ["2020-09-13 12:26:40"], "old rows get the time of the commit");
    let collations =
        "SELECT table_name,table_collation FROM information_schema.tables WHERE table_schema='dd' AND table_name='a'";
    assert_eq!(bench.rows(collations), ["a|utf8mb4_bin"]);
    let wrong = ddl(K::AlterTable, "dd", "a", "ALTER TABLE `dd`.`a` NONSENSE");
    let failure = bench.run(|s| s.on_ddl(&wrong)).unwrap_err();
    assert!(matches!(failure, Failure::Fatal { .. }) && failure.to_string().contains("NONSENSE"), "{failure}");
}

#[test]
fn a_rename_of_open_outcome_is_looked_up() {
    let Some(mut bench) = bench("rename") else {
        return;
    };
    bench.sql("CREATE DATABASE IF NOT EXISTS rn");
    bench.sql("CREATE TABLE rn.new (id INT PRIMARY KEY, v INT)");
    let named = |name: &str| {
        let mut t = (*table(13, name, vec![column("id", L::Int), column("v", L::Int)], &[&[0]])).clone();
        t.database = "rn".into();
        Some(t)
    };
    let event = |maybe_done| DdlEvent {
        maybe_done,
        before: named("old"),
        after: named("new"),
        ..ddl(DdlKind::RenameTable, "rn", "new", "RENAME TABLE `rn`.`old` TO `rn`.`new`")
    };
    bench.run(|s| s.on_ddl(&event(true))).unwrap();
    // To a name that is free: MySQL 8 finds a taken one before it misses the table, and a taken one counts as done.
    let first = ddl(DdlKind::RenameTable, "rn", "free", "RENAME TABLE `rn`.`old` TO `rn`.`free`");
    assert!(bench.run(|s| s.on_ddl(&first)).is_err(), "the first time a missing table is an error");
    let swap = DdlEvent {
        maybe_done: true,
        ..ddl(DdlKind::ExchangePartition, "rn", "new", "ALTER TABLE `rn`.`new` EXCHANGE PARTITION p WITH TABLE x")
    };
    assert!(matches!(bench.run(|s| s.on_ddl(&swap)), Err(Failure::Fatal { .. })));
}
