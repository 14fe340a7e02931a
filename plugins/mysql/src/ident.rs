//! Names in statements.

/// Appends a name in backticks.
pub(crate) fn push_ident(out: &mut Vec<u8>, name: &str) {
    out.push(b'`');
    for part in name.as_bytes().split_inclusive(|b| *b == b'`') {
        out.extend_from_slice(part);
        if part.ends_with(b"`") {
            out.push(b'`');
        }
    }
    out.push(b'`');
}

/// A name in backticks.
pub(crate) fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::{ident, push_ident, quoted};

    #[test]
    fn backticks_are_doubled() {
        for (name, expected) in [("a", "`a`"), ("a`b", "`a``b`"), ("`", "````"), ("日本", "`日本`"), ("", "``")] {
            let mut out = Vec::new();
            push_ident(&mut out, name);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
            assert_eq!(ident(name), expected);
        }
        assert_eq!(quoted(r"it's \"), r"'it\'s \\'");
    }
}
