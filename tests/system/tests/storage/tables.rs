//! Every type, DDL, and every format.

use super::{Place, csv, feed, verify};
use serde_json::{Value, json};
use tg_testkit::Rig;

pub(crate) const CSV: &str =
    "[sink.csv]\ninclude-commit-ts = true\noutput-old-value = true\nbinary-encoding-method = 'hex'\n";

/// What parquet has of csv's options.
const PARQUET: &str = "[sink.csv]\ninclude-commit-ts = true\noutput-old-value = true\n";

pub(crate) const BEFORE: &[&str] = &[
    "CREATE TABLE numbers (id BIGINT PRIMARY KEY, t TINYINT, u BIGINT UNSIGNED, f DOUBLE, d DECIMAL(20,4), b BIT(9), y YEAR)",
    "INSERT INTO numbers VALUES (1, -3, 18446744073709551615, 0.1, '12345678.9000', 257, 2026), (2, NULL, 0, NULL, NULL, NULL, NULL)",
    "CREATE TABLE texts (k VARCHAR(40) PRIMARY KEY, a TEXT, b BLOB, e ENUM('x','y'), s SET('p','q'), j JSON)",
    "INSERT INTO texts VALUES ('line\nbreak', 'quote \" and, comma\r\n', x'00ff22', 'y', 'p,q', '{\"a\": [1, null]}')",
    "INSERT INTO texts VALUES ('empty', '', '', NULL, '', NULL), ('null mark', '\\\\N', NULL, 'x', NULL, '\"\"')",
    "CREATE TABLE times (id INT PRIMARY KEY, da DATE, dt DATETIME(6), ts TIMESTAMP(3) NULL, ti TIME(2))",
    "INSERT INTO times VALUES (1, '2026-02-28', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678', '-12:34:56.78')",
    "CREATE TABLE keyless (a INT, b VARCHAR(10))",
    "INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (2, NULL)",
    "CREATE TABLE gone (id INT PRIMARY KEY)",
    "INSERT INTO gone VALUES (1), (2)",
];

pub(crate) const AFTER: &[&str] = &[
    "UPDATE numbers SET t = 5, f = 1e300 WHERE id = 1",
    "UPDATE numbers SET id = 30 WHERE id = 2",
    "DELETE FROM texts WHERE k = 'empty'",
    "UPDATE texts SET a = REPEAT('long ', 500), j = '{\"b\": 2.5}' WHERE k = 'null mark'",
    "UPDATE keyless SET b = 'y' WHERE a = 2",
    "DELETE FROM keyless WHERE a = 1 LIMIT 1",
    "ALTER TABLE times ADD COLUMN note VARCHAR(20) DEFAULT 'n' AFTER id",
    "INSERT INTO times (id, note) VALUES (2, 'added')",
    "ALTER TABLE times DROP COLUMN ti",
    "UPDATE times SET note = 'last' WHERE id = 1",
    "TRUNCATE TABLE gone",
    "INSERT INTO gone VALUES (3)",
    "CREATE TABLE dropped (id INT PRIMARY KEY)",
    "INSERT INTO dropped VALUES (1)",
    "DROP TABLE dropped",
    "RENAME TABLE numbers TO figures",
    "INSERT INTO figures (id) VALUES (99)",
];

async fn both_halves(db: &str, place: Place, sink: Value) {
    let rig = Rig::shared().unwrap();
    let mut up = feed(&rig, db, &place, &sink).await;
    up.run("SET sql_mode = ''").await.unwrap();
    up.all(BEFORE).await.unwrap();
    let (tables, rows) = verify(&rig, db, &place, &mut up).await;
    up.all(AFTER).await.unwrap();
    let after = verify(&rig, db, &place, &mut up).await;
    // What was applied is not applied again.
    place.consume(&rig.downstream.url());
    println!("{db}: {tables} tables with {rows} rows are equal, then {} with {}", after.0, after.1);
    layout(db, &place);
    rig.tidegate.api().remove(db).await.unwrap();
}

/// The names that readers of TiCDC's files look for.
fn layout(db: &str, place: &Place) {
    let files = place.files();
    let is = |part: &str, end: &str| files.keys().any(|p| p.starts_with(&format!("{db}/{part}")) && p.ends_with(end));
    assert!(is("meta/schema_", ".json") && is("times/meta/schema_", ".json"), "{files:#?}");
    let data: Vec<&String> =
        files.keys().filter(|p| p.contains("/CDC0") && p.starts_with(&format!("{db}/times/"))).collect();
    let versions: std::collections::BTreeSet<&str> = data.iter().filter_map(|p| p.split('/').nth(2)).collect();
    assert!(versions.len() >= 3, "a folder for each version of the table: {data:?}");
    for path in data {
        let folder = path.rsplit_once('/').unwrap().0;
        assert!(files.contains_key(&format!("{folder}/meta/CDC.index")), "{path} has no index");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csv_in_a_folder() {
    both_halves("csv_folder", Place::folder("protocol=csv&flush-interval=200ms", CSV), csv()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csv_in_a_bucket() {
    let config = format!("{CSV}output-field-header = true\ndelimiter = '|'\n");
    let mut sink = csv();
    sink["csv"]["output_field_header"] = json!(true);
    sink["csv"]["delimiter"] = json!("|");
    sink["date_separator"] = json!("none");
    both_halves("csv_bucket", Place::s3("protocol=csv&flush-interval=200ms&file-size=1024", &config), sink).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parquet_in_a_folder() {
    let sink = json!({"csv": {"include_commit_ts": true, "output_old_value": true}});
    both_halves("parquet_folder", Place::folder("protocol=parquet&flush-interval=200ms", PARQUET), sink).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parquet_in_a_bucket() {
    let sink = json!({"csv": {"include_commit_ts": true, "output_old_value": true}, "date_separator": "none"});
    let place = Place::s3("protocol=parquet&flush-interval=200ms&file-size=1024", PARQUET);
    both_halves("parquet_bucket", place, sink).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canal_json_in_a_folder() {
    let place = Place::folder("protocol=canal-json&flush-interval=200ms&enable-tidb-extension=true", "");
    both_halves("canal_folder", place, json!({})).await;
}
