//! Words of a statement, as MySQL and PostgreSQL read them.

/// Whose statements they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    /// MySQL: names in ticks, backslashes escape.
    Mysql,
    /// PostgreSQL: names in double quotes, backslashes are what they are.
    Postgres,
}

/// A word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// A keyword or a name without ticks.
    Word(String),
    /// A name in ticks.
    Name(String),
    /// A quoted string, or hex digits; what it says.
    Text(Vec<u8>),
    /// A number, as it is written.
    Number(String),
    /// Anything else.
    Sign(char),
}

impl Token {
    /// Whether it is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(w) if w.eq_ignore_ascii_case(keyword))
    }
}

/// The words; comments are left out. `None`: a quote or comment does not end.
pub(super) fn tokens(statement: &[u8], style: Style) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = statement;
    while let Some((&first, tail)) = rest.split_first() {
        rest = match first {
            b if b.is_ascii_whitespace() => tail,
            b'-' if rest.starts_with(b"-- ") => after(rest, b"\n").unwrap_or_default(),
            b'/' if rest.starts_with(b"/*") => after(rest, b"*/")?,
            b'"' if style == Style::Postgres => {
                let (name, tail) = quoted(tail, first, false)?;
                out.push(Token::Name(String::from_utf8_lossy(&name).into_owned()));
                tail
            }
            b'\'' | b'"' => {
                let (text, tail) = quoted(tail, first, style == Style::Mysql)?;
                out.push(Token::Text(text));
                tail
            }
            b'`' => {
                let (name, tail) = quoted(tail, b'`', false)?;
                out.push(Token::Name(String::from_utf8_lossy(&name).into_owned()));
                tail
            }
            b'0'..=b'9' => {
                let (token, tail) = number(rest);
                out.push(token);
                tail
            }
            b if word_byte(b) => {
                let end = rest.iter().position(|b| !word_byte(*b)).unwrap_or(rest.len());
                let (word, tail) = rest.split_at(end);
                out.push(Token::Word(String::from_utf8_lossy(word).into_owned()));
                tail
            }
            b => {
                out.push(Token::Sign(char::from(b)));
                tail
            }
        };
    }
    Some(out)
}

const fn word_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b == b'@' || b >= 0x80
}

fn after<'a>(text: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(end.len()).position(|w| w == end)?;
    text.get(at + end.len()..)
}

/// Up to the closing quote, which may stand twice inside; with `escapes` a backslash escapes.
fn quoted(text: &[u8], quote: u8, escapes: bool) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let (&b, tail) = rest.split_first()?;
        rest = tail;
        if b == quote {
            match rest.split_first() {
                Some((&next, tail)) if next == quote => {
                    out.push(quote);
                    rest = tail;
                }
                _ => return Some((out, rest)),
            }
        } else if b == b'\\' && escapes {
            let (&escaped, tail) = rest.split_first()?;
            rest = tail;
            out.push(match escaped {
                b'0' => 0,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'Z' => 26,
                other => other,
            });
        } else {
            out.push(b);
        }
    }
}

/// A number, or hex digits behind `0x`.
fn number(text: &[u8]) -> (Token, &[u8]) {
    if let Some(digits) = text.strip_prefix(b"0x") {
        let end = digits.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(digits.len());
        let (digits, rest) = digits.split_at(end);
        let bytes = std::str::from_utf8(digits).ok().and_then(crate::corpus::unhex).unwrap_or_default();
        return (Token::Text(bytes), rest);
    }
    let mut end = 0;
    let mut last = 0;
    for (i, b) in text.iter().enumerate() {
        let exponent = matches!(last, b'e' | b'E') && matches!(b, b'-' | b'+');
        if !(b.is_ascii_alphanumeric() || *b == b'.' || exponent) {
            break;
        }
        (end, last) = (i + 1, *b);
    }
    let (number, rest) = text.split_at(end);
    (Token::Number(String::from_utf8_lossy(number).into_owned()), rest)
}

#[cfg(test)]
mod tests {
    use super::{Style, Token, tokens};

    #[test]
    fn words_quotes_numbers_and_comments() {
        let text = b"INSERT /* x */ INTO `a``b` VALUES (-1.5e-3, 'it''s \\'\\0\\n', 0x00fF, \"q\") -- end";
        let found = tokens(text, Style::Mysql).unwrap();
        let sign = Token::Sign;
        assert_eq!(
            found,
            [
                Token::Word("INSERT".into()),
                Token::Word("INTO".into()),
                Token::Name("a`b".into()),
                Token::Word("VALUES".into()),
                sign('('),
                sign('-'),
                Token::Number("1.5e-3".into()),
                sign(','),
                Token::Text(b"it's '\0\n".to_vec()),
                sign(','),
                Token::Text(vec![0, 0xff]),
                sign(','),
                Token::Text(b"q".to_vec()),
                sign(')'),
            ]
        );
        for open in [&b"SELECT 'open"[..], b"/* open", b"'\\"] {
            assert!(tokens(open, Style::Mysql).is_none());
        }
        let found = tokens(b"\"a\"\"b\" 'c:\\'", Style::Postgres).unwrap();
        assert_eq!(found, [Token::Name("a\"b".into()), Token::Text(b"c:\\".to_vec())]);
    }
}
