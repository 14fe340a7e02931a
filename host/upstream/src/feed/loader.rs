//! Looks up regions for many requests at once.

use super::effect::Input;
use crate::key::{KeyRange, below_end};
use crate::pd::Pd;
use crate::region::{Region, contiguous};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Requests looked up together.
const REQUESTS_PER_LOOKUP: usize = 64;
/// Lookups at once.
const LOOKUPS_MAX: usize = 4;

type Wanted = (u64, Vec<KeyRange>);

/// Lookups that wait and run.
pub(super) struct Loader {
    pd: Arc<Pd>,
    waiting: VecDeque<Wanted>,
    running: usize,
    done: mpsc::UnboundedSender<Vec<Input>>,
}

impl Loader {
    /// Each lookup ends with one message into `done`, to be followed by [`Loader::finished`].
    pub(super) fn new(pd: Arc<Pd>, done: mpsc::UnboundedSender<Vec<Input>>) -> Self {
        Self { pd, waiting: VecDeque::new(), running: 0, done }
    }

    pub(super) fn add(&mut self, request: u64, ranges: Vec<KeyRange>) {
        self.waiting.push_back((request, ranges));
    }

    pub(super) fn finished(&mut self) {
        self.running -= 1;
    }

    /// Starts lookups for what waits.
    pub(super) fn pump(&mut self) {
        while self.running < LOOKUPS_MAX && !self.waiting.is_empty() {
            let count = self.waiting.len().min(REQUESTS_PER_LOOKUP);
            let wanted: Vec<Wanted> = self.waiting.drain(..count).collect();
            self.running += 1;
            let (pd, done) = (Arc::clone(&self.pd), self.done.clone());
            tokio::spawn(async move {
                let found = pd.regions_of(&merged(&wanted)).await;
                if let Err(error) = &found {
                    tracing::warn!(%error, "regions cannot be looked up");
                }
                // Without a hub nobody wants it.
                let _ = done.send(answers(wanted, found.ok().as_deref()));
            });
        }
    }
}

/// All ranges, sorted, overlaps joined.
fn merged(wanted: &[Wanted]) -> Vec<KeyRange> {
    let mut all: Vec<KeyRange> = wanted.iter().flat_map(|(_, ranges)| ranges.iter().cloned()).collect();
    all.sort_unstable();
    let mut out: Vec<KeyRange> = Vec::with_capacity(all.len());
    for range in all {
        match out.last_mut() {
            Some(last) if below_end(&range.start, &last.end) || range.start == last.end => {
                if !last.end.is_empty() && (range.end.is_empty() || range.end > last.end) {
                    last.end = range.end;
                }
            }
            _ => out.push(range),
        }
    }
    out
}

fn answers(wanted: Vec<Wanted>, found: Option<&[Region]>) -> Vec<Input> {
    let part = |range: &KeyRange| {
        let near = found.unwrap_or_default().iter().filter(|r| r.range.intersect(range).is_some());
        contiguous(near.cloned().collect(), range)
    };
    let answer = |(request, ranges): Wanted| {
        let regions = found.is_some().then(|| ranges.iter().flat_map(part).collect());
        Input::Loaded { request, ranges, regions }
    };
    wanted.into_iter().map(answer).collect()
}

#[cfg(test)]
mod tests {
    use super::merged;
    use crate::key::KeyRange;

    #[test]
    fn ranges_of_requests_are_joined() {
        let r = |s: &'static str, e: &'static str| KeyRange { start: s.into(), end: e.into() };
        let wanted =
            vec![(1, vec![r("c", "d"), r("m", "p")]), (2, vec![r("a", "b"), r("b", "c")]), (3, vec![r("n", "")])];
        assert_eq!(merged(&wanted), [r("a", "d"), r("m", "")]);
        assert_eq!(merged(&[(1, vec![r("a", "")]), (2, vec![r("b", "c")])]), [r("a", "")]);
    }
}
