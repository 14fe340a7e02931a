//! The controller of one changefeed: gate, barriers, checkpoint.

use crate::ddl_queue::DdlQueue;
use crate::placement::slot_of;
use crate::slot::Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_model::{DdlEvent, Position, SlotId, TableId, TableVersion, Ts};

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A table of the schema at the start: subscribe its physical ids. Only before the first [`Event::Started`].
    Table(Arc<TableVersion>),
    /// All tables of the start are known.
    Started,
    /// A slot's progress: `resolved` is the minimum over its spans.
    Slot {
        /// Which.
        slot: SlotId,
        /// How many AddSpan and RemoveSpan effects it has applied: a minimum over another set of spans does not count.
        applied: u64,
        /// Its spans' minimum.
        resolved: Ts,
        /// Everything up to here is durable.
        checkpoint: Position,
    },
    /// A DDL arrived; it is final only when `DdlResolved` passes its commit-ts.
    Ddl(Arc<DdlEvent>),
    /// Every DDL at or below this has been handed in.
    DdlResolved(Ts),
    /// The DDL named has run (or was skipped) and its outcome is recorded.
    DdlDone {
        /// Its commit-ts.
        ts: Ts,
        /// Its place within the job.
        seq: u32,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Subscribe a physical table and give its rows above `start` to the slot.
    AddSpan {
        /// Receiver.
        slot: SlotId,
        /// Physical id.
        table: TableId,
        /// How its rows look.
        version: Arc<TableVersion>,
        /// Rows with a commit-ts above this.
        start: Ts,
    },
    /// Rows of a physical table look different from here on.
    SetVersion {
        /// Receiver.
        slot: SlotId,
        /// Physical id.
        table: TableId,
        /// How its rows look.
        version: Arc<TableVersion>,
    },
    /// Drop a subscription; all its rows are durable.
    RemoveSpan {
        /// Owner.
        slot: SlotId,
        /// Physical id.
        table: TableId,
    },
    /// A slot may emit rows up to this position (always at stage rows), as far as its own spans are resolved.
    Emit {
        /// Receiver.
        slot: SlotId,
        /// How far.
        upto: Position,
    },
    /// Run this DDL downstream and answer [`Event::DdlDone`].
    Execute(Arc<DdlEvent>),
    /// The changefeed's checkpoint moved.
    Checkpoint(Position),
    /// The target-ts is reached and durable.
    Finished,
}

/// The most DDLs that may wait; beyond it the caller stops reading the DDL stream.
pub const DDL_QUEUE_MAX: usize = 4_096;

/// State of one changefeed's progress. See the crate's invariants.
///
/// A slot additionally holds itself to the minimum over its own spans: a span that a DDL adds may lie below what other slots
/// have emitted already.
#[derive(Debug)]
pub struct Controller {
    slots: Vec<Slot>,
    live: BTreeMap<TableId, (SlotId, Arc<TableVersion>)>,
    ddls: DdlQueue,
    /// DDLs above the resolved-ts of their stream.
    early: BTreeMap<(Ts, u32), Arc<DdlEvent>>,
    ddl_resolved: Ts,
    start: Position,
    target: Option<Ts>,
    emit: Ts,
    checkpoint: Position,
    started: bool,
    finished: bool,
}

impl Controller {
    /// A changefeed that starts at `start` with this many slots, and ends at `target` if there is one.
    ///
    /// # Panics
    /// When `slots` is zero.
    #[must_use]
    pub fn new(slots: u16, start: Position, target: Option<Ts>) -> Self {
        assert!(slots > 0, "a changefeed has at least one slot");
        Self {
            slots: (0..slots).map(|_| Slot::new(start)).collect(),
            live: BTreeMap::new(),
            ddls: DdlQueue::default(),
            early: BTreeMap::new(),
            ddl_resolved: start.checkpoint_ts(),
            start,
            target,
            emit: start.checkpoint_ts(),
            checkpoint: start,
            started: false,
            finished: false,
        }
    }

    /// The changefeed's checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> Position {
        self.checkpoint
    }

    /// Rows may be emitted up to here, caps of DDLs apart.
    #[must_use]
    pub const fn emit_ts(&self) -> Ts {
        self.emit
    }

    /// The minimum resolved-ts over slots and the DDL stream.
    #[must_use]
    pub fn resolved_ts(&self) -> Ts {
        self.slots.iter().map(Slot::gate).fold(self.ddl_resolved, Ts::min)
    }

    /// Physical tables that are subscribed.
    #[must_use]
    pub fn tables(&self) -> usize {
        self.live.len()
    }

    /// The DDL that holds progress, if one does.
    #[must_use]
    pub fn blocked_by(&self) -> Option<&DdlEvent> {
        self.ddls.head().map(|p| p.event.as_ref())
    }

    /// How many more DDLs the queue takes.
    #[must_use]
    pub fn ddl_room(&self) -> usize {
        DDL_QUEUE_MAX.saturating_sub(self.ddls.len() + self.early.len())
    }

    /// Takes one event and appends what is to be done, in order.
    pub fn step(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Table(version) => {
                assert!(!self.started, "tables of the start come before Started");
                self.add_table(&version, self.start.checkpoint_ts(), None, effects);
            }
            Event::Started => self.started = true,
            Event::Slot { slot, applied, resolved, checkpoint } => self.report(slot, applied, resolved, checkpoint),
            Event::Ddl(event) => self.ddl(event),
            Event::DdlResolved(ts) => self.ddl_resolved = self.ddl_resolved.max(ts),
            Event::DdlDone { ts, seq } => self.ddl_done(ts, seq, effects),
        }
        if self.started {
            self.admit_ddls();
            self.publish(effects);
            self.run_head(effects);
            self.advance_checkpoint(effects);
        }
    }

    fn report(&mut self, slot: SlotId, applied: u64, resolved: Ts, checkpoint: Position) {
        let Some(s) = self.slots.get_mut(usize::from(slot.0)) else { return };
        if applied == s.commands {
            s.resolved = resolved;
        }
        assert!(checkpoint <= s.cap.max(s.checkpoint), "slot {slot} reports {checkpoint} beyond its cap {}", s.cap);
        s.checkpoint = s.checkpoint.max(checkpoint);
    }

    fn ddl(&mut self, event: Arc<DdlEvent>) {
        let done_before = Position::ddl(event.commit_ts) <= self.start;
        if !done_before {
            self.early.insert((event.commit_ts, event.seq), event);
        }
    }

    /// Moves DDLs that the stream's resolved-ts has passed into the queue: from here on they are barriers.
    fn admit_ddls(&mut self) {
        let limit = self.target.map_or(self.ddl_resolved, |t| t.min(self.ddl_resolved));
        while let Some(entry) = self.early.first_entry() {
            if entry.key().0 > limit {
                break;
            }
            let event = entry.remove();
            let involved = self.involved(&event);
            self.ddls.push(event, involved);
        }
    }

    fn involved(&self, event: &DdlEvent) -> BTreeSet<SlotId> {
        let slots = self.slots.len() as u16;
        // A table made by a DDL that still waits is not live yet: its slot follows from its logical id.
        let coming = |t: &TableId| self.ddls.maker_of(*t).map(|v| slot_of(v.table, slots));
        let of_ids = event.blocks.iter().chain(&event.removes);
        let of_ids = of_ids.flat_map(|t| self.live.get(t).map(|(s, _)| *s).into_iter().chain(coming(t)));
        let of_versions = event.before.iter().chain(&event.after).map(|v| slot_of(v.table, slots));
        of_ids.chain(of_versions).collect()
    }

    fn publish(&mut self, effects: &mut Vec<Effect>) {
        let mut emit = self.resolved_ts();
        if let Some(target) = self.target {
            emit = emit.min(target);
        }
        if emit == Ts::MAX {
            return;
        }
        self.emit = self.emit.max(emit);
        for (i, slot) in self.slots.iter_mut().enumerate() {
            let id = SlotId(i as u16);
            let free = Position::rows(self.emit);
            let upto = self.ddls.cap(id).map_or(free, |cap| cap.min(free));
            if upto > slot.cap {
                slot.cap = upto;
                effects.push(Effect::Emit { slot: id, upto });
            }
        }
    }

    fn run_head(&mut self, effects: &mut Vec<Effect>) {
        let slots = &self.slots;
        let Some(head) = self.ddls.head_mut() else { return };
        let at = Position::rows(head.event.commit_ts);
        let ready = head.involved.iter().all(|s| {
            let slot = &slots[usize::from(s.0)];
            assert!(slot.cap <= Position::ddl(at.ts), "slot {s} was let past a DDL at {at}");
            slot.checkpoint >= at
        });
        if ready && !head.executing {
            head.executing = true;
            effects.push(Effect::Execute(Arc::clone(&head.event)));
        }
    }

    fn ddl_done(&mut self, ts: Ts, seq: u32, effects: &mut Vec<Effect>) {
        let Some(done) = self.ddls.finish(ts, seq) else { return };
        assert!(done.executing, "a DDL that was never started cannot be done");
        let event = done.event;
        for table in &event.removes {
            if let Some((slot, _)) = self.live.remove(table) {
                self.slots[usize::from(slot.0)].removed();
                effects.push(Effect::RemoveSpan { slot, table: *table });
            }
        }
        if let Some(after) = &event.after {
            self.set_versions(after, effects);
            self.add_table(after, ts, Some(&event.adds), effects);
        }
        // Several events of one job share a ts: the stage is reached with the last of them.
        let more_at_ts = self.ddls.head().is_some_and(|p| p.event.commit_ts == ts);
        if !more_at_ts {
            for slot in &done.involved {
                let s = &mut self.slots[usize::from(slot.0)];
                s.checkpoint = s.checkpoint.max(Position::ddl(ts));
                s.cap = s.cap.max(Position::ddl(ts));
            }
        }
    }

    fn set_versions(&mut self, after: &Arc<TableVersion>, effects: &mut Vec<Effect>) {
        for table in after.physical_ids() {
            if let Some((slot, version)) = self.live.get_mut(&table) {
                *version = Arc::clone(after);
                effects.push(Effect::SetVersion { slot: *slot, table, version: Arc::clone(after) });
            }
        }
    }

    /// Adds the physical ids of a table that are not live; with `only`, those among it.
    fn add_table(&mut self, v: &Arc<TableVersion>, start: Ts, only: Option<&[TableId]>, effects: &mut Vec<Effect>) {
        if v.is_view || v.is_sequence {
            return;
        }
        let slot = slot_of(v.table, self.slots.len() as u16);
        for table in v.physical_ids() {
            if self.live.contains_key(&table) || only.is_some_and(|o| !o.contains(&table)) {
                continue;
            }
            self.live.insert(table, (slot, Arc::clone(v)));
            self.slots[usize::from(slot.0)].added(start);
            effects.push(Effect::AddSpan { slot, table, version: Arc::clone(v), start });
        }
    }

    fn advance_checkpoint(&mut self, effects: &mut Vec<Effect>) {
        let slots = self.slots.iter().map(|s| s.checkpoint).min().unwrap_or(self.checkpoint);
        let now = self.ddls.floor().map_or(slots, |f| f.min(slots));
        if now > self.checkpoint {
            self.checkpoint = now;
            effects.push(Effect::Checkpoint(now));
        }
        let reached = self.target.is_some_and(|t| self.checkpoint >= Position::rows(t) && self.ddl_resolved >= t);
        if reached && self.ddls.len() == 0 && !self.finished {
            self.finished = true;
            effects.push(Effect::Finished);
        }
    }
}
