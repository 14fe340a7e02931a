//! Parts of statements that only TiDB knows.

use super::edit::Edit;

/// Table options of the form `NAME [=] value`.
const TABLE_OPTIONS: &[&str] = &[
    "AUTO_RANDOM_BASE",
    "AUTO_ID_CACHE",
    "SHARD_ROW_ID_BITS",
    "PRE_SPLIT_REGIONS",
    "TTL_ENABLE",
    "TTL_JOB_INTERVAL",
    "STATS_BUCKETS",
    "STATS_TOPN",
    "STATS_SAMPLE_RATE",
    "STATS_COL_CHOICE",
    "STATS_COL_LIST",
    "ATTRIBUTES",
    "AFFINITY",
];

/// Removes what MySQL and MariaDB do not know. `specs_at`: where the specifications of an ALTER TABLE start, else 0.
pub(super) fn remove_tidb_parts(edit: &mut Edit<'_>, specs_at: usize) {
    for i in 2..edit.len() {
        if edit.is_removed(i) || edit.is(i + 1, ".") || edit.is(i - 1, ".") {
            continue;
        }
        if let Some(end) = option_end(edit, i) {
            let whole_spec = specs_at > 0
                && edit.depth(i) == 0
                && (i == specs_at || edit.is(i - 1, ","))
                && (end >= edit.len() || edit.is(end, ","));
            if whole_spec {
                edit.remove_element(i, end);
            } else {
                edit.remove(i, end);
            }
        } else if edit.is_any(i, &["CLUSTERED", "NONCLUSTERED"]) && (edit.is(i - 1, ")") || edit.is(i - 1, "KEY")) {
            edit.remove(i, i + 1);
        } else if edit.is(i, "AUTO_RANDOM") && in_definition(edit, i) {
            let end = if edit.is(i + 1, "(") { edit.behind_group(i + 1) } else { i + 1 };
            edit.remove(i, end);
        } else if edit.is(i, "GLOBAL") && edit.is(i - 1, ")") {
            edit.remove(i, i + 1);
        }
    }
}

/// Whether the word stands behind a column's name and type, not in the place of a name.
fn in_definition(edit: &Edit<'_>, i: usize) -> bool {
    !edit.is_any(i - 1, &["(", ",", "COLUMN", "ADD", "DROP", "TABLE", "KEY", "INDEX"])
}

/// The position behind the option that starts at `i`, if one does.
fn option_end(edit: &Edit<'_>, i: usize) -> Option<usize> {
    let value_at = |i: usize| if edit.is(i, "=") { i + 1 } else { i };
    if edit.are(i, &["PLACEMENT", "POLICY"]) {
        let value = value_at(i + 2);
        return Some(value + 1);
    }
    if edit.depth(i) > 0 {
        return None;
    }
    if TABLE_OPTIONS.iter().any(|o| edit.is(i, o)) {
        return Some(value_at(i + 1) + 1);
    }
    if edit.is(i, "TTL") {
        if edit.is(i - 1, "REMOVE") {
            return None;
        }
        // TTL [=] column + INTERVAL n unit
        let value = value_at(i + 1);
        return edit.are(value + 1, &["+", "INTERVAL"]).then_some(value + 5);
    }
    edit.are(i, &["REMOVE", "TTL"]).then_some(i + 2)
}
