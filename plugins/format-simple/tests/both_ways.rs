//! What was encoded reads back in both encodings, and arbitrary bytes are an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use tg_format_common::{ChangeEvent, Compression, DecodeError, Encoder, Large, LargeMode, Messages, RowChange};
use tg_format_fixtures::{all_types, datum, encoded, expected, sorted};
use tg_format_simple::{Decoder, Encoding, Options, Simple};

const BOTH: [Encoding; 2] = [Encoding::Json, Encoding::Avro];

fn encoder(encoding: Encoding) -> Simple {
    Simple::new(Options { encoding, ..Options::default() })
}

/// A decoder that knows the table.
fn decoder(encoder: &mut Simple) -> Decoder {
    let mut out = Messages::new();
    encoder.bootstrap(all_types().id, 5, &mut out).unwrap();
    let mut decoder = Decoder::new();
    let event = decoder.decode(out.get(0).unwrap().value.unwrap()).unwrap();
    let ChangeEvent::Schema(schema) = event else { panic!("{event:?}") };
    assert_eq!((schema.version, schema.columns.len()), (399, all_types().columns.len()));
    assert_eq!(schema.columns[28].members, ["a", "b,c", "含"]);
    decoder
}

fn decoded(decoder: &mut Decoder, messages: &Messages) -> Vec<RowChange> {
    messages.iter().map(|m| sorted(decoder.decode(m.value.unwrap()).unwrap())).collect()
}

#[test]
fn rows_need_their_schema() {
    for encoding in BOTH {
        let messages = encoded(&mut encoder(encoding), 1);
        let error = Decoder::new().decode(messages.get(0).unwrap().value.unwrap()).unwrap_err();
        assert_eq!(error, DecodeError::NoSchema { table: "shop.all".to_owned(), version: 399 });
    }
}

#[test]
fn large_rows_send_their_key() {
    for encoding in BOTH {
        let large = Large { mode: LargeMode::HandleKeyOnly, ..Large::refuse_above(500) };
        let mut encoder = Simple::new(Options { encoding, large, ..Options::default() });
        let messages = encoded(&mut encoder, 3);
        for row in decoded(&mut decoder(&mut encoder), &messages).iter().filter(|row| row.key_only) {
            assert!(row.after.iter().chain(&row.before).all(|image| image.len() == 2 && image.iter().all(|f| f.key)));
        }
        let all = decoded(&mut decoder(&mut encoder), &messages);
        assert!(all.iter().any(|row| row.key_only), "{encoding:?}");
    }
}

#[test]
fn every_value_is_compressed_by_itself() {
    for (encoding, compression) in BOTH.into_iter().zip([Compression::Snappy, Compression::Lz4]) {
        let expand = compression.inverse().unwrap();
        let large = Large { compress: compression.forward(), ..Large::unlimited() };
        let mut encoder = Simple::new(Options { encoding, large, ..Options::default() });
        let messages = encoded(&mut encoder, 3);
        let mut out = Messages::new();
        encoder.bootstrap(all_types().id, 5, &mut out).unwrap();
        encoder.watermark(77, 9, &mut out).unwrap();
        let mut decoder = Decoder::new();
        let mut whole = |m: tg_format_common::Message<'_>| decoder.decode(&expand(m.value.unwrap()).unwrap()).unwrap();
        assert!(matches!(whole(out.get(0).unwrap()), ChangeEvent::Schema(_)));
        assert_eq!(whole(out.get(1).unwrap()), ChangeEvent::Watermark(77));
        let rows: Vec<_> = messages.iter().map(|m| sorted(whole(m))).collect();
        assert_eq!(rows, expected(3, datum), "{encoding:?}");
    }
}

#[test]
fn watermarks() {
    for encoding in BOTH {
        let mut out = Messages::new();
        encoder(encoding).watermark(77, 9, &mut out).unwrap();
        assert_eq!(Decoder::new().decode(out.get(0).unwrap().value.unwrap()), Ok(ChangeEvent::Watermark(77)));
    }
}

proptest! {
    #[test]
    fn rows_read_back(seed: u64) {
        for encoding in BOTH {
            let mut encoder = encoder(encoding);
            let messages = encoded(&mut encoder, seed);
            prop_assert_eq!(decoded(&mut decoder(&mut encoder), &messages), expected(seed, datum));
        }
    }

    #[test]
    fn other_bytes_are_an_error(seed: u64, at: usize, byte: u8, noise in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Decoder::new().decode(&noise);
        for encoding in BOTH {
            let mut encoder = encoder(encoding);
            let messages = encoded(&mut encoder, seed);
            let mut decoder = decoder(&mut encoder);
            let mut value = messages.get(0).unwrap().value.unwrap().to_vec();
            prop_assert!(decoder.decode(&value[..at % value.len()]).is_err());
            let at = at % value.len();
            value[at] = byte;
            let _ = decoder.decode(&value);
        }
    }
}
