//! What was encoded reads back, and arbitrary bytes are an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use tg_format_canal_json::{CanalJson, Options, decode};
use tg_format_common::{ChangeEvent, Compression, Encoder, Large, LargeMode, Messages, Table};
use tg_format_fixtures::{datum, encoded, expected, sorted};
use tgr1::Op;

fn options() -> Options {
    Options { enable_tidb_extension: true, ..Options::default() }
}

/// The columns that are in the message's key list: all of the primary key.
fn decoded(messages: &Messages) -> Vec<tg_format_common::RowChange> {
    messages.iter().map(|m| sorted(decode(m.value.unwrap()).unwrap())).collect()
}

#[test]
fn only_what_changed_of_old_rows() {
    let options = Options { content_compatible: true, ..options() };
    let messages = encoded(&mut CanalJson::new(options).unwrap(), 7);
    for (got, want) in decoded(&messages).into_iter().zip(expected(7, datum)) {
        let (Some(after), Some(before)) = (&want.after, &want.before) else { continue };
        let changed: Vec<_> =
            before.iter().zip(after).filter(|(b, a)| b.value != a.value).map(|(b, _)| b.clone()).collect();
        assert_eq!(got.before, Some(changed));
    }
    let text = String::from_utf8(messages.get(0).unwrap().value.unwrap().to_vec()).unwrap();
    for ty in
        ["varchar(64)", "decimal(20,4)", "int(10) unsigned", "enum('a','b,c','含')", "datetime(6)", "timestamp(3)"]
    {
        assert!(text.contains(&format!("\"{ty}\"")), "{ty}: {text}");
    }
}

#[test]
fn deletes_with_the_key_only() {
    let options = Options { delete_only_handle_key: true, ..options() };
    let messages = encoded(&mut CanalJson::new(options).unwrap(), 3);
    let deleted: Vec<_> = decoded(&messages).into_iter().filter(|row| row.op == Op::Delete).collect();
    assert_eq!(deleted.len(), 4);
    assert!(deleted.iter().all(|row| row.before.as_ref().unwrap().iter().map(|f| &f.name[..]).eq(["id", "k"])));
}

#[test]
fn large_rows_send_their_key() {
    let large = Large { mode: LargeMode::HandleKeyOnly, ..Large::refuse_above(900) };
    let messages = encoded(&mut CanalJson::new(Options { large, ..options() }).unwrap(), 3);
    for (message, row) in messages.iter().zip(decoded(&messages)) {
        assert!(message.weight() <= 900);
        assert!(row.key_only);
        assert!(row.after.iter().chain(&row.before).all(|image| image.len() == 2 && image.iter().all(|f| f.key)));
    }
}

#[test]
fn large_rows_are_stored_elsewhere() {
    let mut n = 0;
    let locate = Box::new(move || {
        n += 1;
        format!("{n}.json")
    });
    let mode = LargeMode::ClaimCheck { uri: "s3://claims/".to_owned(), locate, raw_value: true };
    let large = Large { mode, ..Large::refuse_above(900) };
    let messages = encoded(&mut CanalJson::new(Options { large, ..options() }).unwrap(), 3);
    let want = expected(3, datum);
    assert_eq!(messages.claims.len(), want.len());
    for (i, claim) in messages.claims.iter().enumerate() {
        assert_eq!((claim.message, &claim.file), (i, &format!("{}.json", i + 1)));
        assert_eq!(sorted(decode(&claim.content).unwrap()), want[i]);
        let row = sorted(decode(messages.get(i).unwrap().value.unwrap()).unwrap());
        assert_eq!(row.claim, Some(format!("s3://claims/{}.json", i + 1)));
    }
}

#[test]
fn every_value_is_compressed_by_itself() {
    for compression in [Compression::Snappy, Compression::Lz4] {
        let expand = compression.inverse().unwrap();
        let large = |limit| Large { compress: compression.forward(), ..Large::refuse_above(limit) };
        let mut encoder = CanalJson::new(Options { large: large(usize::MAX), ..options() }).unwrap();
        let messages = encoded(&mut encoder, 3);
        let whole = |m: tg_format_common::Message<'_>| sorted(decode(&expand(m.value.unwrap()).unwrap()).unwrap());
        assert_eq!(messages.iter().map(whole).collect::<Vec<_>>(), expected(3, datum), "{compression:?}");
        let plain = encoded(&mut CanalJson::new(options()).unwrap(), 3);
        let longest = |all: &Messages| all.iter().map(|m| m.weight()).max().unwrap();
        assert!(longest(&messages) < longest(&plain));
        let mut out = Messages::new();
        encoder.watermark(1 << 18 | 5, 9, &mut out).unwrap();
        let watermark = expand(out.get(0).unwrap().value.unwrap()).unwrap();
        assert_eq!(decode(&watermark), Ok(ChangeEvent::Watermark(1 << 18 | 5)));
        // What counts is the size when it is compressed.
        let large = large(longest(&messages));
        let within = encoded(&mut CanalJson::new(Options { large, ..options() }).unwrap(), 3);
        assert_eq!(longest(&within), longest(&messages));
        // A stored message is compressed too, and its stand-in.
        let mode = LargeMode::ClaimCheck {
            uri: "s3://claims".to_owned(),
            locate: Box::new(|| "1.json".to_owned()),
            raw_value: true,
        };
        let large = Large { mode, compress: compression.forward(), ..Large::refuse_above(700) };
        let stored = encoded(&mut CanalJson::new(Options { large, ..options() }).unwrap(), 3);
        let claim = stored.claims.first().unwrap();
        assert_eq!(sorted(decode(&expand(&claim.content).unwrap()).unwrap()), expected(3, datum)[claim.message]);
        let stand_in = sorted(decode(&expand(stored.get(claim.message).unwrap().value.unwrap()).unwrap()).unwrap());
        assert_eq!(stand_in.claim.as_deref(), Some("s3://claims/1.json"));
    }
}

#[test]
fn what_is_too_large_is_refused_by_name() {
    let table = Table::new(std::sync::Arc::new(tg_format_fixtures::all_types()), None).unwrap();
    let data = tg_format_fixtures::rows(&table.schema, 1, 1);
    let mut encoder = CanalJson::new(Options { large: Large::refuse_above(500), ..options() }).unwrap();
    encoder.table(table.schema.clone(), None).unwrap();
    let mut out = Messages::new();
    let row = tgr1::Batch::parse(&data).unwrap().row(0).unwrap();
    let error = encoder.row(table.schema.id, &row, 0, &mut out).unwrap_err();
    assert_eq!((error.code(), out.len(), out.len_bytes()), ("message-too-large", 0, 0));
    assert!(error.to_string().contains("shop.all at "), "{error}");
    let large = Large { mode: LargeMode::HandleKeyOnly, ..Large::unlimited() };
    assert!(CanalJson::new(Options { large, ..Options::default() }).is_err(), "marks need the extension");
}

#[test]
fn watermarks() {
    let mut out = Messages::new();
    CanalJson::new(options()).unwrap().watermark(1 << 18 | 5, 9, &mut out).unwrap();
    assert_eq!(decode(out.get(0).unwrap().value.unwrap()), Ok(ChangeEvent::Watermark(1 << 18 | 5)));
    CanalJson::new(Options::default()).unwrap().watermark(5, 9, &mut out).unwrap();
    assert_eq!(out.len(), 1, "none without the extension");
}

proptest! {
    #[test]
    fn rows_read_back(seed: u64) {
        let messages = encoded(&mut CanalJson::new(options()).unwrap(), seed);
        prop_assert_eq!(decoded(&messages), expected(seed, datum));
    }

    #[test]
    fn other_bytes_are_an_error(seed: u64, at: usize, byte: u8) {
        let messages = encoded(&mut CanalJson::new(options()).unwrap(), seed);
        let mut value = messages.get(0).unwrap().value.unwrap().to_vec();
        prop_assert!(decode(&value[..at % value.len()]).is_err());
        let at = at % value.len();
        value[at] = byte;
        let _ = decode(&value);
    }
}
