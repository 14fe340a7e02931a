//! A statement cut into names, texts and signs, as far as names of tables have to be found in it.

/// Bit of `sql_mode`: double quotes enclose names.
const ANSI_QUOTES: u64 = 1 << 2;
/// Bit of `sql_mode`: a backslash in a text is a character like any other.
const NO_BACKSLASH_ESCAPES: u64 = 1 << 20;

/// What a piece is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Keyword, bare name or number.
    Word,
    /// Name in quotes.
    Quoted(char),
    /// Text in quotes.
    Text,
    /// One other character.
    Sign(char),
}

/// A piece; spaces and comments lie between pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    pub(crate) const fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(crate) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// The name without its quotes; `None`: it is no name.
    pub(crate) fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_owned()),
            Kind::Quoted(quote) => {
                let inner = self.text.strip_prefix(quote)?.strip_suffix(quote)?;
                Some(inner.replace(&format!("{quote}{quote}"), &quote.to_string()))
            }
            Kind::Text | Kind::Sign(_) => None,
        }
    }
}

/// Cuts a statement. What is left open reaches the end.
pub(crate) fn cut(statement: &str, sql_mode: u64) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut start = 0;
    while let Some(rest) = statement.get(start..).filter(|r| !r.is_empty()) {
        let (kind, len) = next(rest, sql_mode);
        let end = (start + len).min(statement.len());
        if let (Some(kind), Some(text)) = (kind, statement.get(start..end)) {
            out.push(Token { kind, start, text });
        }
        start = end;
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '@') || !c.is_ascii()
}

/// The kind (none: nothing to look at) and length of the first piece.
fn next(rest: &str, sql_mode: u64) -> (Option<Kind>, usize) {
    let first = rest.chars().next().unwrap_or(' ');
    let until = |end: &str| rest.get(2..).and_then(|t| t.find(end)).map_or(rest.len(), |i| 2 + i + end.len());
    let run = |belongs: fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
    let escapes = sql_mode & NO_BACKSLASH_ESCAPES == 0;
    match first {
        '`' => (Some(Kind::Quoted('`')), quoted(rest, '`', false)),
        '"' if sql_mode & ANSI_QUOTES != 0 => (Some(Kind::Quoted('"')), quoted(rest, '"', false)),
        '\'' | '"' => (Some(Kind::Text), quoted(rest, first, escapes)),
        '/' if rest.starts_with("/*") => (None, until("*/")),
        '#' => (None, rest.find('\n').unwrap_or(rest.len())),
        '-' if rest.starts_with("-- ") || rest.starts_with("--\n") => (None, rest.find('\n').unwrap_or(rest.len())),
        c if c.is_whitespace() => (None, run(char::is_whitespace)),
        c if is_word(c) => (Some(Kind::Word), run(is_word)),
        c => (Some(Kind::Sign(c)), c.len_utf8()),
    }
}

/// Length of a quoted piece with its quotes; a doubled quote does not end it, nor a quote behind a backslash.
fn quoted(rest: &str, quote: char, escapes: bool) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((i, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next();
        } else if c == quote && chars.next_if(|(_, c)| *c == quote).is_none() {
            return i + c.len_utf8();
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::{ANSI_QUOTES, Kind, NO_BACKSLASH_ESCAPES, cut};

    fn texts(statement: &str, mode: u64) -> Vec<&str> {
        cut(statement, mode).iter().map(|t| t.text).collect()
    }

    #[test]
    fn pieces_and_what_lies_between() {
        let statement = "ALTER /* `x` */ table `a``b`.é -- y\n ADD c int DEFAULT 'it''s \\' x', # z\n d1";
        assert_eq!(
            texts(statement, 0),
            ["ALTER", "table", "`a``b`", ".", "é", "ADD", "c", "int", "DEFAULT", "'it''s \\' x'", ",", "d1"]
        );
        assert_eq!(cut(statement, 0)[2].name().as_deref(), Some("a`b"));
        assert_eq!(texts("'a\\' b", NO_BACKSLASH_ESCAPES), ["'a\\'", "b"]);
        assert_eq!(cut("\"a\"", ANSI_QUOTES)[0].kind, Kind::Quoted('"'));
        assert_eq!(cut("\"a\"", 0)[0].kind, Kind::Text);
    }

    #[test]
    fn open_ends_reach_the_end() {
        for s in ["'a", "`a", "/* a", "\"a\\", "-- ", "/*", "#"] {
            assert!(cut(s, 0).iter().map(|t| t.end()).max().unwrap_or(s.len()) == s.len(), "{s}");
        }
    }
}
