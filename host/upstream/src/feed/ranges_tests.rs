use super::{Lock, Ranges};
use crate::key::KeyRange;
use crate::region::Region;
use proptest::prelude::*;
use tg_model::Ts;

fn range(start: &str, end: &str) -> KeyRange {
    KeyRange { start: start.to_owned().into(), end: end.to_owned().into() }
}

fn region(id: u64, version: u64, start: &str, end: &str) -> Region {
    let epoch = tg_proto::metapb::RegionEpoch { conf_ver: 1, version };
    Region { id, range: range(start, end), epoch, peers: vec![], leader: None }
}

fn granted(ranges: &mut Ranges, r: &Region) -> (KeyRange, u32, Ts) {
    match ranges.lock(r) {
        Lock::Granted { range, slot, resolved, .. } => (range, slot, resolved),
        other => panic!("{r:?}: {other:?}"),
    }
}

#[test]
fn a_split_inherits_and_a_merge_takes_the_least() {
    let mut ranges = Ranges::new(range("b", "y"), Ts::new(10), 0);
    let (whole, slot, from) = granted(&mut ranges, &region(1, 1, "", ""));
    assert_eq!((whole, from), (range("b", "y"), Ts::new(10)));
    ranges.initialized(&"b".into());
    assert!(ranges.is_initialized());
    ranges.resolve(slot, Ts::new(20));
    assert_eq!(ranges.resolved(), Ts::new(20));

    ranges.unlock(&"b".into(), 0, 0);
    let (left, left_slot, from) = granted(&mut ranges, &region(1, 2, "", "m"));
    assert_eq!((left, from), (range("b", "m"), Ts::new(20)));
    assert!(ranges.has_free());
    let (right, right_slot, from) = granted(&mut ranges, &region(2, 2, "m", ""));
    assert_eq!((right, from), (range("m", "y"), Ts::new(20)));
    assert!(!ranges.has_free());
    ranges.resolve(left_slot, Ts::new(50));
    ranges.resolve(right_slot, Ts::new(30));
    assert_eq!(ranges.resolved(), Ts::new(30));

    let merged = region(2, 4, "", "");
    assert_eq!(ranges.lock(&merged), Lock::Wait);
    ranges.unlock(&"b".into(), 0, 0);
    assert_eq!(ranges.lock(&merged), Lock::Wait, "the other half is still held");
    ranges.unlock(&"m".into(), 0, 0);
    let (whole, _, from) = granted(&mut ranges, &merged);
    assert_eq!((whole, from), (range("b", "y"), Ts::new(30)));
    assert!(ranges.is_initialized(), "both halves had been scanned");
}

#[test]
fn stale_regions_get_nothing() {
    let mut ranges = Ranges::new(range("b", ""), Ts::new(10), 0);
    granted(&mut ranges, &region(1, 5, "m", ""));
    assert_eq!(ranges.lock(&region(2, 4, "", "")), Lock::Stale);
    assert_eq!(ranges.lock(&region(2, 5, "k", "p")), Lock::Stale);
    assert_eq!(ranges.lock(&region(3, 9, "", "b")), Lock::Outside);
    granted(&mut ranges, &region(2, 1, "", "m"));
    assert!(!ranges.has_free());
}

#[test]
fn free_pieces_are_loaded_once_and_again_after_their_delay() {
    let mut ranges = Ranges::new(range("b", "y"), Ts::new(10), 100);
    assert_eq!(ranges.due(99), vec![]);
    assert_eq!(ranges.next_due_ms(), Some(100));
    assert_eq!(ranges.due(100), vec![range("b", "y")]);
    assert_eq!(ranges.due(200), vec![], "it is being loaded");
    granted(&mut ranges, &region(1, 1, "c", "d"));
    ranges.loaded(&range("b", "y"), 200, |attempts| u64::from(attempts) * 10);
    assert_eq!(ranges.next_due_ms(), Some(210));
    assert_eq!(ranges.due(210), vec![range("b", "c"), range("d", "y")]);
}

fn letter(n: u8) -> String {
    char::from(b'a' + n).to_string()
}

proptest! {
    /// Whatever regions come and go: the pieces partition the span and the frontier never falls.
    #[test]
    fn frontier_is_monotone(steps in prop::collection::vec((0u8..4, 0u8..20, 1u8..20, 1u64..30), 1..200)) {
        let mut ranges = Ranges::new(range("b", "r"), Ts::new(1), 0);
        let mut held: Vec<(KeyRange, u32)> = Vec::new();
        let mut last = Ts::new(1);
        for (version, (what, at, len, ts)) in steps.into_iter().enumerate() {
            match what {
                0 | 1 => {
                    let r = region(7, version as u64 + 1, &letter(at), &letter((at + len).min(25)));
                    if let Lock::Granted { range, slot, resolved, .. } = ranges.lock(&r) {
                        prop_assert!(resolved >= last);
                        held.push((range, slot));
                    }
                }
                2 if !held.is_empty() => {
                    let (range, _) = held.swap_remove(usize::from(at) % held.len());
                    ranges.unlock(&range.start, 0, 0);
                }
                _ if !held.is_empty() => {
                    let (_, slot) = &held[usize::from(at) % held.len()];
                    ranges.resolve(*slot, Ts::new(ts));
                }
                _ => {}
            }
            prop_assert!(ranges.resolved() >= last);
            last = ranges.resolved();
            let mut at = bytes::Bytes::from_static(b"b");
            for (start, piece) in &ranges.pieces {
                prop_assert_eq!(start, &at);
                at = piece.end.clone();
            }
            prop_assert_eq!(at, "r");
        }
    }
}
