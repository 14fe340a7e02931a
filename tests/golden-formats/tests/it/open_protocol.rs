//! Open protocol: every change as TiCDC wrote it, taken out of its frames; how many were joined belongs to the run.

use crate::common::{Compare, KNOWN, Known, Pair, cut, encode_all, number_after, whole};
use serde_json::Value;
use tg_format_common::Bytes;
use tg_format_open_protocol::{OpenProtocol, Options};

/// The changes of a message without frames.
fn unframed((key, value): Pair) -> Vec<Pair> {
    let (key, value) = (key.unwrap(), value.unwrap());
    let (mut keys, mut values) = (Bytes(&key[8..]), Bytes(&value));
    let mut all = Vec::new();
    while !keys.is_empty() {
        let (key, value) = (keys.framed("key").unwrap(), values.framed("value").unwrap());
        all.push((Some(key.to_vec()), Some(value.to_vec())));
    }
    assert!(values.is_empty());
    all
}

/// What is compared: all but the statement, and the partition's id, which batches do not hold.
fn shown((key, value): &Pair) -> String {
    let key = String::from_utf8(key.clone().unwrap()).unwrap();
    let value = String::from_utf8(value.clone().unwrap()).unwrap();
    let key = match key.find(",\"ptn\":") {
        Some(at) => format!("{}}}", &key[..at]),
        None => key,
    };
    format!("{key} {}", cut(&value, "{\"q\":", ",\"t\":"))
}

fn group((key, _): &Pair) -> Option<(String, u64)> {
    let key = key.as_ref().unwrap();
    let parsed: Value = serde_json::from_slice(key).unwrap();
    let name = format!("{}.{}", parsed["scm"].as_str()?, parsed["tbl"].as_str().unwrap_or_default());
    Some((name, number_after(key, "{\"ts\":")))
}

#[test]
fn changes() {
    let times = Known { table: "types.times", theirs: 5, ours: 5, why: "they cut the fraction of TIME(6)" };
    let fk = Known {
        table: "ddl.fk2",
        theirs: 1,
        ours: 1,
        why: "the upstream does not mark the index it made for a foreign key",
    };
    let known = [&KNOWN[..], &[times, fk]].concat();
    let compare = Compare { topic: "open-protocol", split: &unframed, shown: &shown, group: &group, known: &known };
    compare.run(|items| {
        // What DDL encodes is framed already, rows are not.
        let all = encode_all(&mut OpenProtocol::new(Options::default()), items);
        all.into_iter()
            .flat_map(|pair| if pair.0.as_ref().unwrap()[0] == 0 { unframed(pair) } else { whole(pair) })
            .collect()
    });
}
