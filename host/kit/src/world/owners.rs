//! Which rows the items of streams came of, so that order is compared where the contract promises it.
//!
//! Rows of one key come in commit order, and everything comes on its side of a DDL. Rows of different keys, and of different tables, may pass
//! each other: within a window the host hands over one table after the other.

use super::effect::Item;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Group of what came of no row (of a DDL, say): it keeps its place among the items of every key.
const EVERY: usize = 0;

/// Groups of items, by stream. Keys that an update ties together are one group, and so are those that left the same item behind.
#[derive(Debug)]
pub(crate) struct Owners {
    items: HashMap<String, HashMap<Vec<u8>, usize>>,
    keys: HashMap<String, usize>,
    /// Each group's parent; a group that is its own stands for all below it.
    parents: Vec<usize>,
}

impl Default for Owners {
    fn default() -> Self {
        Self { items: HashMap::new(), keys: HashMap::new(), parents: vec![EVERY] }
    }
}

impl Owners {
    fn root(&self, mut group: usize) -> usize {
        while let Some(parent) = self.parents.get(group).filter(|p| **p != group) {
            group = *parent;
        }
        group
    }

    fn join(&mut self, a: usize, b: usize) -> usize {
        let (low, high) = (self.root(a).min(self.root(b)), self.root(a).max(self.root(b)));
        // What came of no row stays apart: it belongs to every group already.
        if low != EVERY
            && let Some(parent) = self.parents.get_mut(high)
        {
            *parent = low;
        }
        low
    }

    /// Notes what a row with these keys left behind; without keys: what came of no row.
    pub(crate) fn note(&mut self, keys: &[String], left: Vec<(String, Vec<u8>)>) {
        let mut group = EVERY;
        for key in keys {
            let next = self.parents.len();
            let of_key = *self.keys.entry(key.clone()).or_insert(next);
            if of_key == next {
                self.parents.push(next);
            }
            group = if group == EVERY { of_key } else { self.join(group, of_key) };
        }
        for (stream, item) in left {
            let items = self.items.entry(stream).or_default();
            match items.get(&item).copied() {
                Some(EVERY) => {}
                Some(before) if group != EVERY => {
                    self.join(before, group);
                }
                _ => {
                    items.insert(item, group);
                }
            }
        }
    }

    /// The items of two streams of one name by group, each with what belongs to every group.
    pub(super) fn split(&self, name: &str, both: [&[Item]; 2]) -> Vec<[Vec<Item>; 2]> {
        let of = |item: &Item| match item {
            Item::Is(value) => self.items.get(name).and_then(|i| i.get(value)).map(|g| self.root(*g)),
            Item::Restart => Some(EVERY),
        };
        let groups: BTreeSet<Option<usize>> = both.iter().flat_map(|items| items.iter().map(of)).collect();
        let mut out: BTreeMap<Option<usize>, [Vec<Item>; 2]> =
            groups.into_iter().map(|g| (g, [Vec::new(), Vec::new()])).collect();
        for (side, items) in both.into_iter().enumerate() {
            for item in items {
                let group = of(item);
                let takers = out.iter_mut().filter(|(g, _)| **g == group || group == Some(EVERY));
                takers.filter_map(|(_, sides)| sides.get_mut(side)).for_each(|to| to.push(item.clone()));
            }
        }
        out.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Owners;
    use crate::world::effect::Item;

    fn stream(text: &str) -> Vec<Item> {
        text.chars().map(|c| if c == '|' { Item::Restart } else { Item::Is(c.to_string().into_bytes()) }).collect()
    }

    fn noted(of: &[(&[&str], &str)]) -> Owners {
        let mut owners = Owners::default();
        for (keys, items) in of {
            let keys: Vec<String> = keys.iter().map(|k| (*k).to_owned()).collect();
            owners.note(&keys, items.chars().map(|c| ("s".to_owned(), c.to_string().into_bytes())).collect());
        }
        owners
    }

    fn text(items: &[Item]) -> String {
        items
            .iter()
            .map(|i| if let Item::Is(v) = i { String::from_utf8_lossy(v).into_owned() } else { "|".to_owned() })
            .collect()
    }

    fn split(owners: &Owners, a: &str, b: &str) -> Vec<(String, String)> {
        let (a, b) = (stream(a), stream(b));
        owners.split("s", [&a, &b]).iter().map(|[a, b]| (text(a), text(b))).collect()
    }

    #[test]
    fn items_are_parted_by_key_and_what_came_of_no_row_is_in_every_part() {
        let owners = noted(&[(&["k"], "ab"), (&["l"], "x"), (&[], "D"), (&["k"], "c")]);
        let parts = split(&owners, "axbDc", "xabD|c");
        assert_eq!(parts, [("D".into(), "D|".into()), ("abDc".into(), "abD|c".into()), ("xD".into(), "xD|".into())]);
    }

    #[test]
    fn keys_that_an_update_ties_and_rows_that_look_alike_are_one_part() {
        let owners =
            noted(&[(&["k"], "a"), (&["l"], "b"), (&["m"], "c"), (&["k", "l"], "d"), (&["m"], "e"), (&["n"], "e")]);
        let parts = split(&owners, "abcde", "e");
        assert_eq!(parts, [("abd".into(), String::new()), ("ce".into(), "e".into())]);
    }

    #[test]
    fn what_nobody_left_behind_is_a_part_of_its_own() {
        assert_eq!(split(&noted(&[(&["k"], "a")]), "a", "az"), [(String::new(), "z".into()), ("a".into(), "a".into())]);
    }
}
