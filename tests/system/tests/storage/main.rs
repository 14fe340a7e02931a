//! A real TiDB engine, the product, a folder or a real S3 server: what the files hold, applied to a database of its own by
//! `tidegate consume`, is what the upstream holds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod clouds;
mod kills;
mod place;
mod tables;

use place::Place;
use serde_json::{Value, json};
use tg_testkit::{Rig, Sql, compare};

/// csv with all that is needed to apply it.
fn csv() -> Value {
    json!({"csv": {"include_commit_ts": true, "output_old_value": true, "binary_encoding_method": "hex"}})
}

/// Creates a database upstream and a changefeed into a place that began just before.
async fn feed(rig: &Rig, db: &str, place: &Place, sink: &Value) -> Sql {
    let mut up = Sql::connect(&rig.upstream.url()).await.unwrap();
    let start_ts = up.now_ts().await.unwrap();
    up.all(&[&format!("CREATE DATABASE {db}"), &format!("USE {db}")]).await.unwrap();
    let config = json!({"force_replicate": true, "filter": {"rules": [format!("{db}.*")]}, "sink": sink});
    let body = json!({"changefeed_id": db, "start_ts": start_ts, "sink_uri": place.uri(), "replica_config": config});
    rig.tidegate.api().create(&body).await.unwrap_or_else(|e| panic!("{e:#}\n{}", rig.tidegate.log_tail()));
    up
}

/// Waits until the files hold everything, applies them to the database downstream, and compares: tables and rows.
async fn verify(rig: &Rig, db: &str, place: &Place, up: &mut Sql) -> (usize, usize) {
    let now = up.now_ts().await.unwrap();
    place.wait_checkpoint(now, || rig.tidegate.log_tail()).await;
    place.consume(&rig.downstream.url());
    let found = compare(&rig.upstream.url(), &rig.downstream.url(), &[db]).await.unwrap();
    assert!(found.differences.is_empty(), "{db}: they differ:\n{}", found.differences.join("\n"));
    (found.tables, found.rows)
}
