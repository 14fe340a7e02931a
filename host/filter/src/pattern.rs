//! Patterns of names: wildcards, quoted names, regular expressions.
//!
//! The syntax is that of TiDB's table filter: letters, digits, `_`, `$` and everything beyond ASCII stand for
//! themselves, `*` is any run, `?` any character, `[a-z]` and `[!a-z]` a class, a backslash takes the next
//! punctuation character as it is, backticks or double quotes enclose a literal name, slashes a regular expression.

use regex_lite::Regex;

/// A compiled pattern of one name.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Glob(Vec<Item>),
    Regex(Regex),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Item {
    /// This character.
    One(char),
    /// Any character.
    Any,
    /// Any run of characters.
    Run,
    /// A character in (or, if `negated`, not in) one of the ranges.
    Class { negated: bool, ranges: Vec<(char, char)> },
}

/// What is wrong, and at which character from 0.
pub(crate) type ParseError = (usize, String);

/// Reads patterns out of a rule.
pub(crate) struct Reader {
    chars: Vec<char>,
    pub(crate) at: usize,
    case_sensitive: bool,
}

impl Reader {
    pub(crate) fn new(text: &str, case_sensitive: bool) -> Self {
        Self { chars: text.chars().collect(), at: 0, case_sensitive }
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    /// Takes `want` if it comes next.
    pub(crate) fn take(&mut self, want: char) -> bool {
        let found = self.peek() == Some(want);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    pub(crate) fn error<T>(&self, reason: impl Into<String>) -> Result<T, ParseError> {
        Err((self.at, reason.into()))
    }

    /// Reads one pattern.
    pub(crate) fn pattern(&mut self) -> Result<Pattern, ParseError> {
        match self.peek() {
            Some('/') => self.regex(),
            Some(quote @ ('`' | '"')) => self.quoted(quote),
            _ => self.glob(),
        }
    }

    fn regex(&mut self) -> Result<Pattern, ParseError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.next() {
                None => {
                    return Err((start, "the regular expression has no closing slash".to_owned()));
                }
                Some('/') => break,
                Some('\\') => match self.next() {
                    Some('/') => text.push('/'),
                    Some(c) => text.extend(['\\', c]),
                    None => {}
                },
                Some(c) => text.push(c),
            }
        }
        let text = if self.case_sensitive { text } else { format!("(?i){text}") };
        Regex::new(&text).map(Pattern::Regex).map_err(|e| (start, format!("not a regular expression: {e}")))
    }

    fn quoted(&mut self, quote: char) -> Result<Pattern, ParseError> {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            match self.next() {
                None => return Err((start, "the name has no closing quote".to_owned())),
                Some(c) if c == quote && !self.take(quote) => break,
                Some(c) => items.push(self.literal(c)),
            }
        }
        if items.is_empty() { Err((start, "the name is empty".to_owned())) } else { Ok(Pattern::Glob(items)) }
    }

    fn literal(&self, c: char) -> Item {
        Item::One(if self.case_sensitive { c } else { fold(c) })
    }

    fn glob(&mut self) -> Result<Pattern, ParseError> {
        let mut items = Vec::new();
        while let Some(c) = self.peek() {
            let item = match c {
                '.' => break,
                c if c.is_whitespace() => break,
                '*' => Item::Run,
                '?' => Item::Any,
                '[' => {
                    items.push(self.class()?);
                    continue;
                }
                '\\' => {
                    self.at += 1;
                    let escaped = self.peek().filter(char::is_ascii_punctuation);
                    let Some(c) = escaped else {
                        return self.error("a backslash must stand before a punctuation character");
                    };
                    self.literal(c)
                }
                c if is_plain(c) => self.literal(c),
                c => {
                    return self
                        .error(format!("unexpected character {c:?}: quote the name or write a backslash before it"));
                }
            };
            self.at += 1;
            items.push(item);
        }
        if items.is_empty() { self.error("a name is missing") } else { Ok(Pattern::Glob(items)) }
    }

    fn class(&mut self) -> Result<Item, ParseError> {
        let start = self.at;
        let unclosed = || (start, "the character class has no closing bracket".to_owned());
        self.at += 1;
        let negated = self.take('!') || self.take('^');
        let mut ranges = Vec::new();
        while !self.take(']') {
            let low = self.class_char().ok_or_else(unclosed)?;
            let is_range = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
            let high = if is_range {
                self.at += 1;
                self.class_char().ok_or_else(unclosed)?
            } else {
                low
            };
            if low > high {
                return self.error(format!("the range {low}-{high} is empty"));
            }
            ranges.push((low, high));
        }
        if ranges.is_empty() {
            Err((start, "the character class is empty".to_owned()))
        } else {
            Ok(Item::Class { negated, ranges })
        }
    }

    fn class_char(&mut self) -> Option<char> {
        match self.next()? {
            '\\' => self.next(),
            c => Some(c),
        }
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

/// One lower-case character for each character.
fn fold(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(l), None) => l,
        _ => c,
    }
}

impl Pattern {
    /// Whether the name matches. `case_sensitive` must be that of the [`Reader`].
    pub(crate) fn matches(&self, name: &str, case_sensitive: bool) -> bool {
        match self {
            Self::Regex(r) => r.is_match(name),
            Self::Glob(items) => {
                let folded: Vec<char> = name.chars().map(|c| if case_sensitive { c } else { fold(c) }).collect();
                glob_matches(items, &folded, case_sensitive)
            }
        }
    }

    /// Whether every name matches.
    pub(crate) fn matches_all(&self) -> bool {
        matches!(self, Self::Glob(items) if items.iter().all(|i| *i == Item::Run))
    }
}

/// Greedy matching that goes back to the last run only: linear in name times pattern.
fn glob_matches(items: &[Item], name: &[char], case_sensitive: bool) -> bool {
    let (mut i, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&c) = name.get(n) {
        match items.get(i) {
            Some(Item::Run) => {
                retry = Some((i + 1, n));
                i += 1;
            }
            Some(item) if item.accepts(c, case_sensitive) => {
                i += 1;
                n += 1;
            }
            _ => match retry {
                Some((at, from)) => {
                    retry = Some((at, from + 1));
                    (i, n) = (at, from + 1);
                }
                None => return false,
            },
        }
    }
    items.get(i..).is_none_or(|rest| rest.iter().all(|x| *x == Item::Run))
}

impl Item {
    fn accepts(&self, c: char, case_sensitive: bool) -> bool {
        let upper = || c.to_uppercase().next().unwrap_or(c);
        let within = |ranges: &[(char, char)], c: char| ranges.iter().any(|(l, h)| *l <= c && c <= *h);
        match self {
            Self::One(x) => *x == c,
            Self::Any | Self::Run => true,
            Self::Class { negated, ranges } => {
                (within(ranges, c) || (!case_sensitive && within(ranges, upper()))) != *negated
            }
        }
    }
}
