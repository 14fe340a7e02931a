//! Endpoints that note what is asked of them and do nothing: for sinks that are only looked at.
//!
//! They answer as a downstream would that takes everything. An object store remembers what was written to it, within bounds; no
//! other endpoint remembers anything.

mod http;
mod objects;
mod producer;
mod sql;

use crate::canary::Tape;
use parking_lot::Mutex;
use std::fmt::Write as _;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use tg_plugin::Grants;

/// Calls noted between two looks; more are counted and not told apart.
const CALLS_MAX: usize = 4_096;
/// Longest text noted of a call; the rest goes into a digest.
const TEXT_MAX_CHARS: usize = 512;

/// The same names with endpoints that only note, and what they note. Secrets stay as they are granted.
#[must_use]
pub fn shadow_grants(grants: &Grants) -> (Grants, Arc<dyn Tape>) {
    let notes = Arc::new(Notes::default());
    let own = || Arc::clone(&notes);
    let shadow = Grants {
        sql: grants.sql.keys().map(|n| (n.clone(), Arc::new(sql::Shadow(own())) as _)).collect(),
        producers: grants.producers.keys().map(|n| (n.clone(), Arc::new(producer::Shadow(own())) as _)).collect(),
        object_stores: grants
            .object_stores
            .keys()
            .map(|n| (n.clone(), Arc::new(objects::Shadow(own())) as _))
            .collect(),
        http: grants.http.keys().map(|n| (n.clone(), Arc::new(http::Shadow(own())) as _)).collect(),
        secrets: grants.secrets.clone(),
    };
    (shadow, notes)
}

#[derive(Default)]
struct Notes(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    calls: Vec<String>,
    beyond: u64,
}

impl Notes {
    /// Notes a call: what it is, and its bytes as text as far as that goes.
    fn call(&self, what: &str, bytes: &[u8]) {
        let mut inner = self.0.lock();
        if inner.calls.len() >= CALLS_MAX {
            inner.beyond += 1;
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        let mut line = format!("{what}: ");
        line.extend(text.chars().take(TEXT_MAX_CHARS));
        if text.chars().nth(TEXT_MAX_CHARS).is_some() {
            let digest = foldhash::fast::FixedState::with_seed(0).hash_one(bytes);
            let _ = write!(line, "… ({} bytes, digest {digest:016x})", bytes.len());
        }
        inner.calls.push(line);
    }
}

impl Tape for Notes {
    fn take(&self) -> Vec<String> {
        let Inner { mut calls, beyond } = std::mem::take(&mut *self.0.lock());
        if beyond > 0 {
            calls.push(format!("and {beyond} more calls"));
        }
        calls
    }
}

#[cfg(test)]
mod tests {
    use super::{CALLS_MAX, Notes};
    use crate::canary::Tape as _;

    #[test]
    fn calls_are_told_apart_and_stay_within_bounds() {
        let notes = Notes::default();
        notes.call("a", b"short");
        notes.call("a", &[b'x'; 2_000]);
        notes.call("a", &[&[b'x'; 1_999][..], b"y"].concat());
        let calls = notes.take();
        assert_eq!(calls[0], "a: short");
        assert_ne!(calls[1], calls[2], "the digest tells what the text does not");
        assert!(calls[1].len() < 600);
        (0..CALLS_MAX + 5).for_each(|_| notes.call("a", b""));
        assert_eq!(notes.take().last().map(String::as_str), Some("and 5 more calls"));
        assert!(notes.take().is_empty());
    }
}
