//! Names of events: the commit-ts, the table, and the number of the event among this lane's events of both.
//!
//! Tables are counted apart because the host hands over one after the other: what lies between two rows of a table depends on where windows
//! were cut, the rows of the table do not.

use std::collections::BTreeMap;
use tidegate_sdk::{Failure, state};

/// Key in the durable map.
const KEY: &str = "numbers";
/// Version of what is kept: (table, commit-ts, count) of each table, 8 bytes little endian each.
const VERSION: u8 = 2;
/// Counted over all tables; its names had another form, so that nothing goes on from it.
const VERSION_1: u8 = 1;
const ENTRY_BYTES: usize = 24;

/// Counts the events of a lane. What was named up to the last flush is kept, so that a lane that is started again in the middle
/// of a commit-ts goes on where it was.
#[derive(PartialEq, Eq, Debug, Default)]
pub(crate) struct Numbers {
    /// By table: the newest commit-ts, and the events at it so far.
    tables: BTreeMap<u64, (u64, u64)>,
}

impl Numbers {
    pub(crate) fn restored(source: &str) -> Result<Self, Failure> {
        let Some(kept) = state::get(KEY) else { return Ok(Self::default()) };
        Self::decode(&kept).ok_or_else(|| {
            Failure::unsupported("webhook-state", format!("the kept numbers of {source} are of another version"))
        })
    }

    fn decode(kept: &[u8]) -> Option<Self> {
        let entries = match kept.split_first() {
            Some((&VERSION, entries)) if entries.len() % ENTRY_BYTES == 0 => entries,
            Some((&VERSION_1, _)) => return Some(Self::default()),
            _ => return None,
        };
        let entry = |e: &[u8]| {
            let number = |at: usize| e.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
            Some((number(0)?, (number(8)?, number(16)?)))
        };
        Some(Self { tables: entries.chunks_exact(ENTRY_BYTES).map(entry).collect::<Option<_>>()? })
    }

    fn encode(&self) -> Vec<u8> {
        let numbers = self.tables.iter().flat_map(|(table, (ts, count))| [*table, *ts, *count]);
        [VERSION].into_iter().chain(numbers.flat_map(u64::to_le_bytes)).collect()
    }

    /// The name of the next event.
    pub(crate) fn next(&mut self, table: u64, commit_ts: u64) -> String {
        let entry = self.tables.entry(table).or_default();
        if entry.0 != commit_ts {
            *entry = (commit_ts, 0);
        }
        entry.1 += 1;
        format!("{commit_ts}-{table}-{}", entry.1)
    }

    /// Everything named so far is delivered, and no event below `done` comes again.
    pub(crate) fn keep(&mut self, done: u64) -> Result<(), Failure> {
        self.tables.retain(|_, (ts, _)| *ts >= done);
        state::set(KEY, &self.encode()).map_err(|e| Failure::fatal("webhook-state", e))
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn tables_are_counted_apart_and_go_on_within_a_commit_ts() {
        let mut numbers = Numbers::default();
        let names = [(1, 7), (1, 8), (2, 7), (2, 7), (1, 8)].map(|(table, ts)| numbers.next(table, ts));
        assert_eq!(names, ["7-1-1", "8-1-1", "7-2-1", "7-2-2", "8-1-2"]);
        let mut restored = Numbers::decode(&numbers.encode()).unwrap();
        assert_eq!((restored.next(2, 7), restored.next(1, 9)), ("7-2-3".to_owned(), "9-1-1".to_owned()));
    }

    #[test]
    fn the_version_before_is_read_and_one_that_is_not_known_is_refused() {
        assert_eq!(Numbers::decode(&[&[1][..], &[7; 16]].concat()), Some(Numbers::default()));
        for bad in [&[][..], &[3], &[2, 0]] {
            assert_eq!(Numbers::decode(bad), None, "{bad:?}");
        }
    }
}
