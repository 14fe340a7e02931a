//! The simple protocol in JSON and Avro: rows, DDL and bootstrap messages as TiCDC wrote them.

use crate::common::{Compare, KNOWN, Known, Pair, cut, encode_all, number_after, whole};
use serde_json::Value;
use tg_format_simple::{Encoding, Options, Simple};

/// Differences of schemas in messages.
const SCHEMAS: [Known; 1] =
    [Known { table: "types.js", theirs: 1, ours: 1, why: "a column generated on read is not handed to plugins" }];
/// What JSON shows and a decoded message does not.
const TEXTS: [Known; 3] = [
    Known { table: "types.times", theirs: 1, ours: 1, why: "digits left open: they give -1 in this one message" },
    Known { table: "ddl.ex", theirs: 1, ours: 1, why: "after EXCHANGE PARTITION they keep an older schema version" },
    Known { table: "ddl.p", theirs: 1, ours: 1, why: "after ADD PARTITION they keep an older schema version" },
];
const EXCHANGE: Known =
    Known { table: "ddl.p", theirs: 1, ours: 1, why: "they describe the other table as the one before" };

/// The differences of every format, but for the name of EXCHANGE PARTITION, which is ours here.
fn known(more: &[Known]) -> Vec<Known> {
    let general = KNOWN.into_iter().filter(|known| !matches!(known.table, "ddl.ex" | "ddl.p"));
    general.chain(SCHEMAS).chain([EXCHANGE]).chain(more.iter().copied()).collect()
}

fn options(encoding: Encoding) -> Options {
    Options { encoding, time_zone: "Etc/UTC".to_owned(), ..Options::default() }
}

fn is_ddl(parsed: &Value) -> bool {
    !parsed["sql"].is_null()
}

/// All but the time it was made and the statement.
fn shown((key, value): &Pair) -> String {
    let text = String::from_utf8(value.clone().unwrap()).unwrap();
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let built = format!("\"buildTs\":{}", parsed["buildTs"]);
    let text = text.replace(&built, "");
    let text = if is_ddl(&parsed) { cut(&text, ",\"sql\":", ",\"commitTs\":") } else { text };
    // The id of a partition, which batches do not hold, where the table's is meant.
    let text = if parsed["tableID"].is_null() { text } else { cut(&text, ",\"tableID\":", ",\"type\":") };
    format!("{key:?} {text}")
}

fn group((_, value): &Pair) -> Option<(String, u64)> {
    let value = value.as_ref().unwrap();
    let parsed: Value = serde_json::from_slice(value).unwrap();
    if parsed["type"] == "WATERMARK" || parsed["type"] == "BOOTSTRAP" {
        return None;
    }
    let schema = &parsed["tableSchema"];
    let (database, table) =
        if is_ddl(&parsed) { (&schema["schema"], &schema["table"]) } else { (&parsed["database"], &parsed["table"]) };
    let name = format!("{}.{}", database.as_str().unwrap_or_default(), table.as_str().unwrap_or_default());
    Some((name, number_after(value, "\"commitTs\":")))
}

#[test]
fn json() {
    let known = known(&TEXTS);
    let compare = Compare { topic: "simple-json", split: &whole, shown: &shown, group: &group, known: &known };
    compare.run(|items| encode_all(&mut Simple::new(options(Encoding::Json)), items));
}

/// What of a message is compared by value: maps have no order in Avro.
fn read(decoder: &mut tg_format_simple::Decoder, value: &[u8]) -> Option<(String, u64, String)> {
    use tg_format_common::ChangeEvent;
    let event = decoder.decode(value).unwrap_or_else(|e| panic!("{e}: {value:x?}"));
    match event {
        ChangeEvent::Row(mut row) => {
            for image in row.after.iter_mut().chain(row.before.iter_mut()) {
                image.sort_by(|a, b| a.name.cmp(&b.name));
            }
            let name = format!("{}.{}", row.database, row.table);
            // Without the id of a partition both have the same size.
            Some((name, row.commit_ts.unwrap(), format!("{row:?} {}", value.len())))
        }
        ChangeEvent::Ddl(mut ddl) => {
            ddl.query.clear();
            Some((format!("{}.{}", ddl.database, ddl.table), ddl.commit_ts.unwrap(), format!("{ddl:?}")))
        }
        ChangeEvent::Watermark(_) | ChangeEvent::Schema(_) => None,
    }
}

#[test]
fn avro() {
    use std::cell::RefCell;
    // Theirs come first, then ours: a schema is known before its rows either way.
    let decoder = RefCell::new(tg_format_simple::Decoder::new());
    let both = |(_, value): &Pair| read(&mut decoder.borrow_mut(), value.as_ref().unwrap());
    let known = known(&[]);
    let compare = Compare {
        topic: "simple-avro",
        split: &whole,
        shown: &|pair| both(pair).unwrap().2,
        group: &|pair| both(pair).map(|(name, ts, _)| (name, ts)),
        known: &known,
    };
    compare.run(|items| encode_all(&mut Simple::new(options(Encoding::Avro)), items));
}

#[test]
fn bootstraps() {
    let (Some(dir), Some(items)) = (tg_golden_formats::folder(), crate::common::items()) else { return };
    let mut theirs = std::collections::BTreeMap::new();
    for record in tg_golden_formats::topic(&dir, "simple-json") {
        let pair = (record.key, record.value);
        let parsed: Value = serde_json::from_slice(pair.1.as_ref().unwrap()).unwrap();
        if parsed["type"] == "BOOTSTRAP" {
            let schema = &parsed["tableSchema"];
            let name = schema["table"].as_str().unwrap().to_owned();
            theirs.insert((name, schema["tableID"].as_u64().unwrap(), schema["version"].as_u64()), shown(&pair));
        }
    }
    let mut encoder = Simple::new(options(Encoding::Json));
    let mut compared = std::collections::BTreeSet::new();
    for item in &items {
        let tg_golden_formats::Item::Rows(change) = item else { continue };
        let id = (change.schema.name.clone(), change.schema.id.table, change.schema.attrs[0].1.parse().ok());
        let Some(want) = theirs.get(&id) else { continue };
        let mut out = tg_format_common::Messages::new();
        tg_format_common::Encoder::table(&mut encoder, change.schema.clone(), None).unwrap();
        tg_format_common::Encoder::bootstrap(&mut encoder, change.schema.id, crate::common::NOW, &mut out).unwrap();
        let message = out.get(0).unwrap();
        let got = shown(&(message.key.map(<[u8]>::to_vec), message.value.map(<[u8]>::to_vec)));
        if change.schema.name != "js" {
            assert_eq!(*want, got);
        }
        compared.insert(id);
    }
    println!("{} bootstrap messages", compared.len());
    assert!(compared.len() > 20, "only {}", compared.len());
}
