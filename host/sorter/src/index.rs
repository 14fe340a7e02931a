//! The order of pending changes in memory: fresh entries, sorted runs, and those that are due.

use crate::batch::Batches;
use crate::entry::Entry;
use tg_model::Ts;

/// A run is merged into the one before it unless that is more than this many times longer. Keeps the
/// number of runs logarithmic, and the cost of merging as well.
const RUN_RATIO: usize = 4;
/// Dead entries that are tolerated before the index is swept, beyond as many as live ones.
const DEAD_SLACK: usize = 4096;

/// An empty list keeps room for this many entries; after a burst the rest is given back.
const ROOM_KEPT: usize = 16 << 10;

fn reset(entries: &mut Vec<Entry>) {
    entries.clear();
    entries.shrink_to(ROOM_KEPT);
}

/// A sorted run; what lies before `from` has become due.
#[derive(Debug)]
struct Run {
    entries: Vec<Entry>,
    from: usize,
}

impl Run {
    fn rest(&self) -> &[Entry] {
        self.entries.get(self.from..).unwrap_or(&[])
    }
}

/// Entries of all pending changes in memory.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// As pushed.
    fresh: Vec<Entry>,
    /// Lowest commit-ts in `fresh`.
    fresh_min: Option<Ts>,
    /// Sorted, for later.
    runs: Vec<Run>,
    /// Sorted, everything up to `due_upto` but what is fresh.
    due: Vec<Entry>,
    due_from: usize,
    due_upto: Ts,
}

impl Index {
    /// Adds an entry.
    #[inline]
    pub(crate) fn push(&mut self, entry: Entry) {
        if self.fresh_min.is_none_or(|min| entry.commit_ts < min) {
            self.fresh_min = Some(entry.commit_ts);
        }
        self.fresh.push(entry);
    }

    /// The next entry at or below `upto`, dead or alive.
    #[inline]
    pub(crate) fn head(&self) -> Option<Entry> {
        self.due.get(self.due_from).copied()
    }

    /// Removes what [`Self::head`] shows.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.due_from += 1;
    }

    /// Makes [`Self::head`] true for `upto`: after it, `None` means that nothing at or below is left.
    pub(crate) fn prepare(&mut self, upto: Ts, batches: &Batches) {
        let late = self.fresh_min.is_some_and(|min| min <= self.due_upto);
        if late || upto < self.due_upto {
            self.undue(batches);
        }
        if self.due_from < self.due.len() {
            return;
        }
        reset(&mut self.due);
        self.due_from = 0;
        self.due_upto = upto;
        self.settle(upto, batches);
        for run in &mut self.runs {
            let n = run.rest().partition_point(|e| e.commit_ts <= upto);
            self.due.extend_from_slice(run.rest().get(..n).unwrap_or(&[]));
            run.from += n;
        }
        self.runs.retain(|run| run.from < run.entries.len());
        // Concatenated runs are what a merging sort is best at.
        self.due.sort_by(|a, b| batches.cmp(a, b));
    }

    /// Up to where entries are due; below what was asked while an earlier sweep is unfinished.
    pub(crate) fn due_upto(&self) -> Ts {
        self.due_upto
    }

    /// Turns fresh entries into a run, or straight into due ones when all of them are.
    fn settle(&mut self, upto: Ts, batches: &Batches) {
        if self.fresh.is_empty() {
            return;
        }
        self.fresh_min = None;
        if self.fresh.iter().all(|e| e.commit_ts <= upto) {
            std::mem::swap(&mut self.fresh, &mut self.due);
            return;
        }
        let mut entries = std::mem::take(&mut self.fresh);
        entries.sort_by(|a, b| batches.cmp(a, b));
        self.add_run(entries, batches);
    }

    fn add_run(&mut self, mut entries: Vec<Entry>, batches: &Batches) {
        while let Some(before) = self.runs.pop_if(|r| r.rest().len() <= RUN_RATIO * entries.len()) {
            let mut merged = before.entries;
            merged.drain(..before.from);
            merged.append(&mut entries);
            merged.sort_by(|a, b| batches.cmp(a, b));
            entries = merged;
        }
        self.runs.push(Run { entries, from: 0 });
    }

    /// Puts due entries back, when what is due changes downwards.
    fn undue(&mut self, batches: &Batches) {
        let rest = self.due.split_off(self.due_from.min(self.due.len()));
        self.due.clear();
        self.due_from = 0;
        if !rest.is_empty() {
            self.add_run(rest, batches);
        }
    }

    /// Removes entries of dead batches when they are many.
    pub(crate) fn sweep(&mut self, batches: &mut Batches) {
        let total = self.len();
        if batches.dead_entries <= DEAD_SLACK || batches.dead_entries * 2 <= total {
            return;
        }
        let mut keep = |entries: &mut Vec<Entry>, from: &mut usize| {
            entries.drain(..*from);
            *from = 0;
            entries.retain(|e| !batches.pass_if_dead(*e));
        };
        keep(&mut self.fresh, &mut 0);
        keep(&mut self.due, &mut self.due_from);
        self.runs.iter_mut().for_each(|r| keep(&mut r.entries, &mut r.from));
        self.runs.retain(|r| !r.entries.is_empty());
        self.fresh_min = self.fresh.iter().map(|e| e.commit_ts).min();
    }

    /// Entries held, dead ones included.
    pub(crate) fn len(&self) -> usize {
        self.fresh.len() + self.due.len() - self.due_from + self.runs.iter().map(|r| r.rest().len()).sum::<usize>()
    }
}
