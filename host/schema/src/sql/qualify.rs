//! Puts schema names into statements.
//!
//! TiDB keeps a job's statement as the user wrote it, in a session that had a current schema. There is no
//! need to understand such a statement: the places where a table is named are found from the key words
//! before them, and everything else, special comments included, stays as it is.

use super::token::{Kind, Token, tokens};
use super::{full, ident};

/// Words that may stand between the verb and the kind of object.
const VERB_MODIFIERS: [&str; 14] = [
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

/// What to put in the place of part of a text.
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
}

/// The statement with every table named in full; a table without a schema is one of `schema`.
pub(crate) fn qualify(sql: &str, schema: &str, sql_mode: u64) -> String {
    let all = tokens(sql, sql_mode);
    let mut edits: Vec<Edit> = Vec::new();
    for at in table_names(&all) {
        edits.extend(edit(&all, at, schema));
    }
    apply(sql.trim_end().trim_end_matches(';').trim_end(), &mut edits)
}

/// The text with its edits made; they must not overlap.
pub(super) fn apply(sql: &str, edits: &mut [Edit]) -> String {
    edits.sort_by_key(|e| e.start);
    let mut out = String::with_capacity(sql.len() + 64);
    let mut at = 0;
    for e in edits.iter().filter(|e| e.end <= sql.len()) {
        out.push_str(sql.get(at..e.start).unwrap_or_default());
        out.push_str(&e.text);
        at = e.end;
    }
    out.push_str(sql.get(at..).unwrap_or_default());
    out
}

fn edit(all: &[Token<'_>], at: usize, schema: &str) -> Option<Edit> {
    let first = all.get(at).filter(|t| t.is_name())?;
    let dot = all.get(at + 1).is_some_and(|t| t.kind == Kind::Sign(b'.'));
    if !dot {
        return Some(Edit { start: first.start, end: first.end(), text: full(schema, &first.name()) });
    }
    let second = all.get(at + 2).filter(|t| t.is_name())?;
    Some(Edit {
        start: first.start,
        end: second.end(),
        text: format!("{}.{}", ident(&first.name()), ident(&second.name())),
    })
}

/// Positions of the tokens that begin the name of a table.
fn table_names(all: &[Token<'_>]) -> Vec<usize> {
    let mut out = Vec::new();
    let mut at = 1;
    while all.get(at).is_some_and(|t| VERB_MODIFIERS.iter().any(|w| t.is_word(w))) {
        at += 1;
    }
    let word = |at: usize, w: &str| all.get(at).is_some_and(|t| t.is_word(w));
    if word(0, "TRUNCATE") {
        out.push(if word(at, "TABLE") { at + 1 } else { at });
    } else if word(at, "TABLE") || word(at, "VIEW") {
        let name = skip_condition(all, at + 1);
        out.push(name);
        if word(0, "CREATE") {
            out.extend(like_name(all, name));
        }
    } else if word(at, "INDEX") {
        out.extend(all.iter().position(|t| t.is_word("ON")).map(|on| on + 1));
    }
    let references = all.iter().enumerate().filter(|(i, t)| t.is_word("REFERENCES") && is_reference(all, *i));
    out.extend(references.map(|(i, _)| i + 1));
    out
}

/// A table reference has columns behind its name; a column may be called `references` only in quotes.
fn is_reference(all: &[Token<'_>], at: usize) -> bool {
    all.get(at + 1).is_some_and(Token::is_name)
}

/// Steps over `IF EXISTS` and `IF NOT EXISTS`.
fn skip_condition(all: &[Token<'_>], mut at: usize) -> usize {
    for w in ["IF", "NOT", "EXISTS"] {
        if all.get(at).is_some_and(|t| t.is_word(w)) {
            at += 1;
        }
    }
    at
}

/// The source of `CREATE TABLE a LIKE b` and `CREATE TABLE a (LIKE b)`.
fn like_name(all: &[Token<'_>], name: usize) -> Option<usize> {
    let mut at = name + 1;
    if all.get(at)?.kind == Kind::Sign(b'.') {
        at += 2;
    }
    if all.get(at)?.kind == Kind::Sign(b'(') {
        at += 1;
    }
    all.get(at)?.is_word("LIKE").then_some(at + 1)
}

/// Whether a statement has a table's name where one is expected: `RECOVER TABLE t`, not `RECOVER TABLE BY JOB 5`.
pub(crate) fn names_table(sql: &str, sql_mode: u64) -> bool {
    let all = tokens(sql, sql_mode);
    let word = |at: usize, w: &str| all.get(at).is_some_and(|t| t.is_word(w));
    word(1, "TABLE") && !(word(2, "BY") && word(3, "JOB"))
}

/// Whether a statement says OR REPLACE.
pub(crate) fn has_or_replace(sql: &str, sql_mode: u64) -> bool {
    let all = tokens(sql, sql_mode);
    all.get(1).is_some_and(|t| t.is_word("OR")) && all.get(2).is_some_and(|t| t.is_word("REPLACE"))
}

/// The statements of a text, without the semicolons between them.
pub(crate) fn split(sql: &str, sql_mode: u64) -> Vec<String> {
    let mut out = Vec::new();
    let mut start = 0;
    let all = tokens(sql, sql_mode);
    let ends = all.iter().filter(|t| t.kind == Kind::Sign(b';')).map(|t| t.start).chain([sql.len()]);
    for end in ends {
        let text = sql.get(start..end).unwrap_or_default().trim();
        if !text.is_empty() {
            out.push(text.to_owned());
        }
        start = end + 1;
    }
    out
}

/// Says the table's character set and collation outright when CREATE TABLE leaves them to the schema,
/// whose defaults may be others downstream.
pub(crate) fn with_charset(sql: &str, charset: &str, collation: &str, sql_mode: u64) -> String {
    let all = tokens(sql, sql_mode);
    let mut depth = 0_usize;
    let mut close = None;
    for (i, t) in all.iter().enumerate() {
        match t.kind {
            Kind::Sign(b'(') => depth += 1,
            Kind::Sign(b')') => {
                depth = depth.saturating_sub(1);
                if depth == 0 && close.is_none() {
                    close = Some((i, t.end()));
                }
            }
            _ => {}
        }
    }
    let Some((at, end)) = close else {
        return sql.to_owned();
    };
    let says = |t: &Token<'_>| ["CHARSET", "CHARACTER", "COLLATE"].iter().any(|w| t.is_word(w));
    let is_like = table_names(&all).first().is_some_and(|name| like_name(&all, *name).is_some());
    if charset.is_empty() || collation.is_empty() || is_like || all.iter().skip(at).any(says) {
        return sql.to_owned();
    }
    let (head, tail) = sql.split_at(end);
    format!("{head} DEFAULT CHARSET={charset} COLLATE={collation}{tail}")
}

#[cfg(test)]
#[path = "qualify_tests.rs"]
mod tests;
