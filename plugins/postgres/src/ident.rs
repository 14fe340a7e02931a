//! Names and texts in statements, for a session with `standard_conforming_strings`.

use tidegate_sdk::TableSchema;

/// Bytes of a name that the server keeps; longer ones it cuts without a word.
pub(crate) const NAME_BYTES_MAX: usize = 63;

/// A name in quotes.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `"schema"."table"`.
pub(crate) fn table_ident(database: &str, name: &str) -> String {
    format!("{}.{}", ident(database), ident(name))
}

/// The first name of a table that the server would cut, so that two could become one.
pub(crate) fn too_long(schema: &TableSchema) -> Option<&str> {
    let names = [schema.database.as_str(), schema.name.as_str()].into_iter();
    names.chain(schema.columns.iter().map(|c| c.name.as_str())).find(|n| n.len() > NAME_BYTES_MAX)
}

/// Appends bytes with every single quote doubled.
pub(crate) fn push_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for part in bytes.split_inclusive(|b| *b == b'\'') {
        out.extend_from_slice(part);
        if part.ends_with(b"'") {
            out.push(b'\'');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ident, push_escaped, quoted};

    #[test]
    fn quotes_are_doubled_and_backslashes_are_not() {
        for (name, expected) in [("a", "\"a\""), ("a\"b", "\"a\"\"b\""), ("日本", "\"日本\"")] {
            assert_eq!(ident(name), expected);
        }
        for (text, expected) in [("it's \\", "'it''s \\'"), ("'", "''''"), ("", "''")] {
            let mut out = Vec::new();
            push_escaped(&mut out, text.as_bytes());
            assert_eq!(
                (quoted(text), format!("'{}'", String::from_utf8(out).unwrap())),
                (expected.into(), expected.into())
            );
        }
    }
}
