//! Debezium JSON: keys and values as TiCDC wrote them.

use crate::common::{Compare, KNOWN, Known, Pair, cut, encode_all, number_after, whole};
use serde_json::Value;
use tg_format_debezium::{Debezium, Options};

/// Digits of times left open: in some DDL they give none, elsewhere 0 as we do.
const OPEN: [Known; 4] = [
    Known { table: "ddl.a", theirs: 1, ours: 1, why: "ADD COLUMN dt DATETIME" },
    Known { table: "ddl.ttl", theirs: 1, ours: 1, why: "DATETIME" },
    Known { table: "types.times", theirs: 1, ours: 1, why: "DATETIME, TIMESTAMP, TIME" },
    Known { table: "types.tpk", theirs: 1, ours: 1, why: "TIMESTAMP" },
];
/// Every schema of theirs lists a column generated on read, twice, and no row has it.
const VIRTUAL: Known = Known { table: "types.js", theirs: 24, ours: 24, why: "the schema lists what rows hold" };

/// All but the time it was made and the statement.
fn shown((key, value): &Pair) -> String {
    let text = String::from_utf8(value.clone().unwrap()).unwrap();
    let text = cut(&text, "\"cluster_id\":\"default\"},\"ts_ms\":", ",");
    let text = cut(&text, "\"ddl\":", ",\"tableChanges\":");
    format!("{} {text}", String::from_utf8(key.clone().unwrap()).unwrap())
}

fn group((_, value): &Pair) -> Option<(String, u64)> {
    let value = value.as_ref().unwrap();
    let parsed: Value = serde_json::from_slice(value).unwrap();
    let source = &parsed["payload"]["source"];
    let name = format!("{}.{}", source["db"].as_str().unwrap(), source["table"].as_str().unwrap());
    Some((name, number_after(value, "\"commit_ts\":")))
}

#[test]
fn envelopes() {
    let known = [&KNOWN[..], &OPEN, &[VIRTUAL]].concat();
    let compare = Compare { topic: "debezium", split: &whole, shown: &shown, group: &group, known: &known };
    compare.run(|items| encode_all(&mut Debezium::new(Options::default()), items));
}
