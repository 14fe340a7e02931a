//! Ids of changes: the same whenever a change is written, of no other change, and where they were asked for.

use crate::world::{Record, World, config, give};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tg_format_fixtures::{all_types, plain_table, rows};
use tgr1::{Batch, BatchWriter, ColumnSpec, ImageKind, Logical, Op, select};
use tidegate_sdk::{DdlEvent, DdlKind, Index, Position, Sink, TableSchema};

const ROWS: usize = 60;
const FORMATS: [&str; 4] = ["canal-json", "open-protocol", "simple", "debezium"];

fn told(protocol: &str, place: &str) -> Value {
    config(protocol, &json!({"event-id": place, "enable-tidb-extension": true}))
}

/// Ids in headers, in order; an empty one for a record without.
fn headers(records: &[Record]) -> Vec<String> {
    let ids = |r: &Record| match r.headers.as_slice() {
        [] => vec![String::new()],
        [(name, ids)] if name == "tidegate-event-id" => {
            String::from_utf8(ids.clone()).unwrap().split(',').map(str::to_owned).collect()
        }
        other => panic!("{other:?}"),
    };
    records.iter().flat_map(ids).collect()
}

/// Ids in messages, in order.
fn members(protocol: &str, records: &[Record]) -> Vec<String> {
    let mark = match protocol {
        "open-protocol" => "\"eid\":\"",
        "debezium" => "\"event_id\":\"",
        _ => "\"eventId\":\"",
    };
    let of = |r: &Record| {
        let whole = if protocol == "open-protocol" { &r.key } else { &r.value };
        let text = String::from_utf8_lossy(whole.as_ref().unwrap()).into_owned();
        let found = text.split(mark).skip(1).map(|rest| rest[..rest.find('"').unwrap()].to_owned());
        found.collect::<Vec<_>>()
    };
    records.iter().flat_map(of).collect()
}

/// The rows as one run after another writes them, each in batches of so many rows.
fn written(config: &Value, schema: &Arc<TableSchema>, runs: &[(Vec<u8>, u32)]) -> Vec<Record> {
    let world = World::default();
    for (data, at_once) in runs {
        world.life(config, |sink| give(sink, schema, data, *at_once).unwrap()).unwrap();
    }
    let is_row = |r: &Record| !String::from_utf8_lossy(r.value.as_deref().unwrap()).contains("BOOTSTRAP");
    world.records().into_iter().filter(is_row).collect()
}

#[test]
fn a_restart_and_other_batches_do_not_change_ids() {
    let schema = Arc::new(all_types());
    let data = rows(&schema, 11, ROWS);
    let part = |rows: std::ops::Range<u32>| select(&Batch::parse(&data).unwrap(), rows).unwrap();
    for protocol in FORMATS {
        let config = told(protocol, "both");
        let once = written(&config, &schema, &[(data.clone(), ROWS as u32)]);
        let ids = headers(&once);
        assert_eq!(ids.len(), ROWS, "{protocol}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ROWS, "{protocol}: no id is there twice");
        assert_eq!(ids, members(protocol, &once), "{protocol}: header and member say the same");
        // The second run begins again a few rows before the place where the first ended.
        let again = written(&config, &schema, &[(part(0..31), 7), (part(20..60), 13)]);
        let expected: Vec<String> = ids[..31].iter().chain(&ids[20..]).cloned().collect();
        assert_eq!(headers(&again), expected, "{protocol}");
        assert_eq!(members(protocol, &again), expected, "{protocol}");
    }
    let ids = |protocol| headers(&written(&told(protocol, "header"), &schema, &[(data.clone(), 60)]));
    assert!(FORMATS.iter().all(|p| ids(p) == ids("canal-json")), "the format does not matter");
}

#[test]
fn ids_are_only_where_they_were_asked_for() {
    let schema = Arc::new(all_types());
    let data = rows(&schema, 3, ROWS);
    for protocol in FORMATS {
        let of = |place| written(&told(protocol, place), &schema, &[(data.clone(), 60)]);
        let (none, header, message) = (of("none"), of("header"), of("message"));
        assert!(none.iter().all(|r| r.headers.is_empty()), "{protocol}");
        assert!(members(protocol, &none).is_empty() && members(protocol, &header).is_empty(), "{protocol}");
        assert!(message.iter().all(|r| r.headers.is_empty()), "{protocol}");
        assert_eq!(members(protocol, &message), headers(&header), "{protocol}");
    }
    for (protocol, more) in [("canal-json", json!({})), ("simple", json!({"encoding-format": "avro"}))] {
        let mut config = config(protocol, &more);
        config["event-id"] = json!("message");
        let refused = World::default().life(&config, |_| ()).unwrap_err().to_string();
        assert!(refused.contains("header"), "{protocol}: {refused}");
    }
}

/// `shop.orders` with the key that `keys` name, rows of one transaction: way, and the values of the first two columns.
fn transaction(key: &[&str], changes: &[(Op, i64, &str)]) -> (Arc<TableSchema>, Vec<u8>) {
    let mut schema = plain_table();
    schema.columns.truncate(2);
    for column in &mut schema.columns {
        column.props.row_key = key.contains(&column.name.as_str());
        column.props.primary_key = column.props.row_key;
    }
    schema.indexes.clear();
    schema.row_key = None;
    let specs = [ColumnSpec::new(0, Logical::Int), ColumnSpec::new(1, Logical::Text)];
    let mut out = BatchWriter::new(schema.id.table, schema.id.version, &specs, 0);
    for (op, id, text) in changes {
        out.begin_row(450, 440, *op, 0);
        let images: &[ImageKind] = match op {
            Op::Insert => &[ImageKind::After],
            Op::Update => &[ImageKind::After, ImageKind::Before],
            Op::Delete => &[ImageKind::Before],
        };
        for image in images {
            out.begin_image(*image);
            out.put_i64(0, *id);
            out.put_bytes(1, text.as_bytes());
        }
        out.end_row().unwrap();
    }
    (Arc::new(schema), out.finish())
}

fn ids_of(key: &[&str], changes: &[(Op, i64, &str)]) -> Vec<String> {
    let (schema, data) = transaction(key, changes);
    headers(&written(&told("canal-json", "header"), &schema, &[(data, 100)]))
}

#[test]
fn changes_of_one_transaction_have_ids_of_their_own() {
    let (insert, update, delete) = (Op::Insert, Op::Update, Op::Delete);
    // Two rows swap their keys; a third changes, a fourth comes.
    let changes =
        [(delete, 1, "a"), (delete, 2, "a"), (insert, 1, "a"), (insert, 2, "a"), (update, 3, "a"), (insert, 4, "a")];
    let ids = ids_of(&["id"], &changes);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), changes.len(), "{ids:?}");
    // Where one value of a key ends and the next begins counts.
    let pairs = ids_of(&["id", "customer"], &[(insert, 1, "1"), (insert, 11, ""), (insert, 1, ""), (insert, 1, "11")]);
    assert_eq!(pairs.iter().collect::<BTreeSet<_>>().len(), 4, "{pairs:?}");
    // What is not of the key does not.
    let two = |text| ids_of(&["id"], &[(update, 3, text)]);
    assert_eq!(two("a"), two("b"));
    // Two rows without a key may be equal in everything.
    assert_eq!(ids_of(&[], &[(insert, 1, "a"), (insert, 1, "a")]), ["", ""]);
}

/// Ids are compared with ids that were written long ago.
#[test]
fn the_form_of_ids_stays() {
    assert_eq!(ids_of(&["id", "customer"], &[(Op::Update, 7, "x")]), ["450-440-77-u-83d7b323b955f634270495508c46923c"]);
    let statement = DdlEvent {
        at: Position { ts: 460, stage: 2, seq: 0 },
        kind: DdlKind::CreateTable,
        query: "CREATE TABLE `shop`.`n` (`id` INT)".to_owned(),
        database: "shop".to_owned(),
        table: "n".to_owned(),
        attrs: vec![("seq".to_owned(), "2".to_owned())],
        before: None,
        after: None,
        maybe_done: false,
    };
    for (protocol, places) in [("canal-json", 1), ("open-protocol", 3), ("simple", 3), ("debezium", 3)] {
        let world = World::default();
        world.life(&told(protocol, "both"), |sink| sink.on_ddl(&statement).unwrap()).unwrap();
        assert_eq!(headers(&world.records()), vec!["460-ddl-2"; places], "{protocol}");
        assert_eq!(members(protocol, &world.records()), vec!["460-ddl-2"; places], "{protocol}");
        let world = World::default();
        let told_of = |sink: &mut tg_plugin_kafka::Kafka| sink.on_checkpoint(Position { ts: 461, stage: 1, seq: 0 });
        world.life(&told(protocol, "both"), |sink| told_of(sink).unwrap()).unwrap();
        assert!(world.records().iter().all(|r| r.headers.is_empty()), "{protocol}: watermarks have none");
        assert!(members(protocol, &world.records()).is_empty(), "{protocol}");
    }
}

#[test]
fn a_key_that_is_not_sent_still_counts() {
    let mut schema = all_types();
    let other = schema.columns.iter().position(|c| c.name == "bu").unwrap() as u32;
    schema.indexes.push(Index { name: "bu".to_owned(), columns: vec![other], unique: true, primary: false });
    let schema = Arc::new(schema);
    let data = rows(&schema, 5, ROWS);
    let whole = written(&told("canal-json", "header"), &schema, &[(data.clone(), 60)]);
    let mut config = told("canal-json", "header");
    config["column-selectors"] = json!([{"matcher": ["*.*"], "columns": ["*", "!k", "!id"]}]);
    let part = written(&config, &schema, &[(data.clone(), 9)]);
    assert_eq!(headers(&part), headers(&whole));
    config["event-id"] = json!("none");
    let plain = written(&config, &schema, &[(data, 9)]);
    let values = |all: &[Record]| all.iter().map(|r| stripped(r.value.as_deref().unwrap())).collect::<Vec<_>>();
    assert_eq!(values(&part), values(&plain), "what is sent is what was selected");
}

/// A message without the time of its making.
fn stripped(value: &[u8]) -> Value {
    let mut value: Value = serde_json::from_slice(value).unwrap();
    value["ts"] = Value::Null;
    value
}

#[test]
fn joined_changes_list_their_ids_within_the_limit() {
    let schema = Arc::new(all_types());
    let data = rows(&schema, 8, ROWS);
    let limit = 9_000;
    let mut config = told("open-protocol", "header");
    config["max-message-bytes"] = json!(limit);
    config["max-batch-size"] = json!(100);
    let records = written(&config, &schema, &[(data, 60)]);
    assert!(records.len() < ROWS, "some are joined");
    for r in &records {
        let headers: usize = r.headers.iter().map(|(name, ids)| name.len() + ids.len()).sum();
        let bytes = r.key.as_ref().unwrap().len() + r.value.as_ref().unwrap().len() + 36 + headers;
        assert!(bytes <= limit, "{bytes}");
        let count = tg_format_open_protocol::decode(r.key.as_deref().unwrap(), r.value.as_deref().unwrap(), None);
        assert_eq!(self::headers(std::slice::from_ref(r)).len(), count.unwrap().len());
    }
}

#[test]
fn what_was_handed_over_before_a_failure_is_not_handed_over_again() {
    let schema = Arc::new(plain_table());
    let data = rows(&schema, 2, ROWS);
    let world = World::default();
    world.refuse_in(25);
    let lived = world.life(&told("canal-json", "header"), |sink| {
        assert!(give(sink, &schema, &data, 60).is_err());
        let barrier =
            tidegate_sdk::Barrier { id: 2, kind: tidegate_sdk::BarrierKind::Checkpoint, at: Position::default() };
        sink.flush(barrier).unwrap();
    });
    lived.unwrap();
    let all = written(&told("canal-json", "header"), &schema, &[(data, 60)]);
    assert_eq!(headers(&world.records()), headers(&all));
}
