//! Ids of changes over a real broker: the same over kills and for another changefeed with other slots and lanes.

use crate::support::{Read, Rig, read};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tg_format_common::ChangeEvent;

const HEADER: &str = "tidegate-event-id";
const PARAMS: &str = "protocol=canal-json&enable-tidb-extension=true&event-id=both";

fn keys(changes: &BTreeMap<String, (bool, String)>) -> BTreeSet<&String> {
    changes.keys().collect()
}

/// Changes by their ids; `true`: a statement. An id is of one change alone, and what has one says it twice.
fn changes(messages: &[Read]) -> BTreeMap<String, (bool, String)> {
    let mut out: BTreeMap<String, (bool, String)> = BTreeMap::new();
    for m in messages {
        let value = m.value.as_deref().unwrap();
        let event = tg_format_canal_json::decode(value).unwrap();
        let (is_ddl, what) = match &event {
            ChangeEvent::Watermark(_) => {
                assert!(m.headers.is_empty(), "watermarks have no id");
                continue;
            }
            ChangeEvent::Ddl(ddl) => (true, ddl.query.clone()),
            _ => (false, format!("{event:?}")),
        };
        let [(name, id)] = m.headers.as_slice() else { panic!("{:?} of {what}", m.headers) };
        assert_eq!(name, HEADER);
        let id = String::from_utf8(id.clone()).unwrap();
        let member: Value = serde_json::from_slice(value).unwrap();
        assert_eq!(member["_tidb"]["eventId"], json!(id));
        let known = out.entry(id.clone()).or_insert_with(|| (is_ddl, what.clone()));
        assert_eq!(known.1, what, "{id} is of two changes");
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_are_the_same_whenever_and_however_a_change_is_written() {
    let mut rig = Rig::start();
    let by_key = json!({"sink": {"dispatchers": [{"matcher": ["*.*"], "partition": "index-value"}]},
        "tidegate": {"exactly_once": false}});
    let mut feed = rig.feed("ids", PARAMS, by_key.clone()).await;
    let start_ts = feed.api.changefeed("ids").await.unwrap()["start_ts"].as_u64().unwrap();
    feed.up.run("CREATE TABLE t (id INT, k VARCHAR(20), v INT, PRIMARY KEY (id, k))").await.unwrap();
    let (mut inserted, mut updated) = (0, 0);
    for round in 0..12 {
        let rows: Vec<String> = (0..40).map(|i| format!("({}, 'k{}', {i})", round * 40 + i, i % 7)).collect();
        feed.up.run(&format!("INSERT INTO t VALUES {}", rows.join(","))).await.unwrap();
        // Two changes of one key in two transactions.
        feed.up
            .run(&format!("UPDATE t SET v = v + 100 WHERE id BETWEEN {} AND {}", round * 40, round * 40 + 9))
            .await
            .unwrap();
        (inserted, updated) = (inserted + 40, updated + 10);
        if round % 4 == 3 {
            rig.tidegate.kill9();
            rig.tidegate.restart().unwrap();
        }
    }
    // Rows whose keys move on by one: each is deleted and inserted.
    feed.up.run("UPDATE t SET id = id + 1 WHERE id >= 470 ORDER BY id DESC").await.unwrap();
    feed.catch_up(&rig).await;
    let first = feed.read();
    let found = changes(&first);
    let rows = found.values().filter(|(is_ddl, _)| !is_ddl).count();
    assert_eq!(rows, inserted + updated + 2 * 10);
    // Another changefeed with other slots, lanes and partitions, and one that writes everything into the first topic again.
    for (name, to, params, sizes) in [
        ("ids2", "ids2", "&partition-num=5", json!({"slots": 2, "lanes": 3})),
        ("ids3", "ids", "", json!({"slots": 1, "lanes": 1})),
    ] {
        let body = json!({"changefeed_id": name, "start_ts": start_ts,
            "sink_uri": format!("kafka://{}/{to}?{PARAMS}{params}", feed.address),
            "replica_config": {"filter": {"rules": ["ids.*"]}, "tidegate": sizes, "sink": by_key["sink"].clone()}});
        feed.api.create(&body).await.unwrap();
        name.clone_into(&mut feed.name);
        feed.catch_up(&rig).await;
    }
    assert_eq!(keys(&changes(&read(&feed.address, "ids2"))), keys(&found));
    let doubled = read(&feed.address, "ids");
    assert_eq!(keys(&changes(&doubled)), keys(&found), "who leaves out what was seen is left with every change once");
    let mut times: BTreeMap<&[u8], usize> = BTreeMap::new();
    let ids = doubled.iter().flat_map(|m| &m.headers).map(|(_, id)| id.as_slice());
    ids.for_each(|id| *times.entry(id).or_default() += 1);
    assert!(times.values().all(|n| *n >= 2));
    println!("{} changes with their ids, in {} messages", found.len(), times.values().sum::<usize>());
}
