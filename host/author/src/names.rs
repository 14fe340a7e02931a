//! A plugin's name in the spellings that languages want.

use crate::AuthorError;

/// Longest name.
const LEN_MAX: usize = 64;

/// The name, checked.
pub(crate) fn check(name: &str) -> Result<(), AuthorError> {
    let bad = |reason| Err(AuthorError::Name { name: name.to_owned(), reason });
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > LEN_MAX {
        return bad("it has no character, or more than 64");
    }
    if !name.as_bytes().first().is_some_and(u8::is_ascii_lowercase) || !name.bytes().all(plain) {
        return bad("it is not made of lower-case letters, digits and `-`, beginning with a letter");
    }
    if name.ends_with('-') || name.contains("--") {
        return bad("a `-` stands between letters or digits");
    }
    Ok(())
}

/// `audit_log` for `audit-log`.
pub(crate) fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// `AuditLog` for `audit-log`.
pub(crate) fn camel(name: &str) -> String {
    let word = |w: &str| w.chars().take(1).flat_map(char::to_uppercase).chain(w.chars().skip(1)).collect::<String>();
    name.split('-').map(word).collect()
}

/// A template's text with the name in place of its marks.
pub(crate) fn fill(text: &str, name: &str) -> String {
    text.replace("{{name}}", name).replace("{{snake}}", &snake(name)).replace("{{Camel}}", &camel(name))
}

#[cfg(test)]
mod tests {
    use super::{check, fill};

    #[test]
    fn names_are_plain_and_spelled_as_wanted() {
        for good in ["a", "audit-log", "to-s3"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "1a", "a_b", "a--b", "a-", "ä", &"x".repeat(65)] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(fill("{{name}} {{snake}} {{Camel}}", "audit-log"), "audit-log audit_log AuditLog");
    }
}
