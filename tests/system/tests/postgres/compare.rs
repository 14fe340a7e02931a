//! Whether TiDB and PostgreSQL hold the same tables, value by value.

use std::collections::BTreeSet;
use tg_postgres::PostgresConnection;
use tg_sql::Cell;
use tg_testkit::Sql;
use tg_testkit::compare::{Cell as Meaning, Kind};

/// Differences shown of a table.
const SHOWN_MAX: usize = 10;
/// Rows of a table at most.
const ROWS_MAX: u32 = 1_000_000;

type Row = Vec<String>;

/// Tables and rows compared, and what differs.
pub(crate) async fn compare(up: &mut Sql, down: &mut PostgresConnection, db: &str) -> (usize, usize, Vec<String>) {
    let query = format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema='{db}' AND table_type='BASE TABLE'"
    );
    let here: BTreeSet<String> = up.rows::<String>(&query).await.unwrap().into_iter().collect();
    let query = format!("SELECT table_name::text FROM information_schema.tables WHERE table_schema='{db}'");
    let there: BTreeSet<String> =
        down.query(&query, ROWS_MAX).await.unwrap().rows.into_iter().map(|r| text(&r[0])).collect();
    let mut differences: Vec<String> =
        here.symmetric_difference(&there).map(|t| format!("{t}: on one side only")).collect();
    let (mut tables, mut rows) = (0, 0);
    for name in here.intersection(&there) {
        tables += 1;
        rows += one(up, down, db, name, &mut differences).await;
    }
    (tables, rows, differences)
}

async fn one(up: &mut Sql, down: &mut PostgresConnection, db: &str, name: &str, out: &mut Vec<String>) -> usize {
    let query = format!(
        "SELECT column_name,data_type FROM information_schema.columns WHERE table_schema='{db}' AND table_name='{}' \
         AND extra NOT LIKE '%VIRTUAL%' ORDER BY ordinal_position",
        name.replace('\'', "''")
    );
    let columns: Vec<(String, String)> = up.rows(&query).await.unwrap();
    let query = format!(
        "SELECT column_name::text FROM information_schema.columns WHERE table_schema='{db}' AND table_name='{}'",
        name.replace('\'', "''")
    );
    let there: BTreeSet<String> =
        down.query(&query, ROWS_MAX).await.unwrap().rows.iter().map(|r| text(&r[0])).collect();
    let here: BTreeSet<String> = columns.iter().map(|(c, _)| c.clone()).collect();
    if here != there {
        out.push(format!("{name}: columns {here:?} upstream, {there:?} downstream"));
        return 0;
    }
    let list = |of: fn(&str, &str) -> String| columns.iter().map(|(c, ty)| of(c, ty)).collect::<Vec<_>>().join(",");
    let query = format!("SELECT {} FROM `{db}`.`{}`", list(tidb), name.replace('`', "``"));
    let a: Vec<mysql_async::Row> = up.rows(&query).await.unwrap();
    let mut a: Vec<Row> = a.into_iter().map(|r| meanings(&columns, r.unwrap().into_iter().map(of_tidb))).collect();
    let query = format!("SELECT {} FROM \"{db}\".\"{}\"", list(postgres), name.replace('"', "\"\""));
    let b = down.query(&query, ROWS_MAX).await.unwrap().rows;
    let mut b: Vec<Row> = b.iter().map(|r| meanings(&columns, r.iter().map(of_postgres))).collect();
    a.sort();
    b.sort();
    let missing = a.iter().filter(|r| !b.contains(r)).take(SHOWN_MAX).map(|r| format!("{name}: upstream only: {r:?}"));
    let more = b.iter().filter(|r| !a.contains(r)).take(SHOWN_MAX).map(|r| format!("{name}: downstream only: {r:?}"));
    if a != b {
        out.push(format!("{name}: {} rows upstream, {} downstream", a.len(), b.len()));
        out.extend(missing.chain(more));
    }
    a.len()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("no text: {other:?}"),
    }
}

/// A value of TiDB as text that PostgreSQL gives as well.
fn tidb(column: &str, ty: &str) -> String {
    let c = format!("`{}`", column.replace('`', "``"));
    match ty {
        "bit" => format!("CAST({c}+0 AS CHAR)"),
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => format!("HEX({c})"),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
            format!("HEX(CONVERT({c} USING utf8mb4))")
        }
        "float" | "double" => format!("{c}+0e0"),
        "datetime" | "timestamp" => format!("DATE_FORMAT({c},'%Y-%m-%d %H:%i:%s.%f')"),
        _ => c,
    }
}

fn postgres(column: &str, ty: &str) -> String {
    let c = format!("\"{}\"", column.replace('"', "\"\""));
    match ty {
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => format!("upper(encode({c},'hex'))"),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
            format!("upper(encode(convert_to({c},'UTF8'),'hex'))")
        }
        "float" | "double" => format!("{c}::float8::text"),
        "datetime" | "timestamp" => format!("to_char({c},'YYYY-MM-DD HH24:MI:SS.US')"),
        "date" => format!("to_char({c},'YYYY-MM-DD')"),
        "vector" => format!("translate({c}::text,'{{}}','[]')"),
        _ => format!("{c}::text"),
    }
}

fn of_tidb(value: mysql_async::Value) -> Option<Vec<u8>> {
    match value {
        mysql_async::Value::NULL => None,
        mysql_async::Value::Bytes(bytes) => Some(bytes),
        other => Some(other.as_sql(true).into_bytes()),
    }
}

fn of_postgres(cell: &Cell) -> Option<Vec<u8>> {
    match cell {
        Cell::Null => None,
        cell => Some(text(cell).into_bytes()),
    }
}

/// Values as they are compared: numbers by value, JSON by meaning, times by their microseconds, the rest by its text.
fn meanings(columns: &[(String, String)], values: impl Iterator<Item = Option<Vec<u8>>>) -> Row {
    let meaning = |(value, (_, ty)): (Option<Vec<u8>>, &(String, String))| match ty.as_str() {
        "time" => value.map_or("NULL".to_owned(), |v| micros(std::str::from_utf8(&v).unwrap()).to_string()),
        "bit" | "year" => Meaning::new(Kind::Int, value).to_string(),
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "float" | "double" | "json" | "vector" => {
            Meaning::new(Kind::of(ty), value).to_string()
        }
        _ => Meaning::new(Kind::Text, value).to_string(),
    };
    values.zip(columns).map(meaning).collect()
}

/// Of `[-]h:mm:ss[.ffffff]`.
fn micros(text: &str) -> i64 {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |t| (-1, t));
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds = clock.split(':').fold(0, |sum, part| sum * 60 + part.parse::<i64>().unwrap());
    let fraction: i64 = format!("{fraction:0<6}").parse().unwrap();
    sign * (seconds * 1_000_000 + fraction)
}
