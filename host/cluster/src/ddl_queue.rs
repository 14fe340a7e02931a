//! DDLs and syncpoints that are known and not yet done, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_model::{DdlEvent, Position, SlotId, TableId, TableVersion, Ts};

/// The `seq` of a syncpoint: it comes after every DDL at its ts.
pub const SYNCPOINT_SEQ: u32 = u32::MAX;

/// A barrier that waits.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The DDL; none: a syncpoint.
    pub(crate) event: Option<Arc<DdlEvent>>,
    /// Slots that hold, lose or gain a table by it; all, for a syncpoint.
    pub(crate) involved: BTreeSet<SlotId>,
    pub(crate) executing: bool,
}

/// Pending barriers by (commit-ts, seq).
#[derive(Debug, Default)]
pub(crate) struct DdlQueue {
    pending: BTreeMap<(Ts, u32), Pending>,
}

impl DdlQueue {
    pub(crate) fn push(&mut self, event: Arc<DdlEvent>, involved: BTreeSet<SlotId>) {
        let key = (event.commit_ts, event.seq);
        self.pending.entry(key).or_insert(Pending { event: Some(event), involved, executing: false });
    }

    pub(crate) fn push_syncpoint(&mut self, ts: Ts, involved: BTreeSet<SlotId>) {
        self.pending.insert((ts, SYNCPOINT_SEQ), Pending { event: None, involved, executing: false });
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn head(&self) -> Option<(Ts, &Pending)> {
        self.pending.iter().next().map(|(k, p)| (k.0, p))
    }

    pub(crate) fn head_mut(&mut self) -> Option<(Ts, &mut Pending)> {
        self.pending.iter_mut().next().map(|(k, p)| (k.0, p))
    }

    pub(crate) fn head_key(&self) -> Option<(Ts, u32)> {
        self.pending.keys().next().copied()
    }

    /// Takes the head if it is the DDL named.
    pub(crate) fn finish(&mut self, ts: Ts, seq: u32) -> Option<Pending> {
        let (&key, _) = self.pending.iter().next()?;
        if key == (ts, seq) { self.pending.remove(&key) } else { None }
    }

    /// The position a slot must not pass: the rows of the first pending DDL that involves it.
    pub(crate) fn cap(&self, slot: SlotId) -> Option<Position> {
        self.pending.iter().find(|(_, p)| p.involved.contains(&slot)).map(|((ts, _), _)| Position::rows(*ts))
    }

    /// The version under which a pending DDL adds this physical table: the last one's that does.
    pub(crate) fn maker_of(&self, table: TableId) -> Option<&Arc<TableVersion>> {
        let events = self.pending.values().rev().filter_map(|p| p.event.as_ref());
        events.filter(|e| e.adds.contains(&table)).find_map(|e| e.after.as_ref())
    }

    /// The position nothing may count as done beyond.
    pub(crate) fn floor(&self) -> Option<Position> {
        self.head().map(|(ts, _)| Position::rows(ts))
    }
}
