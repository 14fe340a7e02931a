//! Every byte of every golden batch, damaged in three ways: what this reader says of it is what every SDK must say.
//!
//! The first letter of a verdict is the error's kind (`m`agic, `b`ounds, `a`lign, `u`nknown); `s` is a string outside its row, found
//! when it is read; `.` is a batch that can be read. With `TGR1_WRITE_DAMAGE` set the file is written instead of compared.

use std::fmt::Write;
use std::path::PathBuf;
use tgr1::{Batch, FormatError, Image};

const BATCHES: [&str; 4] = ["small", "types", "wide", "empty"];
const MASKS: [u8; 3] = [0x01, 0x80, 0xff];

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../golden").join(name)
}

fn batch(name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(golden(&format!("{name}.hex"))).unwrap();
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn verdict(data: &[u8]) -> char {
    let batch = match Batch::parse(data) {
        Ok(batch) => batch,
        Err(FormatError::Magic) => return 'm',
        Err(FormatError::Bounds(_)) => return 'b',
        Err(FormatError::Align(_)) => return 'a',
        Err(FormatError::Unknown { .. }) => return 'u',
        Err(other) => panic!("{other}"),
    };
    let readable = |image: Image<'_>| batch.columns().enumerate().all(|(col, spec)| image.value(col, spec).is_ok());
    let fine = batch.iter().all(|row| row.after().is_none_or(readable) && row.before().is_none_or(readable));
    if fine { '.' } else { 's' }
}

#[test]
fn damage_is_seen_as_every_sdk_sees_it() {
    let mut seen = String::new();
    for name in BATCHES {
        let mut data = batch(name);
        assert_eq!(verdict(&data), '.', "{name}");
        for mask in MASKS {
            write!(seen, "{name} {mask:02x} ").unwrap();
            for at in 0..data.len() {
                data[at] ^= mask;
                seen.push(verdict(&data));
                data[at] ^= mask;
            }
            seen.push('\n');
        }
    }
    if std::env::var_os("TGR1_WRITE_DAMAGE").is_some() {
        std::fs::write(golden("damage.txt"), &seen).unwrap();
    }
    assert_eq!(seen, std::fs::read_to_string(golden("damage.txt")).unwrap());
}
