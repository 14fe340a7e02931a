//! Types, indexes and clauses the downstream lacks.

use super::edit::Edit;
use tidegate_sdk::sql::Dialect;

/// Words behind which a type cannot stand, so that a VECTOR there is a name.
const NOT_BEFORE_TYPE: &[&str] =
    &["(", ",", ".", "COLUMN", "ADD", "TABLE", "MODIFY", "CHANGE", "KEY", "INDEX", "DROP", "AS", "TO"];

/// VECTOR columns become LONGTEXT, VECTOR indexes go.
pub(super) fn replace_vectors(edit: &mut Edit<'_>) {
    for i in 1..edit.len() {
        if !edit.is(i, "VECTOR") {
            continue;
        }
        let index = edit.is_any(i + 1, &["INDEX", "KEY"]);
        if index && edit.is_any(i - 1, &["(", ","]) {
            edit.remove_element(i, edit.element_end(i));
        } else if index && edit.is(i - 1, "ADD") {
            edit.remove_element(i - 1, edit.element_end(i - 1));
        } else if edit.is_name(i - 1) && !edit.is_any(i - 1, NOT_BEFORE_TYPE) {
            edit.replace(i, "LONGTEXT");
            if edit.is(i + 1, "(") {
                edit.remove(i + 1, edit.behind_group(i + 1));
            } else if edit.are(i + 1, &["<", "FLOAT", ">"]) {
                edit.remove(i + 1, i + 4);
                if edit.is(i + 4, "(") {
                    edit.remove(i + 4, edit.behind_group(i + 4));
                }
            }
        }
    }
}

/// What MariaDB spells in another way or does not have.
pub(super) fn replace_for_mariadb(edit: &mut Edit<'_>, dialect: Dialect, version: (u32, u32)) {
    if dialect != Dialect::Mariadb {
        return;
    }
    for i in 1..edit.len() {
        if edit.is_any(i - 1, &["(", ",", ".", "COLUMN", "ADD", "TABLE"]) {
            continue;
        }
        if edit.is(i, "INVISIBLE") {
            edit.replace(i, "IGNORED");
        } else if edit.is(i, "VISIBLE") {
            edit.replace(i, "NOT IGNORED");
        } else if version < (11, 4) && edit.is_any(i, &["WITH", "WITHOUT"]) && edit.is(i + 1, "VALIDATION") {
            edit.remove(i, i + 2);
        }
    }
}

/// Indexes on expressions are left out where the server has none: they speed up reading only, unless they are unique.
pub(super) fn remove_expression_indexes(edit: &mut Edit<'_>) {
    for i in 1..edit.len() {
        let starts = edit.is_any(i, &["KEY", "INDEX", "UNIQUE"]) && edit.is_any(i - 1, &["(", ",", "ADD"]);
        if !starts || edit.is_removed(i) {
            continue;
        }
        let end = edit.element_end(i);
        let columns = (i..end).find(|n| edit.is(*n, "("));
        let expression = columns.is_some_and(|open| {
            (open + 1..edit.behind_group(open)).any(|n| edit.is(n, "(") && edit.is_any(n - 1, &["(", ","]))
        });
        if expression {
            let from = if edit.is(i - 1, "ADD") { i - 1 } else { i };
            edit.remove_element(from, end);
        }
    }
}
