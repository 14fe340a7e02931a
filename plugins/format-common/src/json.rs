//! JSON text: strings, byte strings and numbers appended to a buffer.
//!
//! Strings are searched eight bytes at a time for what must be escaped, and copied in runs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::Write;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
/// First byte of U+2028 and U+2029 in UTF-8.
const LINE_SEPARATOR_LEAD: u8 = 0xe2;

/// Which characters are escaped beyond what JSON demands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Escape {
    /// Nothing but U+2028 and U+2029.
    Least,
    /// `<`, `>` and `&` too.
    Html,
    /// The same, with short forms for backspace and form feed: what Go's own encoder does.
    Go,
}

/// Appends a string in quotes. Bytes that are not UTF-8 become U+FFFD, escaped.
pub fn string(out: &mut Vec<u8>, value: &[u8], escape: Escape) {
    out.push(b'"');
    match std::str::from_utf8(value) {
        Ok(_) => escaped(out, value, escape),
        Err(_) => {
            for chunk in value.utf8_chunks() {
                escaped(out, chunk.valid().as_bytes(), escape);
                if !chunk.invalid().is_empty() {
                    out.extend_from_slice(b"\\ufffd");
                }
            }
        }
    }
    out.push(b'"');
}

/// Appends bytes as a string of the characters U+0000 to U+00FF, in quotes.
pub fn latin1(out: &mut Vec<u8>, value: &[u8], escape: Escape) {
    out.push(b'"');
    for byte in value {
        if byte.is_ascii() {
            one(out, *byte, escape);
        } else {
            out.extend_from_slice(&[0xc0 | byte >> 6, 0x80 | byte & 0x3f]);
        }
    }
    out.push(b'"');
}

/// Appends bytes as base64 with padding, in quotes.
pub fn base64(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'"');
    base64_bare(out, value);
    out.push(b'"');
}

/// Appends base64 with padding.
pub fn base64_bare(out: &mut Vec<u8>, value: &[u8]) {
    let at = out.len();
    out.resize(at + value.len().div_ceil(3) * 4, 0);
    if let Some(room) = out.get_mut(at..) {
        // The room is exactly what padded base64 needs.
        let _ = STANDARD.encode_slice(value, room);
    }
}

/// Bytes of base64 text.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Appends a member's name and colon: `"name":`.
pub fn name(out: &mut Vec<u8>, name: &str, escape: Escape) {
    string(out, name.as_bytes(), escape);
    out.push(b':');
}

fn escaped(out: &mut Vec<u8>, value: &[u8], escape: Escape) {
    out.reserve(value.len());
    let mut rest = value;
    loop {
        let run = clean(rest, escape);
        let (head, tail) = rest.split_at(run);
        out.extend_from_slice(head);
        let Some((byte, after)) = tail.split_first() else {
            return;
        };
        rest = after;
        if *byte == LINE_SEPARATOR_LEAD {
            match after {
                [0x80, last @ (0xa8 | 0xa9), ..] => {
                    // Writing to a Vec cannot fail.
                    let _ = write!(out, "\\u202{:x}", last & 0x0f);
                    rest = after.get(2..).unwrap_or_default();
                }
                _ => out.push(*byte),
            }
        } else {
            one(out, *byte, escape);
        }
    }
}

/// Length of the run from the start that is copied as it is.
#[inline]
fn clean(value: &[u8], escape: Escape) -> usize {
    let mut at = 0;
    for word in value.as_chunks::<8>().0 {
        let found = look(u64::from_le_bytes(*word), escape);
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let tail = value.get(at..).unwrap_or_default();
    at + tail.iter().position(|b| is_special(*b, escape)).unwrap_or(tail.len())
}

/// The high bit of the first byte that needs a look, and perhaps of bytes above it.
#[inline]
const fn look(word: u64, escape: Escape) -> u64 {
    const fn zero(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGH
    }
    let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    let backslash = zero(word ^ (ONES * b'\\' as u64));
    let separator = zero(word ^ (ONES * LINE_SEPARATOR_LEAD as u64));
    let rest = match escape {
        Escape::Least => zero(word ^ (ONES * b'"' as u64)),
        // `"` and `&` differ in one bit, `<` and `>` in another.
        Escape::Html | Escape::Go => {
            zero((word | (ONES * 4)) ^ (ONES * b'&' as u64)) | zero((word | (ONES * 2)) ^ (ONES * b'>' as u64))
        }
    };
    control | backslash | separator | rest
}

#[inline]
const fn is_special(byte: u8, escape: Escape) -> bool {
    match byte {
        0..0x20 | b'"' | b'\\' | LINE_SEPARATOR_LEAD => true,
        b'<' | b'>' | b'&' => !matches!(escape, Escape::Least),
        _ => false,
    }
}

fn one(out: &mut Vec<u8>, byte: u8, escape: Escape) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 if escape == Escape::Go => out.extend_from_slice(b"\\b"),
        0x0c if escape == Escape::Go => out.extend_from_slice(b"\\f"),
        _ if byte < 0x20 || is_special(byte, escape) && byte != LINE_SEPARATOR_LEAD => {
            // Writing to a Vec cannot fail.
            let _ = write!(out, "\\u{byte:04x}");
        }
        _ => out.push(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::{Escape, base64, from_base64, latin1, string};
    use proptest::prelude::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_escaped() {
        let all = "a\"\\\n\r\t\u{8}\u{1f}<>&/\u{2028}é\u{2030}😀\u{7f}";
        assert_eq!(
            text(|o| string(o, all.as_bytes(), Escape::Least)),
            "\"a\\\"\\\\\\n\\r\\t\\u0008\\u001f<>&/\\u2028é\u{2030}😀\u{7f}\""
        );
        assert_eq!(text(|o| string(o, b"1<2>&", Escape::Html)), "\"1\\u003c2\\u003e\\u0026\"");
        assert_eq!(text(|o| string(o, b"a\xffb", Escape::Least)), "\"a\\ufffdb\"");
        assert_eq!(text(|o| latin1(o, b"\xff\x00A\"\xe2", Escape::Least)), "\"ÿ\\u0000A\\\"â\"");
        assert_eq!(text(|o| base64(o, &[0xff, 0, 0xfe])), "\"/wD+\"");
    }

    proptest! {
        #[test]
        fn strings_read_back(value in ".{0,60}") {
            for escape in [Escape::Least, Escape::Html, Escape::Go] {
                let json = text(|o| string(o, value.as_bytes(), escape));
                let back: String = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(&back, &value);
            }
        }

        #[test]
        fn bytes_read_back(value in proptest::collection::vec(any::<u8>(), 0..60)) {
            let json = text(|o| latin1(o, &value, Escape::Html));
            let back: String = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back.chars().map(|c| c as u8).collect::<Vec<_>>(), value.clone());
            let json = text(|o| base64(o, &value));
            prop_assert_eq!(from_base64(json.trim_matches('"')), Some(value));
        }
    }
}
