//! What a run waits for, for people who ask why it does not move.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Waits remembered at a time; more are not shown.
const WAITS_MAX: usize = 64;

/// Everything that is waited for now.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    open: BTreeMap<u64, (Instant, String)>,
}

impl Waits {
    /// A wait begins; it is over when what is returned is dropped.
    pub(crate) fn begin(self: &Arc<Self>, what: String) -> Wait {
        let mut inner = self.0.lock();
        let id = inner.next;
        inner.next += 1;
        if inner.open.len() < WAITS_MAX {
            inner.open.insert(id, (Instant::now(), what));
        }
        Wait { all: Arc::clone(self), id }
    }

    /// What, and for how long, the longest first.
    pub(crate) fn list(&self) -> Vec<(String, Duration)> {
        let now = Instant::now();
        self.0.lock().open.values().map(|(since, what)| (what.clone(), now.saturating_duration_since(*since))).collect()
    }
}

/// A wait that goes on.
#[derive(Debug)]
pub(crate) struct Wait {
    all: Arc<Waits>,
    id: u64,
}

impl Wait {
    /// The same wait, described anew.
    pub(crate) fn now(&self, what: String) {
        if let Some(entry) = self.all.0.lock().open.get_mut(&self.id) {
            entry.1 = what;
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.all.0.lock().open.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::Waits;
    use std::sync::Arc;

    #[test]
    fn a_wait_is_listed_until_it_is_dropped() {
        let waits = Arc::new(Waits::default());
        let (first, second) = (waits.begin("a".to_owned()), waits.begin("b".to_owned()));
        second.now("c".to_owned());
        let texts = || waits.list().into_iter().map(|(what, _)| what).collect::<Vec<_>>();
        assert_eq!(texts(), ["a", "c"]);
        drop(first);
        assert_eq!(texts(), ["c"]);
    }
}
