//! Cutting a statement into words, strings and signs; no grammar.

/// What a piece of a statement is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Space,
    /// Any comment, executable ones and TiDB's (`/*T! .. */`) included.
    Comment,
    /// In single or double quotes.
    Text,
    /// In backticks.
    Quoted,
    /// Keyword, bare name or number.
    Word,
    /// One other character.
    Sign,
}

/// Cuts the statement; the pieces together are the statement.
pub(super) fn cut(statement: &str) -> Vec<(Kind, &str)> {
    let mut out = Vec::new();
    let mut rest = statement;
    while let Some(first) = rest.chars().next() {
        let (kind, len) = next(rest, first);
        let (piece, tail) = rest.split_at(len.min(rest.len()));
        out.push((kind, piece));
        rest = tail;
    }
    out
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '@') || !c.is_ascii()
}

fn next(rest: &str, first: char) -> (Kind, usize) {
    let until = |end: &str, from: usize| {
        rest.get(from..).and_then(|t| t.find(end)).map_or(rest.len(), |i| from + i + end.len())
    };
    match first {
        '\'' | '"' => (Kind::Text, quoted_len(rest, first, true)),
        '`' => (Kind::Quoted, quoted_len(rest, first, false)),
        '/' if rest.starts_with("/*") => (Kind::Comment, until("*/", 2)),
        '#' => (Kind::Comment, until("\n", 1)),
        '-' if rest.starts_with("-- ") || rest.starts_with("--\n") => (Kind::Comment, until("\n", 2)),
        c if c.is_whitespace() => (Kind::Space, run_len(rest, char::is_whitespace)),
        c if is_word(c) => (Kind::Word, run_len(rest, is_word)),
        c => (Kind::Sign, c.len_utf8()),
    }
}

fn run_len(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c: char| !belongs(c)).unwrap_or(rest.len())
}

/// Length of a quoted piece, quotes included; a doubled quote or (in strings) a backslash does not end it.
fn quoted_len(rest: &str, quote: char, backslash: bool) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((i, c)) = chars.next() {
        if backslash && c == '\\' {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|(_, c)| *c == quote) {
                chars.next();
            } else {
                return i + 1;
            }
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::{Kind, cut};

    #[test]
    fn pieces_by_kind() {
        let statement = "create table `a``b`(x int default 'it''s \\' \"', /*T![ttl] TTL */ é varchar(3)) -- end\n#x";
        let pieces = cut(statement);
        assert_eq!(pieces.iter().map(|(_, t)| *t).collect::<String>(), statement);
        let of = |kind| pieces.iter().filter(|(k, _)| *k == kind).map(|(_, t)| *t).collect::<Vec<_>>();
        assert_eq!(of(Kind::Quoted), ["`a``b`"]);
        assert_eq!(of(Kind::Text), ["'it''s \\' \"'"]);
        assert_eq!(of(Kind::Comment), ["/*T![ttl] TTL */", "-- end\n", "#x"]);
        assert_eq!(of(Kind::Word), ["create", "table", "x", "int", "default", "é", "varchar", "3"]);
    }

    #[test]
    fn open_ends_reach_the_end() {
        for s in ["'a", "`a", "/* a", "\"a\\", "-- ", "a'", "'", "\\"] {
            assert_eq!(cut(s).iter().map(|(_, t)| *t).collect::<String>(), s);
        }
    }
}
