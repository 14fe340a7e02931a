//! Into Azure's and Google's stores, and back: every type and DDL.

use super::tables::{AFTER, BEFORE, CSV};
use super::{Place, csv, feed};
use serde_json::{Value, json};
use tg_test_servers::{AZURE_ACCOUNT, AZURE_KEY, Azurite, Gcs};
use tg_testkit::{Rig, compare};

const CONTAINER: &str = "changes";

async fn there_and_back(db: &str, place: &Place, sink: &Value) {
    let rig = Rig::shared().unwrap();
    let mut up = feed(&rig, db, place, sink).await;
    up.run("SET sql_mode = ''").await.unwrap();
    for half in [BEFORE, AFTER] {
        up.all(half).await.unwrap();
        let now = up.now_ts().await.unwrap();
        place.consume_until(now, &rig.downstream.url(), || rig.tidegate.log_tail()).await;
        let found = compare(&rig.upstream.url(), &rig.downstream.url(), &[db]).await.unwrap();
        assert!(found.differences.is_empty(), "{db}: they differ:\n{}", found.differences.join("\n"));
        assert!(found.tables > 0 && found.rows > 0);
        println!("{db}: {} tables with {} rows are equal", found.tables, found.rows);
    }
    let shown = rig.tidegate.api().changefeed(db).await.unwrap().to_string();
    assert!(!shown.contains("dGlkZWdhdGUt"), "{shown}");
    rig.tidegate.api().remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csv_in_azure() {
    let server = Azurite::start(CONTAINER).unwrap();
    let key = AZURE_KEY.replace('=', "%3D");
    let uri = |key: &str| {
        let login = format!("account-name={AZURE_ACCOUNT}&account-key={key}");
        format!("azblob://{CONTAINER}/some/prefix?endpoint={}&{login}&access-tier=Cool", server.url())
    };
    let params = "protocol=csv&flush-interval=200ms&file-size=1024";
    let place = Place::elsewhere(uri(&key), params, CSV);
    there_and_back("csv_azure", &place, &csv()).await;

    let refused = Place::elsewhere(uri("aHVudGVyMg%3D%3D"), params, CSV).run(&[]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("TG-3306") && !refused.err.contains("aHVudGVyMg"), "{}", refused.err);
    let refused = Place::elsewhere(uri(&key).replace("://changes", "://elsewhere"), params, CSV).run(&[]);
    assert!(refused.err.contains("TG-3304"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canal_json_in_gcs() {
    let server = Gcs::start(CONTAINER).unwrap();
    let file = server.credentials_file().display().to_string();
    let uri = format!("gs://{CONTAINER}/some/prefix?endpoint={}&credentials-file={file}", server.url());
    let params = "protocol=canal-json&flush-interval=200ms&enable-tidb-extension=true";
    there_and_back("canal_gcs", &Place::elsewhere(uri, params, ""), &json!({})).await;
}
