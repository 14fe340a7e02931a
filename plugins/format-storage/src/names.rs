//! Names of databases and tables as parts of paths.

/// A name as one part of a path. Names of letters, digits and the like stay as they are; what would break a path is written as `%`
/// and two hexadecimal digits.
#[must_use]
pub fn to_segment(name: &str) -> String {
    let dots = matches!(name, "." | "..");
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_control() || matches!(c, '/' | '\\' | '%') || dots {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The name that a part of a path stands for.
#[must_use]
pub fn from_segment(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u8::from_str_radix(d, 16).ok());
        match hex.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| segment.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{from_segment, to_segment};

    #[test]
    fn names_survive_paths() {
        for (name, segment) in [
            ("orders", "orders"),
            ("日本 x", "日本 x"),
            ("a/b", "a%2Fb"),
            ("..", "%2E%2E"),
            ("50%", "50%25"),
            ("a.b", "a.b"),
        ] {
            assert_eq!(to_segment(name), segment);
            assert_eq!(from_segment(segment), name);
        }
    }
}
