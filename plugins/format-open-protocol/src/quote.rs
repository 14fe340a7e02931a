//! Byte strings as Go quotes them: what is printable stays, the rest is escaped.

use std::fmt::Write;
use tg_format_common::json::{self, Escape};

/// Appends bytes as a JSON string of the escaped text.
pub(crate) fn write(out: &mut Vec<u8>, value: &[u8], scratch: &mut String) {
    scratch.clear();
    for chunk in value.utf8_chunks() {
        chunk.valid().chars().for_each(|c| escape(scratch, c));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(scratch, "\\x{byte:02x}");
        }
    }
    json::string(out, scratch.as_bytes(), Escape::Least);
}

fn escape(out: &mut String, c: char) {
    // Writing to a String cannot fail.
    let _ = match c {
        '"' | '\\' => write!(out, "\\{c}"),
        '\u{7}' => out.write_str("\\a"),
        '\u{8}' => out.write_str("\\b"),
        '\u{c}' => out.write_str("\\f"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\u{b}' => out.write_str("\\v"),
        _ if c < ' ' || c == '\u{7f}' => write!(out, "\\x{:02x}", u32::from(c)),
        _ if is_printable(c) => out.write_char(c),
        _ if u32::from(c) < 0x1_0000 => write!(out, "\\u{:04x}", u32::from(c)),
        _ => write!(out, "\\U{:08x}", u32::from(c)),
    };
}

fn is_printable(c: char) -> bool {
    if c.is_ascii() || c == '\u{fffd}' {
        return true;
    }
    // Behind another character, so that marks count as printable.
    let mut text = [b'a', 0, 0, 0, 0];
    let len = text.get_mut(1..).map_or(0, |rest| c.encode_utf8(rest).len());
    let text = text.get(..=len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    text.escape_debug().count() == 2
}

/// The bytes that were quoted; `None` when the text is not as quoting leaves it.
pub(crate) fn read(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(rest.get(..at)?.as_bytes());
        let mut chars = rest.get(at + 1..)?.chars();
        let plain = match chars.next()? {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(11),
            c @ ('"' | '\\') => Some(c as u8),
            kind => {
                let digits = match kind {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => return None,
                };
                let tail = chars.as_str();
                let number = u32::from_str_radix(tail.get(..digits)?, 16).ok()?;
                match u8::try_from(number) {
                    Ok(byte) if digits == 2 => out.push(byte),
                    _ => out.extend_from_slice(char::from_u32(number)?.encode_utf8(&mut [0; 4]).as_bytes()),
                }
                rest = tail.get(digits..)?;
                continue;
            }
        };
        out.extend(plain);
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use proptest::prelude::*;

    fn quoted(value: &[u8]) -> String {
        let mut out = Vec::new();
        write(&mut out, value, &mut String::new());
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn as_go_quotes() {
        assert_eq!(quoted(b"\x01\xff\x00"), "\\x01\\xff\\x00");
        assert_eq!(
            quoted("é\u{301}\n\"\\\u{7f}\u{200b}\u{10ffff}".as_bytes()),
            "é\u{301}\\n\\\"\\\\\\x7f\\u200b\\U0010ffff"
        );
        assert_eq!(read("a\\q"), None);
        assert_eq!(read("\\x4"), None);
    }

    proptest! {
        #[test]
        fn reads_back(value in proptest::collection::vec(any::<u8>(), 0..40), text in ".{0,20}") {
            prop_assert_eq!(read(&quoted(&value)), Some(value));
            prop_assert_eq!(read(&quoted(text.as_bytes())), Some(text.into_bytes()));
        }
    }
}
