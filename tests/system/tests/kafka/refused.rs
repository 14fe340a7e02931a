//! What cannot be is refused when the changefeed is made, with a code and the place.

use crate::support::{Feed, Rig};
use serde_json::{Value, json};
use tg_testkit::Sql;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_with_its_place() {
    let rig = Rig::shared();
    let mut up = Sql::connect(&rig.upstream.url()).await.unwrap();
    let start_ts = up.now_ts().await.unwrap();
    let feed = Feed { name: "refused".to_owned(), up, api: rig.tidegate.api(), address: rig.kafka.address() };
    let rule = |topic: &str| json!({"sink": {"dispatchers": [{"matcher": ["*.*"], "topic": topic}]}});
    let registry = json!({"sink": {"schema_registry": "http://127.0.0.1:1",
        "dispatchers": [{"matcher": ["*.*"], "topic": "x_{schema}"}]}});
    let cases: [(&str, Value, &[&str]); 8] = [
        ("", json!({}), &["TG-6004", "sink.protocol"]),
        ("protocol=csv", json!({}), &["TG-6003", "csv"]),
        ("protocol=canal-jsn", json!({}), &["TG-6013", "canal-json"]),
        ("protocol=simple&auto-create-topic=false", json!({}), &["TG-3205", "refused"]),
        ("protocol=simple&replication-factor=3", json!({}), &["TG-3206", "refused"]),
        ("protocol=simple&partitions=3", json!({}), &["TG-6012", "partition-num"]),
        ("protocol=simple", rule("{table}"), &["TG-4120", "sink.dispatchers[0]"]),
        ("protocol=avro", registry, &["TG-4120", "{table}"]),
    ];
    for (params, config, words) in cases {
        let error = format!("{:#}", feed.create(start_ts, params, config).await.unwrap_err());
        for word in words {
            assert!(error.contains(word), "{params}: {error}");
        }
    }
    let nobody = Feed { address: "127.0.0.1:1".to_owned(), ..feed };
    let error = nobody.create(start_ts, "protocol=simple&read-timeout=1s", json!({})).await.unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("TG-3201") && error.contains("127.0.0.1:1"), "{error}");
}
