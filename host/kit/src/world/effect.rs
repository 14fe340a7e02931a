//! What is left behind, in a form that two runs can be compared by.
//!
//! - Tables: their rows.
//! - Messages of one key, and requests to one path: their items, those of one row key in order ([`Owners`]). Bodies that are JSON arrays, an
//!   envelope around one, or lines count by element, so that how many rows share a request makes no difference. Where an instance began
//!   anew, the order may step back and come again.
//! - Objects: their lines, whatever object holds them, each once.

use super::owners::Owners;
use std::collections::{BTreeMap, BTreeSet};

/// One thing of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Item {
    Is(Vec<u8>),
    /// An instance began anew.
    Restart,
}

/// See the module.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Effect {
    pub(crate) tables: BTreeMap<String, Vec<String>>,
    pub(crate) opaque: BTreeSet<String>,
    streams: BTreeMap<String, Vec<Item>>,
    object_lines: BTreeSet<Vec<u8>>,
    restarts: bool,
    /// Rows the plugin would not take, by their place in the corpus.
    pub(crate) refused: BTreeSet<usize>,
}

/// What was expected and what happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Difference {
    pub(crate) expected: String,
    pub(crate) happened: String,
}

/// Longest text of a value in a report.
const SHOWN_CHARS: usize = 300;

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let cut: String = text.chars().take(SHOWN_CHARS).collect();
    if cut.len() < text.len() { format!("{cut:?}… ({} bytes)", bytes.len()) } else { format!("{cut:?}") }
}

/// Names of the list that an envelope holds its rows in.
const LISTS: [&str; 7] = ["events", "rows", "records", "messages", "changes", "items", "data"];

/// The elements of a JSON array, or of the list in an envelope; `None`: it is neither.
fn elements(body: &[u8]) -> Option<Vec<serde_json::Value>> {
    match serde_json::from_slice(body).ok()? {
        serde_json::Value::Array(elements) => Some(elements),
        serde_json::Value::Object(mut envelope) => {
            let list = LISTS.iter().find_map(|name| envelope.remove(*name))?;
            let serde_json::Value::Array(elements) = list else { return None };
            elements.iter().all(serde_json::Value::is_object).then_some(elements)
        }
        _ => None,
    }
}

/// Members that say of a row that it may have come before: a row that does come again has one, the first time it has none.
const REPEAT_MARKS: [&str; 3] = ["maybe-repeated", "maybe_repeated", "maybeRepeated"];

fn without_repeat_mark(mut element: serde_json::Value) -> serde_json::Value {
    if let Some(object) = element.as_object_mut() {
        object.retain(|name, _| !REPEAT_MARKS.contains(&name.as_str()));
    }
    element
}

/// The parts of a body: elements of a JSON array or of the list in an envelope, lines of JSON or CSV, or the whole.
pub(super) fn parts(body: &[u8]) -> Vec<Vec<u8>> {
    if let Some(elements) = elements(body) {
        return elements.into_iter().map(|e| without_repeat_mark(e).to_string().into_bytes()).collect();
    }
    let lines: Vec<&[u8]> = body.split(|b| *b == b'\n').filter(|l| !l.is_empty()).collect();
    lines.into_iter().map(<[u8]>::to_vec).collect()
}

impl Effect {
    /// Nothing is left behind at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.values().all(Vec::is_empty)
            && self.opaque.is_empty()
            && self.streams.is_empty()
            && self.object_lines.is_empty()
    }

    pub(super) fn stream(&mut self, name: String) -> &mut Vec<Item> {
        let begin = self.restarts;
        self.streams.entry(name).or_insert_with(|| if begin { vec![Item::Restart] } else { Vec::new() })
    }

    pub(super) fn restart(&mut self) {
        self.restarts = true;
        self.streams.values_mut().for_each(|s| s.push(Item::Restart));
    }

    /// Whether anything was left behind that has an order.
    pub(crate) fn has_streams(&self) -> bool {
        !self.streams.is_empty()
    }

    pub(super) fn take_objects<'a>(&mut self, objects: impl Iterator<Item = (&'a str, &'a [u8])>) {
        for (_, data) in objects {
            self.object_lines.extend(parts(data));
        }
    }

    /// Whether `other`, a run of the same rows, has come to the same. Values that came again after a restart do not count. Without owners
    /// streams must have one order over all keys.
    pub(crate) fn compare(&self, other: &Self, owners: Option<&Owners>) -> Result<(), Difference> {
        compare_maps("table", &self.tables, &other.tables, same_rows)?;
        compare_sets("statement", &self.opaque, &other.opaque, |s| shown(s.as_bytes()))?;
        compare_maps("stream", &self.streams, &other.streams, |name, wanted, found| match owners {
            None => same_stream(name, wanted, found),
            Some(owners) => owners.split(name, [wanted, found]).iter().try_for_each(|[a, b]| same_stream(name, a, b)),
        })?;
        compare_sets("line of the objects", &self.object_lines, &other.object_lines, |l| shown(l))?;
        if self.refused != other.refused {
            let rows = |e: &Self| format!("the rows {:?} of the corpus are refused", e.refused);
            return Err(Difference { expected: rows(self), happened: rows(other) });
        }
        Ok(())
    }
}

fn compare_maps<T>(
    what: &str,
    wanted: &BTreeMap<String, Vec<T>>,
    found: &BTreeMap<String, Vec<T>>,
    same: impl Fn(&str, &[T], &[T]) -> Result<(), Difference>,
) -> Result<(), Difference> {
    let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    for name in names {
        let of = |map: &'_ BTreeMap<String, Vec<T>>| map.get(name).map(|v| v.len());
        match (wanted.get(name), found.get(name)) {
            (Some(a), Some(b)) => same(name, a, b)?,
            _ if of(wanted).unwrap_or(0) + of(found).unwrap_or(0) == 0 => {}
            _ => {
                let says = |n: Option<usize>| n.map_or_else(|| "nothing".to_owned(), |n| format!("{n} items"));
                return Err(Difference {
                    expected: format!("{what} {name}: {}", says(of(wanted))),
                    happened: format!("{what} {name}: {}", says(of(found))),
                });
            }
        }
    }
    Ok(())
}

fn compare_sets<T: Ord>(
    what: &str,
    wanted: &BTreeSet<T>,
    found: &BTreeSet<T>,
    show: impl Fn(&T) -> String,
) -> Result<(), Difference> {
    if let Some(missing) = wanted.difference(found).next() {
        let expected = format!("{what} {}", show(missing));
        return Err(Difference { expected, happened: "it is not there".to_owned() });
    }
    if let Some(more) = found.difference(wanted).next() {
        return Err(Difference { expected: format!("no such {what}"), happened: show(more) });
    }
    Ok(())
}

fn same_rows(name: &str, wanted: &[String], found: &[String]) -> Result<(), Difference> {
    if wanted == found {
        return Ok(());
    }
    let missing = wanted.iter().find(|r| !found.contains(r));
    let more = found.iter().find(|r| !wanted.contains(r));
    let show = |row: Option<&String>| row.map_or_else(|| "-".to_owned(), |r| shown(r.as_bytes()));
    Err(Difference {
        expected: format!("{} rows in {name}, among them {}", wanted.len(), show(missing)),
        happened: format!("{} rows, among them {}", found.len(), show(more)),
    })
}

/// The values of a run without restarts, and the same values with steps back at restarts.
fn same_stream(name: &str, wanted: &[Item], found: &[Item]) -> Result<(), Difference> {
    let wanted = settled(wanted);
    // Where in `wanted` the stream may stand: several places, when values repeat.
    let mut at: BTreeSet<usize> = BTreeSet::from([0]);
    let mut furthest = 0;
    for (n, item) in found.iter().enumerate() {
        match item {
            Item::Restart => at.extend(0..=furthest),
            Item::Is(value) => {
                let next: BTreeSet<usize> =
                    at.iter().filter(|i| wanted.get(**i).is_some_and(|w| *w == value)).map(|i| i + 1).collect();
                if next.is_empty() {
                    let expected = at.last().and_then(|i| wanted.get(*i)).map_or_else(
                        || format!("{name}: nothing after its {} items", wanted.len()),
                        |v| format!("{name}, item {}: {}", at.last().unwrap_or(&0) + 1, shown(v)),
                    );
                    return Err(Difference { expected, happened: format!("item {}: {}", n + 1, shown(value)) });
                }
                furthest = furthest.max(next.last().copied().unwrap_or(0));
                at = next;
            }
        }
    }
    if at.contains(&wanted.len()) {
        return Ok(());
    }
    let last = at.last().and_then(|i| wanted.get(*i)).map_or_else(String::new, |v| shown(v));
    Err(Difference {
        expected: format!("{name}: {} items; the one that is missing: {last}", wanted.len()),
        happened: format!("it ends after {}", at.last().unwrap_or(&0)),
    })
}

/// Without the marks; the runs that others are compared with have no restarts.
fn settled(items: &[Item]) -> Vec<&Vec<u8>> {
    items.iter().filter_map(|i| if let Item::Is(v) = i { Some(v) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Effect, Item, parts, same_stream};

    fn stream(text: &str) -> Vec<Item> {
        text.chars().map(|c| if c == '|' { Item::Restart } else { Item::Is(c.to_string().into_bytes()) }).collect()
    }

    #[test]
    fn a_stream_may_step_back_where_an_instance_began_anew_and_nowhere_else() {
        let wanted = stream("abcabd");
        for good in ["abcabd", "abc|abcabd", "abcabd|bd", "ab|ab|cabd", "|abcabd", "abc|cabd"] {
            assert!(same_stream("s", &wanted, &stream(good)).is_ok(), "{good}");
        }
        for bad in ["abcab", "abcabdd", "abababd", "abc|bd", "ab|d", "abcabd|c", "", "xabcabd", "abc|abcabdx"] {
            assert!(same_stream("s", &wanted, &stream(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn bodies_count_by_what_they_hold() {
        assert_eq!(parts(br#"[{"a":1},{"a":2}]"#).len(), 2);
        assert_eq!(parts(b"{\"a\":1}\n{\"a\":2}\n").len(), 2);
        assert_eq!(parts(br#"{"version":1,"events":[{"a":1},{"a":2},{"a":3}]}"#).len(), 3);
        assert_eq!(parts(br#"{"id":1,"data":["x","y"]}"#).len(), 1, "a row with a list is one row");
        let (first, again) = (&br#"[{"a":1}]"#[..], &br#"[{"a":1,"maybe-repeated":true}]"#[..]);
        assert_eq!(parts(first), parts(again));
        assert_eq!(parts(b"text").len(), 1);
        assert!(parts(b"").is_empty() && parts(b"[]").is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        let with = |rows: &[&str]| {
            let mut e = Effect::default();
            e.tables.insert("d.t".into(), rows.iter().map(|r| (*r).to_owned()).collect());
            e
        };
        let different = with(&["a", "b"]).compare(&with(&["a"]), None).unwrap_err();
        assert_eq!(different.expected, "2 rows in d.t, among them \"b\"");
        assert!(with(&[]).compare(&Effect::default(), None).is_ok(), "an empty table is as good as none");
        let mut other = with(&["a"]);
        other.refused.insert(3);
        assert!(with(&["a"]).compare(&other, None).is_err());
    }
}
