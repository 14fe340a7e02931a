//! Tokens of expressions.

/// A token and the character it begins at, from 0.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Token {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Kind {
    /// Key word or name.
    Word(String),
    /// Name in backticks.
    Name(String),
    Text(String),
    Number(String),
    /// `0x…`, `x'…'`.
    Hex(Vec<u8>),
    Sign(&'static str),
}

/// Longest first, so that a prefix never wins.
const SIGNS: [&str; 22] = [
    "<=>", "&&", "||", "<=", ">=", "<>", "!=", "=", "<", ">", "!", "+", "-", "*", "/", "%", "(", ")", ",", ".", "&",
    "|",
];

/// Cuts a text into tokens; the error is a position and a reason.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, (usize, String)> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let rest = chars.get(at..).unwrap_or_default();
        let (len, kind) = token(rest, c).map_err(|reason| (at, reason))?;
        out.push(Token { at, kind });
        at += len;
    }
    Ok(out)
}

fn token(rest: &[char], c: char) -> Result<(usize, Kind), String> {
    let run = |ok: fn(&char) -> bool| rest.iter().take_while(|c| ok(c)).count();
    let text_of = |len: usize| rest.iter().take(len).collect::<String>();
    if matches!(c, '\'' | '"' | '`') {
        let (len, text) = quoted(rest, c).ok_or("the quote is not closed")?;
        return Ok((len, if c == '`' { Kind::Name(text) } else { Kind::Text(text) }));
    }
    if c == '0' && matches!(rest.get(1), Some('x')) {
        let len = 2 + rest.iter().skip(2).take_while(|c| c.is_ascii_hexdigit()).count();
        return Ok((
            len,
            Kind::Hex(unhex(&rest.iter().take(len).skip(2).collect::<String>()).ok_or("not a hexadecimal number")?),
        ));
    }
    if matches!(c, 'x' | 'X') && rest.get(1) == Some(&'\'') {
        let (len, text) = quoted(rest.get(1..).unwrap_or_default(), '\'').ok_or("the quote is not closed")?;
        return Ok((len + 1, Kind::Hex(unhex(&text).ok_or("not a hexadecimal number")?)));
    }
    let digit_follows = rest.get(1).is_some_and(char::is_ascii_digit);
    if c.is_ascii_digit() || (c == '.' && digit_follows) {
        let len = number_len(rest);
        return Ok((len, Kind::Number(text_of(len))));
    }
    let is_word = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '$');
    if is_word(&c) {
        let len = run(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
        return Ok((len, Kind::Word(text_of(len))));
    }
    let head = text_of(3);
    let sign = SIGNS.into_iter().find(|s| head.starts_with(s)).ok_or_else(|| format!("unexpected character {c:?}"))?;
    Ok((sign.len(), Kind::Sign(sign)))
}

fn number_len(rest: &[char]) -> usize {
    let digits = |from: usize| rest.iter().skip(from).take_while(|c| c.is_ascii_digit()).count();
    let mut len = digits(0);
    if rest.get(len) == Some(&'.') {
        len += 1 + digits(len + 1);
    }
    if matches!(rest.get(len), Some('e' | 'E')) {
        let sign = usize::from(matches!(rest.get(len + 1), Some('+' | '-')));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    len
}

fn quoted(rest: &[char], quote: char) -> Option<(usize, String)> {
    let mut text = String::new();
    let mut at = 1;
    loop {
        let c = *rest.get(at)?;
        at += 1;
        if c == quote {
            if rest.get(at) != Some(&quote) {
                return Some((at, text));
            }
            at += 1;
            text.push(quote);
        } else if c == '\\' && quote != '`' {
            let escaped = *rest.get(at)?;
            at += 1;
            match escaped {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                '0' => text.push('\0'),
                // LIKE wants to see these two escaped.
                '%' | '_' => text.extend(['\\', escaped]),
                other => text.push(other),
            }
        } else {
            text.push(c);
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let even = if text.len() % 2 == 1 { format!("0{text}") } else { text.to_owned() };
    let pairs = even.as_bytes().chunks(2);
    pairs.map(|p| u8::from_str_radix(std::str::from_utf8(p).ok()?, 16).ok()).collect()
}
