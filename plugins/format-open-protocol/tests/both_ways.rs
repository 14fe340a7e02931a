//! What was encoded and joined reads back, and arbitrary bytes are an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use tg_format_common::{ChangeEvent, Compression, Encoder, Large, LargeMode, Messages};
use tg_format_fixtures::{datum, encoded, expected, sorted};
use tg_format_open_protocol::{OpenProtocol, Options, decode};

fn packed(mut encoder: OpenProtocol, seed: u64) -> Messages {
    let events = encoded(&mut encoder, seed);
    let numbers: Vec<u32> = (0..events.len() as u32).collect();
    let mut out = Messages::new();
    encoder.pack(&events, &numbers, &mut out).unwrap();
    out
}

fn decoded(messages: &Messages) -> Vec<tg_format_common::RowChange> {
    let events = messages.iter().flat_map(|m| decode(m.key.unwrap(), m.value.unwrap(), None).unwrap());
    events.map(sorted).collect()
}

#[test]
fn limits_of_a_message() {
    let messages = packed(OpenProtocol::new(Options { batch_rows: 5, ..Options::default() }), 1);
    assert_eq!(messages.iter().map(|m| m.rows).collect::<Vec<_>>(), [5, 5, 2]);
    let large = Large::refuse_above(9000);
    let messages = packed(OpenProtocol::new(Options { large, ..Options::default() }), 1);
    assert!(messages.len() > 1 && messages.iter().all(|m| m.weight() <= 9000));
    assert_eq!(decoded(&messages).len(), 12);
}

#[test]
fn large_rows_send_their_key() {
    let large = Large { mode: LargeMode::HandleKeyOnly, ..Large::refuse_above(700) };
    let messages = packed(OpenProtocol::new(Options { batch_rows: 1, large, ..Options::default() }), 3);
    for row in decoded(&messages) {
        assert!(row.key_only);
        assert!(row.after.iter().chain(&row.before).all(|image| image.len() == 2 && image.iter().all(|f| f.key)));
    }
}

#[test]
fn old_values_are_an_option() {
    let messages = packed(OpenProtocol::new(Options { output_old_value: false, ..Options::default() }), 1);
    let text: Vec<u8> = messages.iter().flat_map(|m| m.value.unwrap().to_vec()).collect();
    assert!(!text.windows(5).any(|w| w == b",\"p\":"), "no old rows");
    let messages = packed(OpenProtocol::new(Options { only_output_updated_columns: true, ..Options::default() }), 1);
    for (got, want) in decoded(&messages).into_iter().zip(expected(1, datum)) {
        let (Some(after), Some(before)) = (&want.after, &want.before) else { continue };
        let changed: Vec<_> =
            before.iter().zip(after).filter(|(b, a)| b.value != a.value).map(|(b, _)| b.clone()).collect();
        assert_eq!(got.before, Some(changed));
    }
}

#[test]
fn every_change_is_compressed_by_itself() {
    for compression in [Compression::Snappy, Compression::Lz4] {
        let large = Large { compress: compression.forward(), ..Large::unlimited() };
        let encoder = OpenProtocol::new(Options { batch_rows: 5, large, ..Options::default() });
        let messages = packed(encoder, 1);
        let read =
            |m: tg_format_common::Message<'_>| decode(m.key.unwrap(), m.value.unwrap(), compression.inverse()).unwrap();
        let rows: Vec<_> = messages.iter().flat_map(read).map(sorted).collect();
        assert_eq!(rows, expected(1, datum), "{compression:?}");
        let mut out = Messages::new();
        let large = Large { compress: compression.forward(), ..Large::unlimited() };
        OpenProtocol::new(Options { large, ..Options::default() }).watermark(77, 9, &mut out).unwrap();
        assert_eq!(read(out.get(0).unwrap()), [ChangeEvent::Watermark(77)], "which has no value");
    }
}

#[test]
fn watermarks() {
    let mut out = Messages::new();
    OpenProtocol::new(Options::default()).watermark(77, 9, &mut out).unwrap();
    let message = out.get(0).unwrap();
    assert_eq!(decode(message.key.unwrap(), message.value.unwrap(), None), Ok(vec![ChangeEvent::Watermark(77)]));
}

proptest! {
    #[test]
    fn rows_read_back(seed: u64) {
        let messages = packed(OpenProtocol::new(Options::default()), seed);
        prop_assert_eq!(decoded(&messages), expected(seed, datum));
    }

    #[test]
    fn other_bytes_are_an_error(seed: u64, at: usize, byte: u8, noise in proptest::collection::vec(any::<u8>(), 0..64)) {
        let messages = packed(OpenProtocol::new(Options::default()), seed);
        let message = messages.get(0).unwrap();
        let (key, mut value) = (message.key.unwrap(), message.value.unwrap().to_vec());
        prop_assert!(decode(key, &value[..at % value.len()], None).is_err());
        prop_assert!(decode(&noise, &value, None).is_err());
        let at = at % value.len();
        value[at] = byte;
        let _ = decode(key, &value, None);
    }
}
