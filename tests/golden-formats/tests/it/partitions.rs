//! Partitions: every row goes where TiCDC sent it.

use crate::common::items;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_format_canal_json::{CanalJson, Options};
use tg_format_common::{Encoder, Messages, Table};
use tg_format_partition::{PartitionRule, Partitioner};
use tg_golden_formats::{Item, folder, topic};
use tgr1::Batch;

/// Partitions of the recorded topics.
const PARTITIONS: u32 = 5;

/// A row without the time its message was made.
fn row(value: &[u8]) -> String {
    let mut parsed: Value = serde_json::from_slice(value).unwrap();
    parsed["ts"] = Value::Null;
    parsed.to_string()
}

fn check(name: &str, rule: &PartitionRule) {
    let (Some(dir), Some(items)) = (folder(), items()) else { return };
    let mut theirs: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for record in topic(&dir, name) {
        let value = record.value.unwrap();
        let parsed: Value = serde_json::from_slice(&value).unwrap();
        if parsed["isDdl"] == false && parsed["type"] != "TIDB_WATERMARK" {
            theirs.entry(row(&value)).or_default().insert(record.partition);
        }
    }
    let mut encoder = CanalJson::new(Options { enable_tidb_extension: true, ..Options::default() }).unwrap();
    let mut compared = 0;
    let mut used = BTreeSet::new();
    for item in &items {
        let Item::Rows(change) = item else { continue };
        let table = Table::new(Arc::clone(&change.schema), None).unwrap();
        let mut partitioner = Partitioner::new(rule, &table).unwrap();
        encoder.table(Arc::clone(&change.schema), None).unwrap();
        for source in &Batch::parse(&change.batch).unwrap() {
            let mut out = Messages::new();
            encoder.row(change.schema.id, &source, 0, &mut out).unwrap();
            let partition = partitioner.partition(&table, &source, PARTITIONS).unwrap();
            // An update of a nullable unique key, which they split, is the one that is not there.
            if let Some(want) = theirs.get(&row(out.get(0).unwrap().value.unwrap())) {
                assert_eq!(*want, BTreeSet::from([partition]), "{} {:?}", table.full_name, source);
                used.insert(partition);
                compared += 1;
            }
        }
    }
    println!("{name}: {compared} rows in {} partitions", used.len());
    assert_eq!(compared, 210, "rows that both have");
    assert!(used.len() > 3, "partitions used: {used:?}");
}

#[test]
fn by_table() {
    check("partition-table", &PartitionRule::Table);
    check("partition-default", &PartitionRule::parse("default", None, &[]));
}

#[test]
fn by_index_value() {
    check("partition-index-value", &PartitionRule::IndexValue(None));
}

#[test]
fn by_ts() {
    check("partition-ts", &PartitionRule::Ts);
}
