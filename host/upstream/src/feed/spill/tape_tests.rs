use super::{Location, SEGMENT_BYTES, Tape};
use crate::feed::spill::{SpillArea, SpillError};
use proptest::prelude::*;

fn files(dir: &std::path::Path) -> usize {
    std::fs::read_dir(dir).unwrap().count()
}

#[test]
fn files_of_earlier_processes_go_and_ours_go_with_their_records() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("1-1.unmatched"), b"old").unwrap();
    std::fs::write(dir.path().join("other"), b"not ours").unwrap();
    let area = SpillArea::open(dir.path(), 1 << 30).unwrap();
    assert_eq!(files(dir.path()), 1, "only what is not ours");
    let mut tape = Tape::new(Some(area.clone()));
    let body = vec![7; 1 << 20];
    let all: Vec<Location> = (0..130).map(|_| tape.append(&[&body]).unwrap()).collect();
    assert_eq!(files(dir.path()), 1 + 3, "130 MiB in segments of {SEGMENT_BYTES}");
    assert!(area.used_bytes() > 130 << 20);
    for at in &all {
        assert_eq!(tape.read(*at).unwrap(), body);
        tape.free(*at);
    }
    assert!(tape.is_empty());
    assert_eq!((files(dir.path()), area.used_bytes()), (1, 0));
    tape.append(&[b"left"]).unwrap();
    drop(tape);
    assert_eq!((files(dir.path()), area.used_bytes()), (1, 0));
}

#[test]
fn the_bound_holds_and_a_refusal_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let area = SpillArea::open(dir.path(), 100).unwrap();
    let mut tape = Tape::new(Some(area.clone()));
    let first = tape.append(&[&[1; 60]]).unwrap();
    assert_eq!(tape.append(&[&[2; 60]]), Err(SpillError::Full { limit_bytes: 100 }));
    assert_eq!(tape.read(first).unwrap(), vec![1; 60]);
    tape.free(first);
    assert!(tape.append(&[&[2; 60]]).is_ok());
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = SpillArea::open(&file.join("below"), 1).unwrap_err();
    assert!(matches!(&error, SpillError::Io { path, .. } if path.ends_with("below")), "{error}");
}

proptest! {
    /// Whatever order things are written, read and freed in: what comes back is what was put in.
    #[test]
    fn gives_back_what_it_took(steps in prop::collection::vec((0u8..8, any::<prop::sample::Index>(), 0usize..100_000), 1..120)) {
        let dir = tempfile::tempdir().unwrap();
        let area = SpillArea::open(dir.path(), u64::MAX).unwrap();
        let mut tape = Tape::new(Some(area.clone()));
        let mut held: Vec<(Location, Vec<u8>)> = Vec::new();
        for (n, (what, which, len)) in steps.into_iter().enumerate() {
            match what {
                0..4 => {
                    let body: Vec<u8> = (0..len).map(|i| (i * 31 + n) as u8).collect();
                    let (left, right) = body.split_at(len / 3);
                    held.push((tape.append(&[left, right]).unwrap(), body));
                }
                4..6 if !held.is_empty() => {
                    let start = which.index(held.len());
                    for (at, body) in held.iter().skip(start).take(1 + len % 8) {
                        prop_assert_eq!(&tape.read(*at).unwrap()[..], &body[..]);
                    }
                }
                _ if !held.is_empty() => {
                    let (at, body) = held.remove(which.index(held.len()));
                    prop_assert_eq!(&tape.read(at).unwrap()[..], &body[..]);
                    tape.free(at);
                }
                _ => {}
            }
        }
        for (at, body) in held.drain(..) {
            prop_assert_eq!(&tape.read(at).unwrap()[..], &body[..]);
            tape.free(at);
        }
        prop_assert!(tape.is_empty());
        prop_assert_eq!(area.used_bytes(), 0);
    }
}
