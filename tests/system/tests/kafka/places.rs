//! Topics, partitions, selected columns, watermarks.

use crate::support::{Rig, applied, read, row_id, source};
use base64::Engine as _;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use tg_format_common::{ChangeEvent, Compression};
use tg_format_partition::PositionHash;
use tg_testkit::CATCH_UP;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_give_tables_their_topics_and_rows_their_partitions() {
    let rig = Rig::shared();
    let config = json!({"sink": {
        "dispatchers": [
            {"matcher": ["places.a*"], "topic": "places_{schema}_{table}", "partition": "index-value"},
            {"matcher": ["places.b"], "partition": "columns", "columns": ["v"]},
        ],
        "column_selectors": [{"matcher": ["places.b"], "columns": ["*", "!name"]}],
    }});
    let mut feed = rig.feed("places", "protocol=canal-json&enable-tidb-extension=true&partition-num=5", config).await;
    for table in ["a1", "a2", "b", "c"] {
        feed.up.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY, v INT, name VARCHAR(20))")).await.unwrap();
        let rows: Vec<String> = (0..60).map(|i| format!("({i}, {}, 'x')", i % 7)).collect();
        feed.up.run(&format!("INSERT INTO {table} VALUES {}", rows.join(","))).await.unwrap();
        feed.up.run(&format!("UPDATE {table} SET name = 'y' WHERE id < 20")).await.unwrap();
    }
    let now = feed.catch_up(&rig).await;
    let address = rig.kafka.address();
    let mut partitions: BTreeMap<(String, String), BTreeSet<i32>> = BTreeMap::new();
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for topic in ["places", "places_places_a1", "places_places_a2"] {
        for m in read(&address, topic) {
            let event = tg_format_canal_json::decode(m.value.as_deref().unwrap()).unwrap();
            let ChangeEvent::Row(row) = &event else { continue };
            let after = row.after.as_ref().unwrap();
            let names: Vec<&str> = after.iter().map(|f| f.name.as_str()).collect();
            assert_eq!(names.contains(&"name"), row.table != "b", "{names:?}");
            let value = |name: &str| {
                let event = std::slice::from_ref(&event);
                applied(event).into_values().next().unwrap()[name].clone().unwrap()
            };
            let mut hash = PositionHash::new();
            hash.write(&[b"places", row.table.as_bytes()]);
            match row.table.as_str() {
                "a1" | "a2" => hash.write(&[b"id", row_id(row).as_bytes()]),
                "b" => hash.write(&[b"v", value("v").as_bytes()]),
                _ => {}
            }
            assert_eq!(m.partition, (hash.sum() % 5) as i32, "{} {}", row.table, row_id(row));
            partitions.entry((topic.to_owned(), row.table.clone())).or_default().insert(m.partition);
            *counts.entry((topic.to_owned(), row.table.clone())).or_default() += 1;
        }
    }
    let key = |topic: &str, table: &str| (topic.to_owned(), table.to_owned());
    let of = [
        (key("places", "b"), 80),
        (key("places", "c"), 80),
        (key("places_places_a1", "a1"), 80),
        (key("places_places_a2", "a2"), 80),
    ];
    assert_eq!(counts, of.into_iter().collect());
    assert_eq!(partitions[&key("places", "c")].len(), 1);
    assert_eq!(partitions[&key("places_places_a1", "a1")].len(), 5);
    // Watermarks follow in every partition of every topic.
    let deadline = Instant::now() + CATCH_UP;
    for topic in ["places", "places_places_a1", "places_places_a2"] {
        loop {
            let mut last: BTreeMap<i32, u64> = BTreeMap::new();
            for m in read(&address, topic) {
                match tg_format_canal_json::decode(m.value.as_deref().unwrap()).unwrap() {
                    ChangeEvent::Watermark(ts) => drop(last.insert(m.partition, ts)),
                    ChangeEvent::Row(row) => {
                        let seen = last.get(&m.partition).copied().unwrap_or(0);
                        assert!(row.commit_ts.unwrap() > seen, "a row behind its watermark");
                    }
                    ChangeEvent::Ddl(_) | ChangeEvent::Schema(_) => {}
                }
            }
            if last.len() == 5 && last.values().all(|ts| *ts >= now) {
                break;
            }
            assert!(Instant::now() < deadline, "{topic}: no watermark at {now}: {last:?}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_rows_leave_as_their_keys() {
    let rig = Rig::shared();
    let config =
        json!({"sink": {"kafka_config": {"large_message_handle": {"large_message_handle_option": "handle-key-only"}}}});
    let params = "protocol=canal-json&enable-tidb-extension=true&max-message-bytes=2000";
    let mut feed = rig.feed("large", params, config).await;
    feed.up.run("CREATE TABLE t (id INT PRIMARY KEY, v INT, name TEXT)").await.unwrap();
    feed.up.run("INSERT INTO t VALUES (1, 1, 'small'), (2, 2, REPEAT('x', 5000)), (3, 3, 'small')").await.unwrap();
    feed.catch_up(&rig).await;
    let mut key_only = BTreeMap::new();
    for m in feed.read() {
        if let ChangeEvent::Row(row) = tg_format_canal_json::decode(m.value.as_deref().unwrap()).unwrap() {
            key_only.insert(row_id(&row), row.key_only);
        }
    }
    let wanted = [("1", false), ("2", true), ("3", false)].map(|(id, only)| (id.to_owned(), only));
    assert_eq!(key_only, wanted.into_iter().collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_rows_are_stored_and_their_place_is_sent() {
    let rig = Rig::shared();
    let folder = tempfile::TempDir::with_prefix("tidegate-claims-").unwrap();
    let uri = format!("file://{}", folder.path().display());
    let config = json!({"sink": {"kafka_config": {"large_message_handle": {
        "large_message_handle_option": "claim-check", "large_message_handle_compression": "lz4",
        "claim_check_storage_uri": uri, "claim_check_retention": "7d"}}}});
    let mut feed = rig.feed("claimed", "protocol=simple&max-message-bytes=4000", config).await;
    feed.up.run("CREATE TABLE t (id INT PRIMARY KEY, v INT, name TEXT)").await.unwrap();
    // What does not get smaller by compression.
    let noise: String =
        (0..600_u64).map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(21))).collect();
    feed.up
        .run(&format!("INSERT INTO t VALUES (1, 1, 'small'), (2, 2, '{noise}'), (3, 3, REPEAT('x', 9000))"))
        .await
        .unwrap();
    feed.up.run("UPDATE t SET v = 5 WHERE id = 2").await.unwrap();
    feed.catch_up(&rig).await;
    let expand = Compression::Lz4.inverse().unwrap();
    let mut decoder = tg_format_simple::Decoder::new();
    let (mut whole, mut stored) = (Vec::new(), 0);
    for m in feed.read() {
        let event = decoder.decode(&expand(m.value.as_deref().unwrap()).unwrap()).unwrap();
        let ChangeEvent::Row(row) = &event else {
            whole.push(event);
            continue;
        };
        let Some(place) = &row.claim else {
            whole.push(event);
            continue;
        };
        stored += 1;
        let file = std::fs::read(place.strip_prefix("file://").unwrap()).unwrap();
        let file: serde_json::Value = serde_json::from_slice(&file).unwrap();
        let value = base64::engine::general_purpose::STANDARD.decode(file["value"].as_str().unwrap()).unwrap();
        whole.push(decoder.decode(&expand(&value).unwrap()).unwrap());
    }
    assert_eq!(stored, 2, "row 3 gets small enough");
    assert_eq!(applied(&whole), source(&mut feed.up, "t").await);
    old_ones_are_removed(folder.path(), &rig).await;
}

/// Gives the folder files that look like others of the changefeed, and waits until those are gone that it may remove.
async fn old_ones_are_removed(folder: &Path, rig: &Rig) {
    let names = || {
        let found = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        found.collect::<BTreeSet<String>>()
    };
    let mut expected = names();
    let one = expected.first().unwrap().clone();
    // Twenty digits of the commit-ts come first. Ten days ago one was of about this size.
    let ten_days = (10 * 86_400_000) << 18;
    let of_old = |n: u64| format!("{:020}{}", one[..20].parse::<u64>().unwrap() - ten_days + n, &one[20..]);
    let put = |name: &str, days_ago: u64| {
        let file = std::fs::File::create(folder.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(days_ago * 86_400)).unwrap();
    };
    (0..50).for_each(|n| put(&of_old(n), 10));
    let kept = [(of_old(50), 6), (format!("{}.json", &of_old(51)[..37]), 10), ("other.json".to_owned(), 900)];
    for (name, days_ago) in kept {
        put(&name, days_ago);
        expected.insert(name);
    }
    let deadline = Instant::now() + 2 * CATCH_UP;
    while names() != expected {
        assert!(names().is_superset(&expected), "more was removed: {:?}", names());
        assert!(Instant::now() < deadline, "{:?}\n{}", names(), rig.tidegate.log_tail());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
