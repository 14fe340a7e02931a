//! DDLs that are known and not yet done, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_model::{DdlEvent, Position, SlotId, TableId, TableVersion, Ts};

/// A DDL that waits.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) event: Arc<DdlEvent>,
    /// Slots that hold, lose or gain a table by it.
    pub(crate) involved: BTreeSet<SlotId>,
    pub(crate) executing: bool,
}

/// Pending DDLs by (commit-ts, seq).
#[derive(Debug, Default)]
pub(crate) struct DdlQueue {
    pending: BTreeMap<(Ts, u32), Pending>,
}

impl DdlQueue {
    pub(crate) fn push(&mut self, event: Arc<DdlEvent>, involved: BTreeSet<SlotId>) {
        let key = (event.commit_ts, event.seq);
        self.pending.entry(key).or_insert(Pending { event, involved, executing: false });
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn head(&self) -> Option<&Pending> {
        self.pending.values().next()
    }

    pub(crate) fn head_mut(&mut self) -> Option<&mut Pending> {
        self.pending.values_mut().next()
    }

    /// Takes the head if it is the DDL named.
    pub(crate) fn finish(&mut self, ts: Ts, seq: u32) -> Option<Pending> {
        let (&key, _) = self.pending.iter().next()?;
        if key == (ts, seq) { self.pending.remove(&key) } else { None }
    }

    /// The position a slot must not pass: the rows of the first pending DDL that involves it.
    pub(crate) fn cap(&self, slot: SlotId) -> Option<Position> {
        self.pending.values().find(|p| p.involved.contains(&slot)).map(|p| Position::rows(p.event.commit_ts))
    }

    /// The version under which a pending DDL adds this physical table: the last one's that does.
    pub(crate) fn maker_of(&self, table: TableId) -> Option<&Arc<TableVersion>> {
        let maker = self.pending.values().rev().find(|p| p.event.adds.contains(&table));
        maker.and_then(|p| p.event.after.as_ref())
    }

    /// The position nothing may count as done beyond.
    pub(crate) fn floor(&self) -> Option<Position> {
        self.head().map(|p| Position::rows(p.event.commit_ts))
    }
}
