//! The sorter of one writer slot.

use crate::batch::{Batches, blank};
use crate::disk::Disk;
use crate::entry::{BATCH_LEN_MAX, Entry, Hinter, Order};
use crate::frontier::Frontier;
use crate::index::Index;
use crate::{SorterError, SorterStore};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use std::sync::Arc;
use tg_model::{RawChange, SpanId, TableId, Ts};

/// Least amount moved to disk at once, so that spills are not dribbles.
const SPILL_STEP_BYTES: usize = 1 << 20;

/// A change on its way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SortedChange {
    /// The span it was pushed for.
    pub span: SpanId,
    /// The span's table.
    pub table: TableId,
    /// What happened.
    pub change: RawChange,
}

/// How a chunk ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChunkEnd {
    /// Everything up to the asked timestamp has left.
    Exhausted,
    /// The chunk is full; there may be more.
    More,
}

/// What a sorter knows of a span, busy or not.
#[derive(Debug)]
struct SpanState {
    table: TableId,
    hinter: Hinter,
    /// Moment of the frontier when it was added.
    since: u64,
    /// Batches in memory.
    batches: usize,
}

/// The last change of a chunk that was cut short.
#[derive(Debug)]
struct Cut {
    table: TableId,
    change: RawChange,
    /// Spans added at or after this moment have not seen it.
    moment: u64,
}

/// Orders the changes of the spans of one writer slot. One owner, synchronous; see the crate's page.
pub struct Sorter {
    store: Arc<SorterStore>,
    spans: HashMap<SpanId, SpanState, RandomState>,
    index: Index,
    batches: Batches,
    disk: Disk,
    frontier: Frontier,
    cut: Option<Cut>,
    /// Memory last told to the store.
    accounted_bytes: usize,
}

impl Sorter {
    pub(crate) fn new(store: Arc<SorterStore>, id: u64) -> Self {
        Self {
            disk: Disk::new(Arc::clone(&store), id),
            store,
            spans: HashMap::default(),
            index: Index::default(),
            batches: Batches::default(),
            frontier: Frontier::default(),
            cut: None,
            accounted_bytes: 0,
        }
    }

    /// Makes a span known. Changes for spans that are not known are dropped. A span that is known already stays
    /// as it is.
    pub fn add_span(&mut self, id: SpanId, table: TableId) {
        let since = self.frontier.now();
        self.spans.entry(id).or_insert_with(|| SpanState { table, hinter: Hinter::new(table), since, batches: 0 });
    }

    /// Forgets a span and drops what it has pending. What it has on disk stays there unseen until the
    /// checkpoint passes.
    pub fn remove_span(&mut self, id: SpanId) {
        if self.spans.remove(&id).is_some_and(|s| s.batches > 0) {
            self.batches.kill_span(id);
            self.index.sweep(&mut self.batches);
            self.account();
        }
    }

    /// Takes changes of one span, in any order. What the span has released already is dropped; so is
    /// everything when the span is not known (it was removed while the changes were on their way).
    ///
    /// # Errors
    /// When memory is short and spilling failed: [`SorterError::DiskLimit`] or [`SorterError::Disk`]. The
    /// changes are taken all the same; the caller must stop the feed, and may go on releasing. Memory
    /// grows beyond its limit by what is pushed after an error.
    pub fn push(&mut self, id: SpanId, mut changes: Vec<RawChange>) -> Result<(), SorterError> {
        while changes.len() > BATCH_LEN_MAX {
            let rest = changes.split_off(BATCH_LEN_MAX);
            self.insert(id, std::mem::replace(&mut changes, rest));
        }
        self.insert(id, changes);
        self.account();
        let relieved = self.relieve();
        self.account();
        relieved
    }

    fn insert(&mut self, id: SpanId, changes: Vec<RawChange>) {
        let Some(span) = self.spans.get_mut(&id) else {
            return;
        };
        let released = self.frontier.released_since(span.since);
        let index = &mut self.index;
        let inserted = self.batches.insert(id, span.table, changes, |batch, changes| {
            let (mut refs, mut payload_bytes) = (0, 0);
            for (n, c) in (0u32..).zip(changes.iter_mut()) {
                if c.commit_ts <= released {
                    *c = blank();
                    continue;
                }
                index.push(Entry::new(c, span.table, span.hinter.hint(&c.key), batch, n));
                refs += 1;
                payload_bytes += c.weight_bytes() - RawChange::OVERHEAD_BYTES;
            }
            (refs, payload_bytes)
        });
        span.batches += usize::from(inserted);
    }

    /// Appends the next changes at or below `upto` to `out`, until they weigh `max_bytes` (by
    /// [`RawChange::weight_bytes`]; at least one is released) or none is left.
    ///
    /// The caller says with it that every span of this sorter is resolved up to `upto`. `upto` may be lower
    /// than before when a span was added that starts lower.
    ///
    /// # Errors
    /// When spilled changes cannot be read: [`SorterError::Disk`], [`SorterError::Damaged`]. `out` then ends in
    /// a valid part of the chunk, and the call may be repeated.
    pub fn next_chunk(
        &mut self,
        upto: Ts,
        max_bytes: usize,
        out: &mut Vec<SortedChange>,
    ) -> Result<ChunkEnd, SorterError> {
        let from = out.len();
        let end = self.fill(upto, max_bytes, out);
        match (&end, out.get(from..).and_then(<[_]>::last)) {
            (Ok(ChunkEnd::Exhausted), _) => self.frontier.release(upto),
            (_, Some(last)) => {
                self.frontier.release(last.change.commit_ts.prev());
                let change = RawChange { key: last.change.key.clone(), ..cut_of(&last.change) };
                self.cut = Some(Cut { table: last.table, change, moment: self.frontier.now() });
            }
            (_, None) => {}
        }
        // Another slot may have filled the memory; a failure is told to whoever pushes.
        if let Err(e) = self.relieve() {
            tracing::debug!(error = %e, "cannot move pending changes to disk");
        }
        self.account();
        end
    }

    fn fill(&mut self, upto: Ts, max_bytes: usize, out: &mut Vec<SortedChange>) -> Result<ChunkEnd, SorterError> {
        let from = out.len();
        let mut room = Room { max_bytes, bytes: 0 };
        loop {
            self.index.prepare(upto, &self.batches);
            let bound = self.index.due_upto();
            let full = if self.disk.has(bound) {
                self.merge(bound, from, &mut room, out)?
            } else {
                self.drain(from, &mut room, out)
            };
            if full {
                return Ok(ChunkEnd::More);
            }
            if bound >= upto {
                return Ok(ChunkEnd::Exhausted);
            }
        }
    }

    /// Releases due changes from memory alone. True: the chunk is full.
    fn drain(&mut self, from: usize, room: &mut Room, out: &mut Vec<SortedChange>) -> bool {
        while let Some(entry) = self.index.head() {
            if room.is_full() {
                return true;
            }
            self.index.advance();
            self.emit_entry(entry, from, room, out);
        }
        false
    }

    /// Releases from memory and disk, whichever is lower. True: the chunk is full.
    fn merge(
        &mut self,
        bound: Ts,
        from: usize,
        room: &mut Room,
        out: &mut Vec<SortedChange>,
    ) -> Result<bool, SorterError> {
        loop {
            if room.is_full() {
                return Ok(true);
            }
            self.disk.prepare(bound)?;
            let spilled = self.disk.head().filter(|(_, _, c)| c.commit_ts <= bound);
            let Some((_, table, c)) = spilled else {
                return Ok(self.drain(from, room, out));
            };
            let entry = self.index.head();
            match entry.map(|e| (e, self.batches.order(e))) {
                Some((e, None)) => {
                    self.index.advance();
                    self.batches.pass_if_dead(e);
                }
                Some((e, Some(order))) if order <= Order::of(*table, c) => {
                    self.index.advance();
                    self.emit_entry(e, from, room, out);
                }
                _ => {
                    if let Some(spilled) = self.disk.take() {
                        self.emit_spilled(spilled, from, room, out);
                    }
                }
            }
        }
    }

    #[inline]
    fn emit_entry(&mut self, entry: Entry, from: usize, room: &mut Room, out: &mut Vec<SortedChange>) {
        let spans = &mut self.spans;
        let taken = self.batches.take(entry, |span| {
            if let Some(s) = spans.get_mut(&span) {
                s.batches -= 1;
            }
        });
        let Some((span, table, change)) = taken else {
            return;
        };
        if !self.is_duplicate(span, table, &change, out.get(from..).and_then(<[_]>::last)) {
            room.bytes += change.weight_bytes();
            out.push(SortedChange { span, table, change });
        }
    }

    fn emit_spilled(
        &mut self,
        spilled: (SpanId, TableId, RawChange),
        from: usize,
        room: &mut Room,
        out: &mut Vec<SortedChange>,
    ) {
        let (span, table, change) = spilled;
        // Remains of a failed spill, or of a span that is gone.
        let Some(state) = self.spans.get(&span) else {
            return;
        };
        if change.commit_ts <= self.frontier.released_since(state.since) {
            return;
        }
        if !self.is_duplicate(span, table, &change, out.get(from..).and_then(<[_]>::last)) {
            room.bytes += change.weight_bytes();
            out.push(SortedChange { span, table, change });
        }
    }

    /// Whether a change was released before: in this chunk just now, or in the one that was cut at its commit-ts.
    #[inline]
    fn is_duplicate(&self, span: SpanId, table: TableId, change: &RawChange, last: Option<&SortedChange>) -> bool {
        if last.is_some_and(|l| {
            l.change.commit_ts == change.commit_ts && Order::of(l.table, &l.change) == Order::of(table, change)
        }) {
            return true;
        }
        self.cut.as_ref().is_some_and(|cut| {
            cut.change.commit_ts == change.commit_ts
                && Order::of(table, change) <= Order::of(cut.table, &cut.change)
                && self.spans.get(&span).is_some_and(|s| s.since < cut.moment)
        })
    }

    /// Moves the newest changes to disk when there are too many in memory.
    fn relieve(&mut self) -> Result<(), SorterError> {
        let own = self.batches.bytes.saturating_sub(self.store.cfg().spill_threshold_bytes);
        let want = own.max(self.store.excess_bytes(self.batches.bytes));
        if want == 0 {
            return Ok(());
        }
        let step = SPILL_STEP_BYTES.min(self.store.cfg().spill_threshold_bytes / 8);
        let goal = self.batches.bytes.saturating_sub(want.max(step));
        while self.batches.bytes > goal {
            let Some(slot) = self.batches.newest() else {
                break;
            };
            let Some((span, table, changes)) = self.batches.pending(slot) else {
                break;
            };
            self.disk.write(span, table, changes)?;
            self.batches.kill(slot);
            if let Some(s) = self.spans.get_mut(&span) {
                s.batches -= 1;
            }
        }
        self.index.sweep(&mut self.batches);
        Ok(())
    }

    /// Memory held, in bytes, by the weights of the model and the sorter's own index.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.batches.bytes + self.disk.page_bytes
    }

    /// Bytes on disk that have not been given back, uncompressed.
    #[must_use]
    pub fn spilled_bytes(&self) -> u64 {
        self.disk.bytes()
    }

    /// Gives back the disk space of changes at or below `upto`, the checkpoint. Changes that have not been
    /// released are kept whatever `upto` says. A failure is logged and the space is given back later.
    pub fn forget(&mut self, upto: Ts) {
        if let Err(e) = self.disk.forget(upto) {
            tracing::warn!(error = %e, checkpoint_ts = %upto, "cannot give back disk space");
        }
    }

    fn account(&mut self) {
        let now = self.pending_bytes();
        self.store.account_memory(self.accounted_bytes, now);
        self.accounted_bytes = now;
    }
}

/// What a chunk may still take.
struct Room {
    max_bytes: usize,
    bytes: usize,
}

impl Room {
    #[inline]
    fn is_full(&self) -> bool {
        self.bytes > 0 && self.bytes >= self.max_bytes
    }
}

/// A change without its byte strings.
fn cut_of(c: &RawChange) -> RawChange {
    RawChange { commit_ts: c.commit_ts, start_ts: c.start_ts, op: c.op, ..blank() }
}

impl Drop for Sorter {
    fn drop(&mut self) {
        self.store.account_memory(self.accounted_bytes, 0);
        self.store.sorter_gone();
        if let Err(e) = self.disk.clear() {
            tracing::warn!(error = %e, "cannot give back a sorter's disk space");
        }
    }
}

impl std::fmt::Debug for Sorter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sorter")
            .field("spans", &self.spans.len())
            .field("pending_bytes", &self.pending_bytes())
            .field("spilled_bytes", &self.spilled_bytes())
            .finish_non_exhaustive()
    }
}
