//! Canal-JSON: every row, DDL and watermark as TiCDC wrote it.

use crate::common::{Compare, KNOWN, Known, Pair, SPLIT, cut, encode_all, number_after, whole};
use serde_json::Value;
use tg_format_canal_json::{CanalJson, Options};

/// What is compared of a message: without the time it was made, without the order in `mysqlType`, which is random.
fn shown((key, value): &Pair) -> String {
    let text = String::from_utf8(value.clone().unwrap()).unwrap();
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let text = cut(&text, ",\"ts\":", ",\"sql\":");
    if parsed["isDdl"] == true {
        return format!("{key:?} {}", cut(&text, "\"sql\":", ",\"sqlType\":"));
    }
    format!("{key:?} {} {}", cut(&text, ",\"mysqlType\":", ",\"old\":"), parsed["mysqlType"])
}

fn group((_, value): &Pair) -> Option<(String, u64)> {
    let value = value.as_ref().unwrap();
    let parsed: Value = serde_json::from_slice(value).unwrap();
    let name = format!("{}.{}", parsed["database"].as_str().unwrap(), parsed["table"].as_str().unwrap());
    (parsed["type"] != "TIDB_WATERMARK").then(|| (name, number_after(value, "\"es\":")))
}

fn check(topic: &str, options: impl Fn() -> Options, more: &[Known]) {
    let known = [&KNOWN[..], more].concat();
    let compare = Compare { topic, split: &whole, shown: &shown, group: &group, known: &known };
    compare.run(|items| encode_all(&mut CanalJson::new(options()).unwrap(), items));
}

#[test]
fn plain() {
    check("canal-json", Options::default, &[]);
}

#[test]
fn with_the_extension() {
    check("canal-json-tidb", || Options { enable_tidb_extension: true, ..Options::default() }, &[]);
}

#[test]
fn deletes_with_the_key_only() {
    check(
        "delete-only-handle-key",
        || Options { delete_only_handle_key: true, ..Options::default() },
        &[
            Known { table: "types.nopk", theirs: 1, ours: 1, why: "no key: they send an empty row, we send the row" },
            Known { table: "types.nuk", theirs: 1, ours: 1, why: "the same" },
        ],
    );
}

#[test]
fn files() {
    let (Some(dir), Some(mut items)) = (tg_golden_formats::folder(), crate::common::items()) else { return };
    // DDL is in schema files there.
    items.retain(|item| matches!(item, tg_golden_formats::Item::Rows(_)));
    let mut theirs = Vec::new();
    for (path, content) in tg_golden_formats::files(&dir, "storage-canal-json") {
        if path.ends_with(".json") && path.contains("/CDC") {
            let text = String::from_utf8(content).unwrap();
            let lines = text.strip_suffix("\r\n").unwrap().split("\r\n");
            theirs.extend(lines.map(|line| (None, Some(line.as_bytes().to_vec()))));
        }
    }
    let ours = encode_all(&mut CanalJson::new(Options::default()).unwrap(), &items);
    // Files have no keys.
    let ours = ours.into_iter().map(|(_, value)| (None, value)).collect();
    let compare = Compare { topic: "files", split: &whole, shown: &shown, group: &group, known: &[SPLIT] };
    compare.both(theirs, ours);
}
