//! Indexes that go, are renamed and come.

use super::super::{Actual, index};
use tidegate_sdk::{Index, TableSchema};

/// What an index is besides its name: columns by their position after, whether it is unique, whether it is the primary key.
type Shape = (Option<Vec<usize>>, bool, bool);

/// The statements that drop, and those that make or rename.
pub(super) fn change(
    before: &TableSchema,
    after: &TableSchema,
    pairs: &[Option<usize>],
    actual: &Actual,
) -> (Vec<String>, Vec<String>) {
    let at_after = |c: &u32| pairs.iter().position(|p| *p == Some(*c as usize));
    let old_shape = |i: &Index| -> Shape { (i.columns.iter().map(at_after).collect(), i.unique, i.primary) };
    let new_shape =
        |i: &Index| -> Shape { (Some(i.columns.iter().map(|c| *c as usize).collect()), i.unique, i.primary) };
    let (mut dropped, mut made) = (Vec::new(), Vec::new());
    let mut renamed = Vec::new();
    for old in &before.indexes {
        let shape = old_shape(old);
        if after.indexes.iter().any(|n| n.name == old.name && new_shape(n) == shape) {
            continue;
        }
        let Some(name) = actual.index(&old.name, old.primary) else { continue };
        let heir = after.indexes.iter().find(|n| !n.primary && new_shape(n) == shape && is_new(before, n));
        match heir {
            Some(heir) => {
                made.push(index::mark(after, name, &heir.name));
                renamed.push(heir.name.as_str());
            }
            None => dropped.push(index::drop(after, name, old.primary)),
        }
    }
    for (at, new) in after.indexes.iter().enumerate() {
        let same = before.indexes.iter().any(|o| o.name == new.name && old_shape(o) == new_shape(new));
        // One of this name that differs has just been dropped.
        let there = is_new(before, new) && actual.index(&new.name, new.primary).is_some();
        if !same && !there && !renamed.contains(&new.name.as_str()) && index::is_kept(after, at) {
            made.extend(index::create(after, new));
        }
    }
    (dropped, made)
}

fn is_new(before: &TableSchema, index: &Index) -> bool {
    !before.indexes.iter().any(|o| o.name == index.name)
}
