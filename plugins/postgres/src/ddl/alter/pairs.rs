//! Which column of the schema before is which of the one after.

use tidegate_sdk::{DdlEvent, DdlKind, TableSchema};

/// For each column after, its position before; `None`: it is new. A column keeps its number when it is renamed, and its name when its
/// values were rewritten.
pub(super) fn pair(event: &DdlEvent, before: &TableSchema, after: &TableSchema) -> Result<Vec<Option<usize>>, String> {
    let by_id = |id| before.columns.iter().position(|c| c.id == id);
    let mut pairs: Vec<Option<usize>> = after.columns.iter().map(|c| by_id(c.id)).collect();
    for (at, column) in after.columns.iter().enumerate() {
        let same = before.columns.iter().position(|c| c.name.eq_ignore_ascii_case(&column.name));
        let free = same.filter(|i| !pairs.contains(&Some(*i)));
        if let Some(place) = pairs.get_mut(at).filter(|p| p.is_none()) {
            *place = free;
        }
    }
    let gone: Vec<usize> = (0..before.columns.len()).filter(|i| !pairs.contains(&Some(*i))).collect();
    let new: Vec<usize> = pairs.iter().enumerate().filter(|(_, p)| p.is_none()).map(|(i, _)| i).collect();
    match (gone.as_slice(), new.as_slice(), event.kind) {
        // Renamed and rewritten at once.
        ([one], [other], DdlKind::ModifyColumn) => {
            if let Some(place) = pairs.get_mut(*other) {
                *place = Some(*one);
            }
            Ok(pairs)
        }
        ([], _, _) | (_, [], _) => Ok(pairs),
        _ if has_word(&event.query, "CHANGE") => Err(
            "which column became which cannot be told from the schemas; change the table by hand and resume after it"
                .to_owned(),
        ),
        _ => Ok(pairs),
    }
}

/// Whether the word stands in the statement, wherever: a table is better stopped for once too often than emptied.
fn has_word(statement: &str, word: &str) -> bool {
    statement.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|w| w.eq_ignore_ascii_case(word))
}
