//! Error codes: stable names for what can go wrong, each with a page of help.

use std::fmt;

/// A stable error number, shown as `TG-1203`. The thousands and hundreds name the crate.
///
/// | range | crate | range | crate |
/// |---|---|---|---|
/// | 11xx | upstream | 40xx | pipeline |
/// | 12xx | sorter | 50xx | cluster |
/// | 13xx | schema | 51xx | peer |
/// | 14xx | mounter | 52xx | metastore |
/// | 15xx | filter | 60xx | config |
/// | 20xx | plugin | 61xx | api |
/// | 30xx | downstream | 70xx | playground, 80xx the command line |
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TG-{:04}", self.0)
    }
}

/// What `tidegate explain` prints for a code. Every crate lists its pages in a `CODES` constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodePage {
    /// The code.
    pub code: Code,
    /// One line: what happened.
    pub title: &'static str,
    /// Why it happens.
    pub cause: &'static str,
    /// What to do about it.
    pub action: &'static str,
}

/// An error that has a code. Every public error type implements it.
pub trait Coded: std::error::Error {
    /// The stable code.
    fn code(&self) -> Code;

    /// Whether trying the same again later may succeed.
    fn is_retryable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_have_four_digits() {
        assert_eq!(Code(1203).to_string(), "TG-1203");
        assert_eq!(Code(42).to_string(), "TG-0042");
    }
}
