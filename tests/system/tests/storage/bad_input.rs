//! What is wrong is said with a code, at once, and without secrets.

use super::Place;
use serde_json::json;
use tg_testkit::Rig;

async fn refusal(rig: &Rig, name: &str, uri: &str) -> String {
    let body = json!({"changefeed_id": name, "sink_uri": uri, "replica_config": {"force_replicate": true}});
    format!("{:#}", rig.tidegate.api().create(&body).await.unwrap_err())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_places_and_formats_are_refused() {
    let rig = Rig::shared().unwrap();
    let place = Place::s3("protocol=csv", "");
    let uri = place.uri();
    let folder = Place::folder("protocol=csv", "");
    for (change, code) in [
        (uri.replace("s3://changes", "s3://elsewhere"), "TG-3304"),
        (uri.replace("tidegate-test-secret", "hunter2"), "TG-3306"),
        (uri.replace("protocol=csv", "protocol=avro"), "avro"),
        (uri.replace("protocol=csv", "protocol=csv&zero-dates=null"), "zero-dates"),
        (uri.replace("protocol=csv", "protocol=parquet&zero-dates=nil"), "one of refuse, null"),
        (uri.replace("protocol=csv", "protocol=parquet&enable-tidb-extension=true"), "TG-6004"),
        (uri.replace("protocol=csv", "protocol=csv&flush-intervall=1s"), "did you mean `flush-interval`"),
        (folder.uri().replace("?protocol=csv", ""), "protocol"),
        (folder.uri().replace("/files?", "/changefeed.toml?"), "TG-3304"),
    ] {
        let said = refusal(&rig, "bad-storage", &change).await;
        assert!(said.contains(code), "{change}: {said}");
        assert!(!said.contains("hunter2") && !said.contains("tidegate-test-secret"), "{said}");
    }
    let ended = folder.run(&["--to", "kafka://127.0.0.1:1/t?protocol=csv"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("TG-8212"), "{}", ended.err);
}
