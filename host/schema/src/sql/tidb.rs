//! Puts what only TiDB knows into comments of the form `/*T![feature] … */`.
//!
//! TiDB reads such comments as SQL and other servers as comments, so a statement that was typed with the bare
//! words runs on both. The features and their comment ids are those of TiDB's own SHOW CREATE TABLE.

use super::qualify::{Edit, apply};
use super::token::{Kind, Token, tokens};

/// Table options: name, comment id. They stand outside of parentheses and take a value.
const OPTIONS: [(&str, &str); 7] = [
    ("AUTO_RANDOM_BASE", "[auto_rand_base]"),
    ("AUTO_ID_CACHE", "[auto_id_cache]"),
    ("SHARD_ROW_ID_BITS", ""),
    ("PRE_SPLIT_REGIONS", ""),
    ("TTL_ENABLE", "[ttl]"),
    ("TTL_JOB_INTERVAL", "[ttl]"),
    ("TTL", "[ttl]"),
];

/// The statement with such comments around what is not in one already.
pub(crate) fn comment_out(sql: &str, sql_mode: u64) -> String {
    let all = tokens(sql, sql_mode);
    let mut edits = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(token) = all.get(at) {
        match token.kind {
            Kind::Sign(b'(') => depth += 1,
            Kind::Sign(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let Some((id, len)) = feature(&all, at, depth) else {
            at += 1;
            continue;
        };
        edits.extend(edit(sql, &all, at, len, id));
        at += len;
    }
    apply(sql, &mut edits)
}

/// Comment id and number of tokens of a feature that begins at a token.
fn feature(all: &[Token<'_>], at: usize, depth: usize) -> Option<(&'static str, usize)> {
    let word = |at: usize, w: &str| all.get(at).is_some_and(|t| t.is_word(w));
    let sign = |at: usize, s: u8| all.get(at).is_some_and(|t| t.kind == Kind::Sign(s));
    let before = at.checked_sub(1)?;
    if word(at, "AUTO_RANDOM") && !sign(before, b'(') && !sign(before, b',') && !word(before, "COLUMN") {
        let inner = all.iter().skip(at + 1).position(|t| t.kind == Kind::Sign(b')'));
        return Some(("[auto_rand]", if sign(at + 1, b'(') { inner? + 2 } else { 1 }));
    }
    if (word(at, "CLUSTERED") || word(at, "NONCLUSTERED")) && (sign(before, b')') || word(before, "KEY")) {
        return Some(("[clustered_index]", 1));
    }
    if depth > 0 {
        return None;
    }
    if word(at, "REMOVE") && word(at + 1, "TTL") {
        return Some(("[ttl]", 2));
    }
    let (_, id) = OPTIONS.into_iter().find(|(name, _)| word(at, name) && sign(at + 1, b'='))?;
    // TTL = column + INTERVAL number unit
    Some((id, if word(at, "TTL") { 7 } else { 3 }))
}

/// A comma before or behind goes into the comment with its part.
fn edit(sql: &str, all: &[Token<'_>], at: usize, len: usize, id: &str) -> Option<Edit> {
    let is_comma = |t: &&Token<'_>| t.kind == Kind::Sign(b',');
    let in_key = all.get(at)?.is_word("CLUSTERED")
        || all.get(at)?.is_word("NONCLUSTERED")
        || all.get(at)?.is_word("AUTO_RANDOM");
    let before = all.get(at.checked_sub(1)?).filter(is_comma).filter(|_| !in_key);
    let behind = all.get(at + len).filter(is_comma).filter(|_| !in_key && before.is_none());
    let start = before.unwrap_or(all.get(at)?).start;
    let end = behind.unwrap_or(all.get(at + len - 1)?).end();
    let inner = sql.get(start..end)?;
    // Comments do not nest.
    (!inner.contains("/*")).then(|| Edit { start, end, text: format!("/*T!{id} {inner} */") })
}

#[cfg(test)]
mod tests {
    use super::comment_out;

    fn check(sql: &str, want: &str) {
        assert_eq!(comment_out(sql, 0), want);
        assert_eq!(comment_out(want, 0), want, "once is enough");
    }

    #[test]
    fn what_only_tidb_knows_becomes_a_comment() {
        check(
            "create table a(id bigint primary key auto_random, v int)",
            "create table a(id bigint primary key /*T![auto_rand] auto_random */, v int)",
        );
        check(
            "create table a(id bigint auto_random(5, 54) key)",
            "create table a(id bigint /*T![auto_rand] auto_random(5, 54) */ key)",
        );
        check(
            "create table a(a int, b int, primary key(a, b) clustered)",
            "create table a(a int, b int, primary key(a, b) /*T![clustered_index] clustered */)",
        );
        check(
            "create table a(id int primary key nonclustered, v int)",
            "create table a(id int primary key /*T![clustered_index] nonclustered */, v int)",
        );
        check(
            "create table a(id int) ttl=ts + interval 1 day",
            "create table a(id int) /*T![ttl] ttl=ts + interval 1 day */",
        );
        check("alter table a ttl_enable=\"OFF\"", "alter table a /*T![ttl] ttl_enable=\"OFF\" */");
        check("alter table a remove ttl", "alter table a /*T![ttl] remove ttl */");
        check(
            "alter table a add column b int, ttl_enable='ON'",
            "alter table a add column b int/*T![ttl] , ttl_enable='ON' */",
        );
        check(
            "create table a(id int) shard_row_id_bits=4 pre_split_regions=2",
            "create table a(id int) /*T! shard_row_id_bits=4 */ /*T! pre_split_regions=2 */",
        );
    }

    #[test]
    fn names_stay_names() {
        for sql in [
            "create table a(ttl int, auto_random int, clustered int)",
            "alter table a add column auto_random int",
            "create table a(id int default 5) comment='ttl = x + interval 1 day'",
            "create table a(id bigint /*T![auto_rand] auto_random */)",
            "alter table `ttl` add index (clustered)",
        ] {
            check(sql, sql);
        }
    }
}
