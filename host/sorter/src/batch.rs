//! The changes as they were pushed, kept in their vectors until they leave.

use crate::entry::{Entry, Order};
use bytes::Bytes;
use std::cmp::Ordering;
use tg_model::{ChangeOp, RawChange, SpanId, TableId, Ts};

/// What a pending change costs beside its byte strings: its fields and its index entry.
pub(crate) const OWN_BYTES: usize = RawChange::OVERHEAD_BYTES + size_of::<Entry>();

/// One pushed vector.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) span: SpanId,
    pub(crate) table: TableId,
    changes: Vec<RawChange>,
    /// Entries of the index that still point here.
    refs: usize,
    /// Accounted bytes that leave with the changes.
    payload_bytes: usize,
    /// Distinguishes tenants of the same slot.
    tenancy: u64,
    /// Its changes went to disk or its span is gone; the entries have not been passed yet.
    dead: bool,
}

/// All batches of a sorter, in slots that are reused.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    slots: Vec<Option<Batch>>,
    free: Vec<u32>,
    /// (slot, tenancy) in order of arrival; stale pairs are swept out now and then.
    arrivals: Vec<(u32, u64)>,
    tenancies: u64,
    live: usize,
    /// Accounted bytes of all live batches.
    pub(crate) bytes: usize,
    /// Entries that point to dead batches.
    pub(crate) dead_entries: usize,
}

/// Stale pairs of the arrival list that are tolerated beyond the live ones.
const ARRIVALS_SLACK: usize = 1024;

impl Batches {
    /// Takes a vector in; `index` makes its entries and says how many there are and what their byte strings weigh.
    /// It blanks the changes it wants none of. False: it wanted none.
    pub(crate) fn insert(
        &mut self,
        span: SpanId,
        table: TableId,
        mut changes: Vec<RawChange>,
        index: impl FnOnce(u32, &mut [RawChange]) -> (usize, usize),
    ) -> bool {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let (refs, payload_bytes) = index(slot, &mut changes);
        if refs == 0 {
            self.free.push(slot);
            return false;
        }
        self.tenancies += 1;
        self.live += 1;
        // Changes that were dropped keep their place in the vector until the rest has left.
        let own_bytes = changes.len() * OWN_BYTES;
        self.bytes += own_bytes + payload_bytes;
        let batch = Batch { span, table, changes, refs, payload_bytes, tenancy: self.tenancies, dead: false };
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(batch);
        }
        self.arrivals.push((slot, self.tenancies));
        self.sweep_arrivals();
        true
    }

    fn sweep_arrivals(&mut self) {
        if self.arrivals.len() > 2 * self.live + ARRIVALS_SLACK {
            let slots = &self.slots;
            self.arrivals.retain(|(slot, tenancy)| is_tenant(slots, *slot, *tenancy));
        }
    }

    fn slot(&self, slot: u32) -> Option<&Batch> {
        self.slots.get(slot as usize).and_then(Option::as_ref)
    }

    /// The change an entry points to; `None` when its batch is dead.
    pub(crate) fn order(&self, entry: Entry) -> Option<Order<'_>> {
        let batch = self.slot(entry.batch)?;
        batch.changes.get(entry.index()).map(|c| Order::of(batch.table, c))
    }

    /// Total order of entries; a dead one counts as having an empty key.
    #[inline]
    pub(crate) fn cmp(&self, a: &Entry, b: &Entry) -> Ordering {
        a.cmp_head(b).then_with(|| self.key(*a).cmp(self.key(*b)))
    }

    fn key(&self, entry: Entry) -> &[u8] {
        self.slot(entry.batch).and_then(|b| b.changes.get(entry.index())).map_or(&[], |c| c.key.as_ref())
    }

    /// Takes the change an entry points to out. `None` when it is dead. Tells the span when the batch is done.
    #[inline]
    pub(crate) fn take(&mut self, entry: Entry, done: impl FnOnce(SpanId)) -> Option<(SpanId, TableId, RawChange)> {
        let batch = self.slots.get_mut(entry.batch as usize)?.as_mut()?;
        batch.refs -= 1;
        let taken = if batch.dead {
            self.dead_entries -= 1;
            None
        } else {
            batch.changes.get_mut(entry.index()).map(|c| (batch.span, batch.table, std::mem::replace(c, blank())))
        };
        if let Some((_, _, c)) = &taken {
            let payload = c.weight_bytes() - RawChange::OVERHEAD_BYTES;
            batch.payload_bytes -= payload;
            self.bytes -= payload;
        }
        if batch.refs == 0 {
            if !batch.dead {
                done(batch.span);
                self.live -= 1;
                self.bytes -= batch.changes.len() * OWN_BYTES;
            }
            self.slots[entry.batch as usize] = None;
            self.free.push(entry.batch);
        }
        taken
    }

    /// Gives up one reference to a dead batch; false when the batch is alive.
    pub(crate) fn pass_if_dead(&mut self, entry: Entry) -> bool {
        let dead = self.slot(entry.batch).is_none_or(|b| b.dead);
        if dead {
            self.take(entry, |_| {});
        }
        dead
    }

    /// The newest live batch, without removing it.
    pub(crate) fn newest(&mut self) -> Option<u32> {
        while let Some((slot, tenancy)) = self.arrivals.last().copied() {
            if is_tenant(&self.slots, slot, tenancy) {
                return Some(slot);
            }
            self.arrivals.pop();
        }
        None
    }

    /// What a batch still holds.
    pub(crate) fn pending(&self, slot: u32) -> Option<(SpanId, TableId, impl Iterator<Item = &RawChange> + Clone)> {
        // Taken and dropped changes are blank.
        self.slot(slot).map(|b| (b.span, b.table, b.changes.iter().filter(|c| !c.key.is_empty())))
    }

    /// Drops the changes of a batch; its entries are passed over later.
    pub(crate) fn kill(&mut self, slot: u32) -> Option<SpanId> {
        let batch = self.slots.get_mut(slot as usize)?.as_mut().filter(|b| !b.dead)?;
        batch.dead = true;
        self.bytes -= batch.payload_bytes + batch.changes.len() * OWN_BYTES;
        batch.changes = Vec::new();
        self.dead_entries += batch.refs;
        self.live -= 1;
        Some(batch.span)
    }

    /// Drops all batches of a span.
    pub(crate) fn kill_span(&mut self, span: SpanId) {
        for slot in 0..self.slots.len() {
            let slot = u32::try_from(slot).unwrap_or(u32::MAX);
            if self.slot(slot).is_some_and(|b| b.span == span) {
                self.kill(slot);
            }
        }
    }
}

fn is_tenant(slots: &[Option<Batch>], slot: u32, tenancy: u64) -> bool {
    slots.get(slot as usize).and_then(Option::as_ref).is_some_and(|b| b.tenancy == tenancy && !b.dead)
}

/// What stands in the place of a change that has left; real ones have a key.
pub(crate) fn blank() -> RawChange {
    RawChange {
        commit_ts: Ts::ZERO,
        start_ts: Ts::ZERO,
        op: ChangeOp::Delete,
        key: Bytes::new(),
        value: Bytes::new(),
        old_value: Bytes::new(),
    }
}
