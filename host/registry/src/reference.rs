//! How a plugin is named: `name`, `name@version` or `sha256:…`.

use crate::{Digest, RegistryError};
use std::fmt;
use std::str::FromStr;

/// Longest name and longest version.
const LEN_MAX: usize = 64;
/// Names that paths of the API need.
const RESERVED: &[&str] = &["blobs"];

/// What a user writes where a plugin is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PluginRef {
    /// A name: the version that is active.
    Name(String),
    /// A name and a version.
    Version(String, String),
    /// Bytes.
    Digest(Digest),
}

impl FromStr for PluginRef {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        if text.starts_with(Digest::PREFIX) {
            return Ok(Self::Digest(text.parse()?));
        }
        match text.split_once('@') {
            None => check_name(text).map(|()| Self::Name(text.to_owned())),
            Some((name, version)) => {
                check_name(name)?;
                check_version(version)?;
                Ok(Self::Version(name.to_owned(), version.to_owned()))
            }
        }
    }
}

impl fmt::Display for PluginRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Version(name, version) => write!(f, "{name}@{version}"),
            Self::Digest(digest) => write!(f, "{digest}"),
        }
    }
}

/// Whether this can be the name of a plugin.
///
/// # Errors
/// [`RegistryError::BadName`].
pub fn check_name(name: &str) -> Result<(), RegistryError> {
    let bad = |reason: &str| RegistryError::BadName { text: name.to_owned(), reason: reason.to_owned() };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    match name {
        "" => Err(bad("a name is needed")),
        n if n.len() > LEN_MAX => Err(bad("names have at most 64 characters")),
        n if !n.bytes().all(plain) => Err(bad("names are letters, digits, `-`, `_` and `.`")),
        n if n.starts_with('.') => Err(bad("names do not begin with `.`")),
        n if RESERVED.contains(&n) => Err(bad("this name is reserved")),
        _ => Ok(()),
    }
}

/// Whether this can be a version.
///
/// # Errors
/// [`RegistryError::BadName`].
pub fn check_version(version: &str) -> Result<(), RegistryError> {
    let bad = |reason: &str| RegistryError::BadName { text: version.to_owned(), reason: reason.to_owned() };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.+".contains(&b);
    match version {
        "" => Err(bad("a version is needed after `@`")),
        v if v.len() > LEN_MAX => Err(bad("versions have at most 64 characters")),
        v if !v.bytes().all(plain) => Err(bad("versions are letters, digits, `-`, `_`, `.` and `+`")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::PluginRef;

    #[test]
    fn three_ways_to_name_a_plugin() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for text in ["orders", "orders@1.2.0+abc", digest.as_str()] {
            assert_eq!(text.parse::<PluginRef>().unwrap().to_string(), text);
        }
        assert!(matches!("a@1".parse(), Ok(PluginRef::Version(..))));
        for text in ["", "../a", "a/b", "a@", "a@b@c", ".a", "blobs", "sha256:00", &"a".repeat(65)] {
            assert!(text.parse::<PluginRef>().is_err(), "{text}");
        }
    }
}
