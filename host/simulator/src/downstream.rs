//! A sink, and the eye on everything that lands in it.

use crate::upstream::Upstream;
use std::collections::BTreeMap;
use tg_cluster::{Epoch, SYNCPOINT_SEQ};
use tg_model::{Position, SlotId, TableId, Ts};

/// Rows of one slot, between two positions.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) slot: SlotId,
    pub(crate) epoch: Epoch,
    pub(crate) to: Position,
    /// Table, first row, and the row after the last, as the upstream numbers them.
    pub(crate) rows: Vec<(TableId, usize, usize)>,
    /// Its writer raised the token: the condition is in the statement.
    pub(crate) guarded: bool,
}

/// A DDL or syncpoint of the executor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement {
    pub(crate) slot: SlotId,
    pub(crate) epoch: Epoch,
    pub(crate) ts: Ts,
    pub(crate) seq: u32,
    pub(crate) maybe_done: bool,
    pub(crate) guarded: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Landed {
    Done,
    Refused,
}

/// The sink of one changefeed.
#[derive(Default)]
pub(crate) struct Downstream {
    keeps_position: bool,
    tokens: BTreeMap<SlotId, Epoch>,
    durable: BTreeMap<SlotId, Position>,
    /// Highest epoch that wrote.
    wrote: BTreeMap<SlotId, Epoch>,
    /// How many rows of a table, from its first, are there.
    prefix: BTreeMap<TableId, usize>,
    ddls: BTreeMap<(Ts, u32), u32>,
    /// First violation.
    pub(crate) violation: Option<String>,
}

impl Downstream {
    pub(crate) fn new(keeps_position: bool) -> Self {
        Self { keeps_position, ..Self::default() }
    }

    fn violate(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    /// Raises the token. `None`: a higher one is known, or another than the writer had.
    pub(crate) fn open(
        &mut self,
        slot: SlotId,
        epoch: Epoch,
        after: Option<Epoch>,
        raise: bool,
    ) -> Option<Option<Position>> {
        if raise {
            let known = self.tokens.get(&slot).copied();
            if known.is_some_and(|t| t > epoch) || after.is_some() && known != after && known != Some(epoch) {
                return None;
            }
            self.tokens.insert(slot, epoch);
        }
        Some(self.durable.get(&slot).copied().filter(|_| self.keeps_position))
    }

    fn refused(&self, slot: SlotId, epoch: Epoch, guarded: bool) -> bool {
        guarded && self.tokens.get(&slot) != Some(&epoch)
    }

    fn epoch_rises(&mut self, slot: SlotId, epoch: Epoch) {
        let last = *self.wrote.entry(slot).or_insert(epoch);
        if epoch < last {
            self.violate(format!("a zombie wrote slot {slot}: epoch {epoch} after {last}"));
        }
        self.wrote.insert(slot, last.max(epoch));
    }

    pub(crate) fn write(&mut self, up: &Upstream, w: &Write) -> Landed {
        if self.refused(w.slot, w.epoch, w.guarded) {
            return Landed::Refused;
        }
        let mine = self.wrote.get(&w.slot) == Some(&w.epoch);
        if self.keeps_position && mine && self.durable.get(&w.slot).is_some_and(|d| *d >= w.to) {
            return Landed::Done;
        }
        self.epoch_rises(w.slot, w.epoch);
        for (table, from, to) in &w.rows {
            let there = self.prefix.get(table).copied().unwrap_or(0);
            if *from > there {
                self.violate(format!("table {table}: rows {there}..{from} were skipped"));
            }
            if self.keeps_position && *from < there {
                self.violate(format!("table {table}: rows {from}..{there} were written twice"));
            }
            self.prefix.insert(*table, there.max(*to));
            self.check_schema(up, *table, *from, *to);
        }
        let durable = self.durable.entry(w.slot).or_insert(w.to);
        *durable = (*durable).max(w.to);
        Landed::Done
    }

    /// Rows are written under the schema they were committed under.
    fn check_schema(&mut self, up: &Upstream, table: TableId, from: usize, to: usize) {
        let Some(t) = up.tables.get(&table) else { return };
        let (Some(first), Some(last)) = (t.rows.get(from), t.rows.get(to - 1)) else { return };
        for d in up.ddls.iter().filter(|d| d.blocks.contains(&table) || d.adds.contains(&table)) {
            let ran = self.ddls.contains_key(&(d.commit_ts, d.seq));
            if ran && *first <= d.commit_ts {
                self.violate(format!("table {table}: a row at {first} was written after the DDL at {}", d.commit_ts));
            }
            if !ran && *last > d.commit_ts {
                self.violate(format!("table {table}: a row at {last} was written before the DDL at {}", d.commit_ts));
            }
        }
    }

    pub(crate) fn statement(&mut self, up: &Upstream, s: &Statement) -> Landed {
        if self.refused(s.slot, s.epoch, s.guarded) {
            return Landed::Refused;
        }
        let key = (s.ts, s.seq);
        if s.maybe_done && self.ddls.contains_key(&key) {
            return Landed::Done;
        }
        self.epoch_rises(s.slot, s.epoch);
        let times = self.ddls.entry(key).and_modify(|n| *n += 1).or_insert(1);
        let times = *times;
        if times > 1 && s.seq != SYNCPOINT_SEQ {
            self.violate(format!("the DDL at {} ran twice", s.ts));
        }
        let event = up.ddls.iter().find(|d| (d.commit_ts, d.seq) == key).cloned();
        for (id, table) in &up.tables {
            let concerned = event.as_ref().is_none_or(|e| e.blocks.contains(id) || e.adds.contains(id));
            let there = self.prefix.get(id).copied().unwrap_or(0);
            let want = table.rows_at(Position::rows(s.ts));
            if concerned && there != want && times == 1 {
                self.violate(format!("table {id} has {there} rows at the barrier {}, not {want}", s.ts));
            }
        }
        Landed::Done
    }

    /// Whether everything up to a position is there.
    pub(crate) fn complete(&mut self, up: &Upstream, at: Position) {
        for (id, table) in &up.tables {
            let (there, want) = (self.prefix.get(id).copied().unwrap_or(0), table.rows_at(at));
            if there < want {
                self.violate(format!("the checkpoint {at} passed table {id}: {there} of {want} rows are there"));
            }
        }
        for d in up.ddls.iter().filter(|d| Position::ddl(d.commit_ts) <= at) {
            if !self.ddls.contains_key(&(d.commit_ts, d.seq)) {
                self.violate(format!("the checkpoint {at} passed the DDL at {}", d.commit_ts));
            }
        }
    }
}
