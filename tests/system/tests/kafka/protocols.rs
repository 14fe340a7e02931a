//! Every message format, decoded, says what the source holds.

use crate::support::{Read, Rig, applied, source};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tg_format_avro::{SchemaId, SchemaText};
use tg_format_common::ChangeEvent;
use tg_test_servers::SchemaRegistry;

/// Schemas by their numbers.
#[derive(Clone)]
struct Texts(BTreeMap<u32, String>);

impl SchemaText for Texts {
    fn text(&self, id: &SchemaId) -> Option<String> {
        match id {
            SchemaId::Confluent(id) => self.0.get(id).cloned(),
            SchemaId::Glue(_) => None,
        }
    }
}

impl Texts {
    async fn of(messages: &[Read], registry: &str) -> Self {
        let header = |b: &Vec<u8>| Some(u32::from_be_bytes(b.get(1..5)?.try_into().ok()?));
        let ids: BTreeSet<u32> =
            messages.iter().flat_map(|m| [m.key.as_ref(), m.value.as_ref()]).flatten().filter_map(header).collect();
        let mut texts = BTreeMap::new();
        for id in ids {
            let answer = reqwest::get(format!("{registry}/schemas/ids/{id}")).await.unwrap();
            let body: Value = answer.json().await.unwrap();
            texts.insert(id, body["schema"].as_str().unwrap().to_owned());
        }
        Self(texts)
    }
}

async fn decoded(protocol: &str, messages: &[Read], registry: &str) -> Vec<ChangeEvent> {
    let texts = if protocol.contains("avro") { Texts::of(messages, registry).await } else { Texts(BTreeMap::new()) };
    let mut simple = tg_format_simple::Decoder::new();
    let mut avro = tg_format_avro::Decoder::new(texts.clone());
    let mut debezium_avro = tg_format_debezium_avro::Decoder::new(texts);
    let mut events = Vec::new();
    for m in messages {
        let (key, value) = (m.key.as_deref(), m.value.as_deref());
        let whole = value.unwrap_or_default();
        match protocol {
            "canal-json" => events.push(tg_format_canal_json::decode(whole).unwrap()),
            "open-protocol" => {
                events.extend(tg_format_open_protocol::decode(key.unwrap_or_default(), whole, None).unwrap());
            }
            "simple" => events.push(simple.decode(whole).unwrap()),
            "debezium" => {
                let names = key.map_or_else(Vec::new, |k| tg_format_debezium::decode_key(k).unwrap());
                events.push(tg_format_debezium::decode(&names, whole).unwrap());
            }
            "avro" => events.push(avro.decode(key, value).unwrap()),
            "debezium-avro" => events.push(debezium_avro.decode(key, whole).unwrap()),
            other => panic!("{other}"),
        }
    }
    events
}

async fn check(protocol: &str, params: &str, config: Value, registry: &str) {
    let rig = Rig::shared();
    let name = format!("p_{}", protocol.replace('-', "_"));
    let mut feed = rig.feed(&name, &format!("protocol={protocol}&{params}"), config).await;
    let statements = [
        "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT, name VARCHAR(40))",
        "INSERT INTO t VALUES (1, 10, 'one'), (2, NULL, NULL), (3, -3, 'dröi \"x\"'), (9, 9, 'nine')",
        "UPDATE t SET v = 11, name = 'eins' WHERE id = 1",
        "UPDATE t SET id = 4 WHERE id = 3",
        "DELETE FROM t WHERE id = 9",
        "ALTER TABLE t ADD COLUMN w INT DEFAULT 5",
        "INSERT INTO t VALUES (5, 5, 'five', 7)",
        "ALTER TABLE t DROP COLUMN w",
        "INSERT INTO t VALUES (6, 6, '')",
    ];
    feed.up.all(&statements).await.unwrap();
    for batch in 0..5 {
        let rows: Vec<String> = (0..200).map(|i| format!("({}, {i}, 'row {i}')", 1000 + batch * 200 + i)).collect();
        feed.up.run(&format!("INSERT INTO t VALUES {}", rows.join(","))).await.unwrap();
    }
    feed.catch_up(&rig).await;
    let messages = feed.read();
    let events = decoded(protocol, &messages, registry).await;
    let mut found = applied(&events);
    // The column that came and went is in the images of its time only.
    found.values_mut().for_each(|row| drop(row.remove("w")));
    assert_eq!(found, source(&mut feed.up, "t").await, "{protocol}");
    let ddls = events.iter().filter(|e| matches!(e, ChangeEvent::Ddl(_))).count();
    if !protocol.contains("avro") {
        let places = if protocol == "canal-json" { 1 } else { 3 };
        assert_eq!(
            ddls,
            4 * places,
            "{protocol}: CREATE DATABASE and TABLE, ADD and DROP COLUMN in {places} partitions"
        );
    }
    println!("{protocol}: {} messages, {} events, {} rows equal", messages.len(), events.len(), found.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn formats_without_a_registry() {
    let by_key = json!({"sink": {"dispatchers": [{"matcher": ["*.*"], "partition": "index-value"}]}});
    check("canal-json", "enable-tidb-extension=true", by_key.clone(), "").await;
    check("open-protocol", "max-batch-size=7", by_key.clone(), "").await;
    check("simple", "compression=zstd", by_key.clone(), "").await;
    check("debezium", "partition-num=3", by_key, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn formats_with_a_registry() {
    let registry = SchemaRegistry::start().unwrap();
    let url = registry.url();
    let config = json!({"sink": {"schema_registry": url}});
    check("avro", "enable-tidb-extension=true", config.clone(), &url).await;
    check("debezium-avro", "", config, &url).await;
}
