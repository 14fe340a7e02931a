//! Character sets and collations: names the downstream lacks, and defaults that differ from TiDB's.

use super::Server;
use super::edit::Edit;
use tidegate_sdk::sql::Dialect;

/// The collation TiDB takes when only a character set is named.
pub(super) fn default_collation(charset: &str) -> Option<&'static str> {
    Some(match charset.to_ascii_lowercase().as_str() {
        "utf8mb4" => "utf8mb4_bin",
        "utf8" | "utf8mb3" => "utf8_bin",
        "latin1" => "latin1_bin",
        "ascii" => "ascii_bin",
        "binary" => "binary",
        "gbk" => "gbk_chinese_ci",
        "gb18030" => "gb18030_chinese_ci",
        _ => return None,
    })
}

/// The nearest collation the server has; `None`: it has this one.
fn nearest(server: &Server, collation: &str) -> Option<&'static str> {
    let lower = collation.to_ascii_lowercase();
    let mariadb = server.dialect == Dialect::Mariadb;
    let old_mysql = server.dialect == Dialect::Mysql && server.version < (8, 0);
    match lower.as_str() {
        "gb18030_chinese_ci" | "gb18030_bin" if mariadb => Some("utf8mb4_bin"),
        "utf8mb4_0900_bin" if mariadb => Some("utf8mb4_nopad_bin"),
        "utf8mb4_0900_bin" if old_mysql => Some("utf8mb4_bin"),
        name if name.starts_with("utf8mb4_") && name.contains("_0900_") => {
            let sensitive = name.ends_with("_as_cs");
            if mariadb && server.version >= (10, 10) {
                Some(if sensitive { "utf8mb4_uca1400_nopad_as_cs" } else { "utf8mb4_uca1400_nopad_ai_ci" })
            } else if mariadb {
                Some(if sensitive { "utf8mb4_nopad_bin" } else { "utf8mb4_unicode_520_nopad_ci" })
            } else if old_mysql {
                Some(if sensitive { "utf8mb4_bin" } else { "utf8mb4_unicode_520_ci" })
            } else {
                None
            }
        }
        _ => None,
    }
}

/// Replaces collations and character sets that the server does not know.
pub(super) fn replace_unknown(edit: &mut Edit<'_>, server: &Server) {
    for i in 1..edit.len() {
        let bare = edit.text(i).trim_matches(['\'', '"', '`']);
        if edit.is(i - 1, "COLLATE") || (edit.is(i - 1, "=") && i > 1 && edit.is(i - 2, "COLLATE")) {
            if let Some(name) = nearest(server, bare) {
                edit.replace(i, name);
            }
        } else if server.dialect == Dialect::Mariadb && bare.eq_ignore_ascii_case("gb18030") && charset_at(edit, i) {
            edit.replace(i, "utf8mb4");
        }
    }
}

/// Whether position `i` names a character set.
fn charset_at(edit: &Edit<'_>, i: usize) -> bool {
    let i = if i > 1 && edit.is(i - 1, "=") { i - 1 } else { i };
    i > 0
        && (edit.is(i - 1, "CHARSET") || (i > 1 && edit.is(i - 1, "SET") && edit.is_any(i - 2, &["CHARACTER", "CHAR"])))
}

/// Adds TiDB's default collation behind each character set that comes without one.
pub(super) fn add_collations(edit: &mut Edit<'_>, server: &Server) {
    for i in 2..edit.len() {
        if !edit.is_name(i) && !edit.text(i).starts_with(['\'', '"']) || !charset_at(edit, i) {
            continue;
        }
        let depth = edit.depth(i);
        let start = (0..i).rev().find(|n| edit.depth(*n) < depth || (edit.depth(*n) == depth && edit.is(*n, ",")));
        let range = start.map_or(0, |n| n + 1)..edit.element_end(i);
        let named = range.into_iter().any(|n| edit.depth(n) == depth && edit.is(n, "COLLATE"));
        let charset = edit.text(i).trim_matches(['\'', '"', '`']);
        if let (false, Some(name)) = (named, default_collation(charset)) {
            edit.append(i, &format!(" COLLATE {}", nearest(server, name).unwrap_or(name)));
        }
    }
}

/// The clause that gives a new database or table the source's defaults.
pub(super) fn default_clause(server: &Server, charset: &str, collation: &str) -> String {
    let charset = if charset.is_empty() { "utf8mb4" } else { charset };
    let collation = if collation.is_empty() { default_collation(charset).unwrap_or("utf8mb4_bin") } else { collation };
    let collation = nearest(server, collation).unwrap_or(collation);
    let charset = if server.dialect == Dialect::Mariadb && charset == "gb18030" { "utf8mb4" } else { charset };
    format!(" DEFAULT CHARACTER SET {charset} COLLATE {collation}")
}

/// Whether a character set or collation is named outside parentheses.
pub(super) fn names_default(edit: &Edit<'_>) -> bool {
    (1..edit.len()).any(|i| edit.depth(i) == 0 && (edit.is(i, "COLLATE") || charset_at(edit, i)))
}
