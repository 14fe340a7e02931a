//! Where a statement names tables or databases, and the statement with other names there.

use crate::token::{Kind, Token, cut};

/// Words between the verb and the kind of object.
const MODIFIERS: &[&str] = &[
    "OR",
    "REPLACE",
    "ONLINE",
    "OFFLINE",
    "IGNORE",
    "GLOBAL",
    "LOCAL",
    "TEMPORARY",
    "UNIQUE",
    "FULLTEXT",
    "SPATIAL",
    "VECTOR",
    "COLUMNAR",
    "HYBRID",
];

/// A table where a statement names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Named {
    /// Bytes of the statement that the name takes.
    pub(crate) span: (usize, usize),
    pub(crate) database: String,
    pub(crate) table: String,
}

fn word(all: &[Token<'_>], at: usize, w: &str) -> bool {
    all.get(at).is_some_and(|t| t.is(w))
}

fn sign(all: &[Token<'_>], at: usize, c: char) -> bool {
    all.get(at).is_some_and(|t| t.kind == Kind::Sign(c))
}

fn named(all: &[Token<'_>], at: usize, default: &str) -> Option<(Named, usize)> {
    let first = all.get(at)?;
    let name = first.name()?;
    if sign(all, at + 1, '.') {
        let second = all.get(at + 2)?;
        let span = (first.start, second.end());
        return Some((Named { span, database: name, table: second.name()? }, at + 3));
    }
    Some((Named { span: (first.start, first.end()), database: default.to_owned(), table: name }, at + 1))
}

fn after_condition(all: &[Token<'_>], mut at: usize) -> usize {
    for w in ["IF", "NOT", "EXISTS"] {
        at += usize::from(word(all, at, w));
    }
    at
}

fn object(all: &[Token<'_>]) -> usize {
    let modifiers = all.iter().skip(1).take_while(|t| MODIFIERS.iter().any(|m| t.is(m))).count();
    1 + modifiers
}

/// The tables that a statement about tables or indexes names, the one it is about first; `None`: it is not understood.
pub(crate) fn tables(statement: &str, sql_mode: u64, default: &str) -> Option<Vec<Named>> {
    let all = cut(statement, sql_mode);
    let object = object(&all);
    let mut out = Vec::new();
    let mut push = |at: usize| {
        let (name, after) = named(&all, at, default)?;
        out.push(name);
        Some(after)
    };
    if word(&all, 0, "TRUNCATE") {
        push(object + usize::from(word(&all, object, "TABLE")))?;
    } else if word(&all, 0, "RENAME") && word(&all, 1, "TABLE") {
        let to = push(2)?;
        let end = if word(&all, to, "TO") { push(to + 1)? } else { return None };
        if end < all.len() {
            return None;
        }
    } else if word(&all, object, "TABLE") || word(&all, object, "VIEW") {
        let mut at = push(after_condition(&all, object + 1))?;
        while word(&all, 0, "DROP") && sign(&all, at, ',') {
            at = push(at + 1)?;
        }
        if word(&all, 0, "CREATE") {
            let like = at + usize::from(sign(&all, at, '('));
            if word(&all, like, "LIKE") {
                push(like + 1)?;
            }
        }
        if word(&all, 0, "ALTER") {
            for at in others(&all, at) {
                push(at)?;
            }
        }
    } else if word(&all, object, "INDEX") {
        let on = all.iter().position(|t| t.is("ON"))?;
        push(on + 1)?;
    } else {
        return None;
    }
    let references = all
        .iter()
        .zip(1..)
        .filter(|(t, next)| t.is("REFERENCES") && all.get(*next).is_some_and(|n| n.name().is_some()));
    for (_, at) in references {
        push(at)?;
    }
    Some(out)
}

/// Where the clauses of `ALTER TABLE` name another table: `RENAME [TO | AS] b`, `WITH TABLE b`.
fn others(all: &[Token<'_>], from: usize) -> Vec<usize> {
    let mut out = Vec::new();
    let mut depth = 0_u32;
    for at in from..all.len() {
        if sign(all, at, '(') {
            depth += 1;
        } else if sign(all, at, ')') {
            depth = depth.saturating_sub(1);
        }
        let begins = at == from || sign(all, at.saturating_sub(1), ',');
        if depth == 0 && begins && word(all, at, "RENAME") {
            let next = at + 1;
            if word(all, next, "TO") || word(all, next, "AS") || sign(all, next, '=') {
                out.push(next + 1);
            } else if !["COLUMN", "INDEX", "KEY"].iter().any(|w| word(all, next, w)) {
                out.push(next);
            }
        }
        if depth == 0 && word(all, at, "WITH") && word(all, at + 1, "TABLE") {
            out.push(at + 2);
        }
    }
    out
}

/// The name of the database that a statement about one names, as (span, name).
pub(crate) fn database(statement: &str, sql_mode: u64) -> Option<((usize, usize), String)> {
    let all = cut(statement, sql_mode);
    if !word(&all, 1, "DATABASE") && !word(&all, 1, "SCHEMA") {
        return None;
    }
    let token = all.get(after_condition(&all, 2))?;
    Some(((token.start, token.end()), token.name()?))
}

/// Every `a.b` of a statement: names of tables, or of columns with their table.
pub(crate) fn pairs(statement: &str, sql_mode: u64) -> Vec<(String, String)> {
    let all = cut(statement, sql_mode);
    let pair = |at: usize| {
        let joined = sign(&all, at + 1, '.').then(|| all.get(at).zip(all.get(at + 2)));
        joined.flatten().and_then(|(a, b)| Some((a.name()?, b.name()?)))
    };
    (0..all.len()).filter_map(pair).collect()
}

/// The statement with these spans replaced; they do not overlap.
pub(crate) fn replace(statement: &str, mut edits: Vec<((usize, usize), String)>) -> String {
    edits.sort_by_key(|(span, _)| span.0);
    let mut out = String::with_capacity(statement.len() + 64);
    let mut at = 0;
    for ((start, end), text) in &edits {
        out.push_str(statement.get(at..*start).unwrap_or_default());
        out.push_str(text);
        at = *end;
    }
    out.push_str(statement.get(at..).unwrap_or_default());
    out
}

/// A name in backticks.
pub(crate) fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::{database, pairs, tables};

    fn names(statement: &str) -> Option<Vec<String>> {
        let found = tables(statement, 0, "cur")?;
        Some(found.into_iter().map(|n| format!("{}.{}", n.database, n.table)).collect())
    }

    #[test]
    fn tables_are_found_where_statements_name_them() {
        for (statement, expected) in [
            ("CREATE TABLE `a`.`b` (`rename` int, c int DEFAULT 1)", "a.b"),
            ("create temporary table if not exists a.b like c.d", "a.b c.d"),
            ("CREATE TABLE a.b (LIKE c)", "a.b cur.c"),
            ("CREATE TABLE a.b (x int, FOREIGN KEY (x) REFERENCES c.d (y))", "a.b c.d"),
            ("DROP TABLE IF EXISTS a.b, c.d", "a.b c.d"),
            ("TRUNCATE a.b", "a.b"),
            ("TRUNCATE TABLE b", "cur.b"),
            ("RENAME TABLE `a`.`b` TO `c`.`d`", "a.b c.d"),
            ("ALTER TABLE a.b ADD COLUMN c int, RENAME TO d.e", "a.b d.e"),
            ("ALTER TABLE a.b RENAME = e", "a.b cur.e"),
            ("ALTER TABLE a.b RENAME COLUMN x TO y, RENAME INDEX i TO j", "a.b"),
            ("ALTER TABLE a.b EXCHANGE PARTITION p WITH TABLE c.d WITHOUT VALIDATION", "a.b c.d"),
            ("CREATE UNIQUE INDEX i ON a.b (c)", "a.b"),
            ("DROP INDEX `on` ON a.b", "a.b"),
            ("ALTER TABLE a.b COMMENT = 'RENAME TO x.y'", "a.b"),
        ] {
            assert_eq!(names(statement).unwrap_or_default().join(" "), expected, "{statement}");
        }
        for strange in [
            "",
            "SELECT 1",
            "RENAME TABLE a.b TO c.d, e.f TO g.h",
            "CREATE SEQUENCE a.b",
            "ALTER TABLE",
            "CREATE TABLE 'a'",
        ] {
            assert_eq!(names(strange), None, "{strange}");
        }
    }

    #[test]
    fn databases_and_pairs() {
        assert_eq!(database("CREATE DATABASE IF NOT EXISTS `a` CHARSET utf8", 0), Some(((30, 33), "a".to_owned())));
        assert_eq!(database("drop schema a", 0).map(|(_, n)| n), Some("a".to_owned()));
        assert_eq!(database("DROP TABLE a", 0), None);
        let found = pairs("CREATE VIEW `v`.`w` AS SELECT `a`.`b`.`c` FROM `a`.`b` WHERE x = '1.2'", 0);
        let found: Vec<_> = found.iter().map(|(a, b)| format!("{a}.{b}")).collect();
        assert_eq!(found, ["v.w", "a.b", "b.c", "a.b"]);
    }
}
