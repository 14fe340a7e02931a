//! The controller of one changefeed: gate, barriers, checkpoint.

use crate::ddl_queue::{DdlQueue, SYNCPOINT_SEQ};
use crate::event::{Effect, Event};
use crate::placement::slot_of;
use crate::rules::{Rule, Rules};
use crate::slot::Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_model::{DdlEvent, Position, SlotId, Stage, TableId, TableVersion, Ts};

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
    /// DDLs that have run already, above the start.
    done: BTreeSet<(Ts, u32)>,
    ddl_resolved: Ts,
    /// The next syncpoint and the milliseconds between two.
    syncpoint: Option<(Ts, u64)>,
    /// Slots wait for their own spans, not for those of others.
    own_gates: bool,
    rules: Rules,
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
            done: BTreeSet::new(),
            ddl_resolved: start.checkpoint_ts(),
            syncpoint: None,
            own_gates: false,
            rules: Rules::default(),
            start,
            target,
            emit: start.checkpoint_ts(),
            checkpoint: start,
            started: false,
            finished: false,
        }
    }

    /// Lets every slot emit as far as its own spans and the DDL stream are resolved: a table that is stuck holds up the slot it is
    /// in and nobody else. The checkpoint stays with the slowest.
    #[must_use]
    pub const fn with_own_gates(mut self, own: bool) -> Self {
        self.own_gates = own;
        self
    }

    /// Marks a syncpoint at every multiple of so many milliseconds of the upstream's clock; zero: none.
    #[must_use]
    pub fn with_syncpoints(mut self, interval_ms: u64) -> Self {
        self.syncpoint = self.start.ts.physical_ms().checked_div(interval_ms).map(|n| {
            let last = Ts::compose(n * interval_ms, 0);
            let marked = Position { ts: last, stage: Stage::Syncpoint, seq: 0 } <= self.start;
            (if marked { Ts::compose((n + 1) * interval_ms, 0) } else { last }, interval_ms)
        });
        self
    }

    pub(crate) const fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// How far a slot may emit.
    #[must_use]
    pub fn cap(&self, slot: SlotId) -> Position {
        self.slots.get(usize::from(slot.0)).map_or(self.start, |s| s.cap)
    }

    /// Everything of a slot up to here is durable.
    #[must_use]
    pub fn slot_checkpoint(&self, slot: SlotId) -> Position {
        self.slots.get(usize::from(slot.0)).map_or(self.checkpoint, |s| s.checkpoint)
    }

    /// How many AddSpan and RemoveSpan effects there were for a slot: what [`Event::Slot`] is to say when all are applied.
    #[must_use]
    pub fn applied(&self, slot: SlotId) -> u64 {
        self.slots.get(usize::from(slot.0)).map_or(0, |s| s.commands)
    }

    /// Every DDL at or below this is known.
    #[must_use]
    pub const fn ddl_resolved(&self) -> Ts {
        self.ddl_resolved
    }

    /// Whether a pending DDL or syncpoint holds this slot at its cap.
    #[must_use]
    pub fn holds(&self, slot: SlotId) -> bool {
        self.ddls.cap(slot).is_some_and(|cap| self.slot_checkpoint(slot) >= cap)
    }

    /// The ts and place of the DDL or syncpoint that comes next, if one is known, and the slots it involves.
    #[must_use]
    pub fn head(&self) -> Option<(Ts, u32, &BTreeSet<SlotId>)> {
        let (ts, seq) = self.ddls.head_key()?;
        self.ddls.head().map(|(_, p)| (ts, seq, &p.involved))
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
        self.ddls.head().and_then(|(_, p)| p.event.as_deref())
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
            Event::Began { ts, seq, done, slots } => self.began(ts, seq, done, &slots),
            Event::Adopt { slot, upto } => {
                if let Some(s) = self.slots.get_mut(usize::from(slot.0)) {
                    s.cap = s.cap.max(upto);
                }
            }
            Event::Started => self.started = true,
            Event::Slot { slot, applied, resolved, checkpoint } => self.report(slot, applied, resolved, checkpoint),
            Event::Ddl(event) => self.ddl(event),
            Event::DdlResolved(ts) => self.ddl_resolved = self.ddl_resolved.max(ts),
            Event::DdlDone { ts, seq } => self.ddl_done(ts, seq, false, effects),
        }
        if self.started {
            self.admit_ddls(effects);
            self.publish(effects);
            self.run_head(effects);
            self.advance_checkpoint(effects);
        }
    }

    fn report(&mut self, slot: SlotId, applied: u64, resolved: Ts, checkpoint: Position) {
        let Some(s) = self.slots.get_mut(usize::from(slot.0)) else { return };
        if applied == s.commands || !self.rules.keep(Rule::DigestMatches) {
            s.resolved = resolved;
        }
        assert!(checkpoint <= s.cap.max(s.checkpoint), "slot {slot} reports {checkpoint} beyond its cap {}", s.cap);
        s.checkpoint = s.checkpoint.max(checkpoint);
    }

    /// What a DDL's record says holds whatever was stored of the checkpoint: its slots had finished the rows before it.
    fn began(&mut self, ts: Ts, seq: u32, done: bool, slots: &[SlotId]) {
        assert!(!self.started, "records are known before the controller starts");
        let stage = if seq == SYNCPOINT_SEQ { Stage::Syncpoint } else { Stage::Ddl };
        if (Position { ts, stage, seq: 0 }) <= self.start {
            return;
        }
        for slot in slots {
            if let Some(s) = self.slots.get_mut(usize::from(slot.0)) {
                s.checkpoint = s.checkpoint.max(Position::rows(ts));
                s.cap = s.cap.max(s.checkpoint);
            }
        }
        if done {
            self.done.insert((ts, seq));
        }
    }

    fn ddl(&mut self, event: Arc<DdlEvent>) {
        let done_before = Position::ddl(event.commit_ts) <= self.start;
        if !done_before {
            self.early.insert((event.commit_ts, event.seq), event);
        }
    }

    /// Moves DDLs that the stream's resolved-ts has passed into the queue: from here on they are barriers. Those that have run
    /// already change tables only; they come before all others.
    fn admit_ddls(&mut self, effects: &mut Vec<Effect>) {
        let limit = self.target.map_or(self.ddl_resolved, |t| t.min(self.ddl_resolved));
        loop {
            let ddl = self.early.first_key_value().map(|(k, _)| *k);
            let mark = self.syncpoint.map(|(ts, _)| (ts, SYNCPOINT_SEQ));
            let Some(key) = [ddl, mark].into_iter().flatten().min().filter(|k| k.0 <= limit) else { return };
            match self.early.remove(&key) {
                Some(event) => {
                    let involved = self.involved(&event);
                    self.ddls.push(event, involved);
                }
                None => self.push_syncpoint(key.0),
            }
            if self.done.remove(&key) {
                assert!(self.ddls.head_key() == Some(key), "a DDL at {} had run before one that had not", key.0);
                self.ddl_done(key.0, key.1, true, effects);
            }
        }
    }

    fn push_syncpoint(&mut self, ts: Ts) {
        let slots = self.slots.len() as u16;
        self.ddls.push_syncpoint(ts, (0..slots).map(SlotId).collect());
        self.syncpoint = self.syncpoint.map(|(_, interval)| (Ts::compose(ts.physical_ms() + interval, 0), interval));
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
        let mut emit = if self.own_gates { self.ddl_resolved } else { self.resolved_ts() };
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
            let barrier = self.ddls.cap(id).filter(|_| self.rules.keep(Rule::DdlBarrier));
            let upto = barrier.map_or(free, |cap| cap.min(free));
            if upto > slot.cap {
                slot.cap = upto;
                effects.push(Effect::Emit { slot: id, upto });
            }
        }
    }

    fn run_head(&mut self, effects: &mut Vec<Effect>) {
        let slots = &self.slots;
        let obeyed = self.rules.keep(Rule::DdlBarrier);
        let Some((ts, head)) = self.ddls.head_mut() else { return };
        let at = Position::rows(ts);
        let ready = !obeyed
            || head.involved.iter().all(|s| {
                let slot = &slots[usize::from(s.0)];
                assert!(slot.cap <= Position::ddl(ts), "slot {s} was let past a barrier at {at}");
                slot.checkpoint >= at
            });
        if ready && !head.executing {
            head.executing = true;
            effects.push(head.event.as_ref().map_or(Effect::Syncpoint(ts), |e| Effect::Execute(Arc::clone(e))));
        }
    }

    fn ddl_done(&mut self, ts: Ts, seq: u32, before: bool, effects: &mut Vec<Effect>) {
        let Some(done) = self.ddls.finish(ts, seq) else { return };
        assert!(done.executing || before, "a DDL that was never started cannot be done");
        if let Some(event) = &done.event {
            self.change_tables(ts, event, effects);
        }
        // Several events of one job share a ts: the stage is reached with the last of them.
        let more_at_ts = self.ddls.head_key().is_some_and(|(next, _)| next == ts);
        if !more_at_ts {
            let stage = if seq == SYNCPOINT_SEQ { Stage::Syncpoint } else { Stage::Ddl };
            let reached = Position { ts, stage, seq: 0 };
            for slot in &done.involved {
                let s = &mut self.slots[usize::from(slot.0)];
                s.checkpoint = s.checkpoint.max(reached);
                s.cap = s.cap.max(reached);
            }
        }
    }

    fn change_tables(&mut self, ts: Ts, event: &DdlEvent, effects: &mut Vec<Effect>) {
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
