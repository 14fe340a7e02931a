//! Tokens of MySQL's dialect, as far as names have to be found among them.

/// Bit of `sql_mode`: double quotes enclose names.
const MODE_ANSI_QUOTES: u64 = 1 << 2;
/// Bit of `sql_mode`: a backslash in a string is a character like any other.
const MODE_NO_BACKSLASH_ESCAPES: u64 = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Key word, unquoted name or number.
    Word,
    /// Quoted name.
    Quoted,
    /// String literal.
    Text,
    /// One other character.
    Sign(u8),
}

/// A piece of the text; comments and white space are between the pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(crate) const fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(crate) const fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }

    /// The name without its quotes.
    pub(crate) fn name(&self) -> String {
        let Kind::Quoted = self.kind else {
            return self.text.to_owned();
        };
        let mut chars = self.text.chars();
        let quote = chars.next().unwrap_or('`');
        chars.next_back();
        chars.as_str().replace(&format!("{quote}{quote}"), &quote.to_string())
    }
}

/// Cuts a text into tokens. An unfinished quote or comment goes to the end of the text.
pub(crate) fn tokens(sql: &str, sql_mode: u64) -> Vec<Token<'_>> {
    let bytes = sql.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let (len, kind) = match b {
            _ if b.is_ascii_whitespace() => (1, None),
            b'#' => (line_len(rest), None),
            b'-' if rest.starts_with(b"--") && rest.get(2).is_none_or(u8::is_ascii_whitespace) => {
                (line_len(rest), None)
            }
            b'/' if rest.starts_with(b"/*") => (comment_len(rest), None),
            b'`' => (quote_len(rest, false), Some(Kind::Quoted)),
            b'"' if sql_mode & MODE_ANSI_QUOTES != 0 => (quote_len(rest, false), Some(Kind::Quoted)),
            b'"' | b'\'' => (quote_len(rest, sql_mode & MODE_NO_BACKSLASH_ESCAPES == 0), Some(Kind::Text)),
            _ if is_word(b) => (rest.iter().take_while(|b| is_word(**b)).count(), Some(Kind::Word)),
            _ => (1, Some(Kind::Sign(b))),
        };
        if let (Some(kind), Some(text)) = (kind, sql.get(at..at + len)) {
            out.push(Token { kind, start: at, text });
        }
        at += len;
    }
    out
}

const fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'@') || b >= 0x80
}

fn line_len(rest: &[u8]) -> usize {
    rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
}

fn comment_len(rest: &[u8]) -> usize {
    rest.windows(2).skip(2).position(|w| w == b"*/").map_or(rest.len(), |p| p + 4)
}

fn quote_len(rest: &[u8], backslash: bool) -> usize {
    let Some(quote) = rest.first() else { return 0 };
    let mut at = 1;
    while let Some(b) = rest.get(at) {
        if backslash && *b == b'\\' {
            at += 2;
        } else if b != quote {
            at += 1;
        } else if rest.get(at + 1) == Some(quote) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    rest.len()
}
