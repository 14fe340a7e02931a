//! One changefeed at the owner: its controller, its slots and their tables, its record.

use super::claim::{Drive, Epochs, SlotRep};
use super::ddl::{DdlRun, DdlStep};
use super::peers::Peers;
use crate::backoff::{Backoff, BackoffStep};
use crate::controller::Controller;
use crate::digest::Members;
use crate::event::{Effect, Event};
use crate::id::{Epoch, FeedId, Mono, OwnerRev, Peer, RunId, SlotKey};
use crate::message::{Phase, Report, SlotCap, SlotStatus};
use crate::meta::{DdlRecord, FeedRecord, FeedState, Fence, MetaRequest};
use crate::rules::{Rule, Rules};
use crate::timing::{META_TIMEOUT, STATUS_EVERY};
use std::sync::Arc;
use tg_model::{DdlEvent, Position, SlotId, TableVersion, Ts};

/// What the schema source of a changefeed tells.
#[derive(Clone, Debug)]
pub enum FeedInput {
    /// A table at the start.
    Table(Arc<TableVersion>),
    /// All tables of the start are told.
    Started,
    /// A DDL above the start.
    Ddl(Arc<DdlEvent>),
    /// Every DDL at or below this is told.
    DdlResolved(Ts),
}

/// A running changefeed.
#[derive(Debug)]
pub(crate) struct Feed {
    id: FeedId,
    owner: OwnerRev,
    pub(crate) record: Arc<FeedRecord>,
    controller: Controller,
    pub(crate) slots: Vec<SlotRep>,
    members: Vec<Arc<Members>>,
    adopted: Vec<Option<(Peer, Epoch, Phase)>>,
    ddl: DdlRun,
    started: bool,
    finished: bool,
    failed: bool,
    /// Every capture that could hold a slot of it unseen is accounted for.
    accounted: bool,
    backoff: Backoff,
    wait_until: Mono,
    stored: Position,
    storing: Option<Mono>,
    stored_at: Mono,
    /// DDL records to be stored.
    records: Vec<DdlRecord>,
    effects: Vec<Effect>,
    rules: Rules,
}

impl Feed {
    pub(crate) fn new(id: FeedId, owner: OwnerRev, record: &Arc<FeedRecord>, now: Mono, rules: Rules) -> Self {
        let controller = Controller::new(record.slots, record.checkpoint, record.target)
            .with_syncpoints(record.syncpoint_ms)
            .with_rules(rules);
        let count = if record.whole { 1 } else { usize::from(record.slots) + 1 };
        let key = |slot: usize| SlotKey { feed: id, slot: SlotId(slot as u16) };
        let mut feed = Self {
            id,
            owner,
            record: Arc::clone(record),
            controller,
            slots: (0..count).map(|slot| SlotRep::new(key(slot))).collect(),
            members: vec![Arc::default(); count],
            adopted: vec![None; count],
            ddl: DdlRun::default(),
            started: record.whole,
            finished: false,
            failed: false,
            accounted: false,
            backoff: Backoff::default(),
            wait_until: now,
            stored: record.checkpoint,
            storing: None,
            stored_at: now,
            records: Vec::new(),
            effects: Vec::new(),
            rules,
        };
        for r in &record.ddls {
            feed.ddl.found(r);
            feed.step(Event::Began { ts: r.ts, seq: r.seq, done: r.done, slots: r.slots.clone() });
        }
        feed
    }

    pub(crate) fn run(&self) -> RunId {
        self.record.run
    }

    pub(crate) const fn controller(&self) -> &Controller {
        &self.controller
    }

    pub(crate) fn ddl(&self) -> Option<(Ts, u32)> {
        self.ddl.current()
    }

    /// Whether its slots are to come to rest.
    pub(crate) fn ends(&self) -> bool {
        self.final_state().is_some()
    }

    /// Whether slots may be placed now.
    pub(crate) fn places(&self, now: Mono) -> bool {
        // A whole changefeed needs no schema first: until everybody has said what it holds, somebody may run it already.
        let known = !self.record.whole || self.accounted;
        self.started && known && !self.ends() && now >= self.wait_until
    }

    /// Takes over what is known of the holders of an earlier run's slots: they are to be stopped.
    pub(crate) fn inherit(&mut self, slots: Vec<SlotRep>) {
        if slots.len() == self.slots.len() {
            self.slots = slots;
            self.slots.iter_mut().for_each(SlotRep::rerun);
        }
    }

    /// Whether nothing of it is left to do.
    pub(crate) fn rests(&self) -> bool {
        self.accounted && self.slots.iter().all(|s| !s.may_be_written())
    }

    pub(crate) fn input(&mut self, input: FeedInput) {
        match input {
            FeedInput::Table(version) => self.step(Event::Table(version)),
            FeedInput::Started => {
                self.started = true;
                self.step(Event::Started);
            }
            FeedInput::Ddl(event) => self.step(Event::Ddl(event)),
            FeedInput::DdlResolved(ts) => self.step(Event::DdlResolved(ts)),
        }
    }

    /// What a capture reports of the slots of this changefeed.
    /// True: there is something to do about it.
    pub(crate) fn report(&mut self, from: Peer, report: &Report) -> bool {
        let mut news = false;
        let due = self.ddl.current();
        let mut seen = vec![false; self.slots.len()];
        for status in report.slots.iter() {
            if status.key.feed != self.id {
                continue;
            }
            let at = usize::from(status.key.slot.0);
            let Some(slot) = self.slots.get_mut(at) else { continue };
            seen[at] = true;
            news |= slot.observe(from, status, report.acked, self.record.run);
            if status.run == self.record.run && self.record.whole {
                self.whole_progress(status);
            } else if status.run == self.record.run && !self.is_executor(at) {
                self.progress(at, from, status);
            }
        }
        for (slot, _) in self.slots.iter_mut().zip(&seen).filter(|(_, seen)| !**seen) {
            news |= slot.unseen(from, report.acked, self.rules);
        }
        news || due != self.ddl.current()
    }

    fn is_executor(&self, at: usize) -> bool {
        !self.record.whole && at + 1 == self.slots.len()
    }

    /// Who does everything by itself stores its progress too: here it only shows that trying goes well.
    fn whole_progress(&mut self, status: &SlotStatus) {
        if status.checkpoint > self.stored {
            self.stored = status.checkpoint;
            self.backoff.progressed();
        }
    }

    /// How far it is, as far as it is known here.
    pub(crate) fn checkpoint(&self) -> Position {
        if self.record.whole { self.stored } else { self.controller.checkpoint() }
    }

    fn progress(&mut self, at: usize, from: Peer, status: &SlotStatus) {
        let slot = SlotId(at as u16);
        let counts = self.leases() || status.epoch.owner_rev() == self.owner || !self.rules.keep(Rule::OwnEpochCounts);
        let newest = self.slots[at].newest(status) || !self.rules.keep(Rule::NewestTenureCounts);
        if !counts || !newest || !matches!(status.phase, Phase::Active | Phase::Stopping | Phase::Stopped) {
            return;
        }
        if self.adopted[at] != Some((from, status.epoch, status.phase)) {
            // The first word of an assignment: the cap it holds, or what was found durable, may be another owner's doing.
            self.adopted[at] = Some((from, status.epoch, status.phase));
            self.step(Event::Adopt { slot, upto: status.cap.max(status.checkpoint) });
        }
        let writes = self.slots[at].writer().is_some_and(|(p, _)| p == from);
        let complete = status.members == self.members[at].digest() || !self.rules.keep(Rule::DigestMatches);
        let applied = if writes && complete { self.controller.applied(slot) } else { u64::MAX };
        let event = Event::Slot { slot, applied, resolved: status.resolved, checkpoint: status.checkpoint };
        self.step(event);
    }

    fn step(&mut self, event: Event) {
        let mut effects = std::mem::take(&mut self.effects);
        let before = self.controller.checkpoint();
        self.controller.step(event, &mut effects);
        if self.controller.checkpoint() > before {
            self.backoff.progressed();
        }
        for effect in effects.drain(..) {
            match effect {
                Effect::AddSpan { slot, table, start, .. } => self.change(slot, |m| m.add(table, start)),
                Effect::RemoveSpan { slot, table } => self.change(slot, |m| m.remove(table)),
                Effect::Execute(event) => self.due(event.commit_ts),
                Effect::Syncpoint(ts) => self.due(ts),
                Effect::Finished => self.finished = true,
                // Versions follow from the schema at every capture; caps and the checkpoint are read when they are sent.
                Effect::SetVersion { .. } | Effect::Emit { .. } | Effect::Checkpoint(_) => {}
            }
        }
        self.effects = effects;
    }

    fn change(&mut self, slot: SlotId, change: impl FnOnce(&mut Members)) {
        if let Some(members) = self.members.get_mut(usize::from(slot.0)) {
            change(Arc::make_mut(members));
        }
    }

    fn due(&mut self, ts: Ts) {
        if let Some((at, seq, slots)) = self.controller.head() {
            assert!(at == ts, "the barrier that runs is the first");
            let slots = slots.iter().copied().collect();
            self.ddl.due(at, seq, slots);
        }
    }

    /// The start of a slot and whether its tables are known: the DDL stream must have come as far as the slot.
    fn start_of(&self, at: usize) -> (Position, bool) {
        if self.record.whole || self.is_executor(at) {
            return (self.record.checkpoint, self.started);
        }
        let slot = SlotId(at as u16);
        let done = self.controller.slot_checkpoint(slot);
        let far = self.controller.cap(slot).ts.max(done.ts);
        let known =
            !self.rules.keep(Rule::MembersNeedDdls) || self.controller.ddl_resolved() >= far.min(self.last_ts());
        let start = if self.rules.keep(Rule::StartAtCheckpoint) { done } else { self.controller.cap(slot).max(done) };
        (start, self.started && known)
    }

    fn last_ts(&self) -> Ts {
        self.record.target.unwrap_or(Ts::MAX)
    }

    /// Takes every slot a step further.
    pub(crate) fn drive(&mut self, now: Mono, peers: &mut Peers, epochs: &mut Epochs, accounted: bool) {
        let (run, fence) = (self.record.run, self.record.fence);
        let step = self.ddl_step(now);
        self.accounted = accounted;
        let accounted = accounted && self.places(now);
        for at in 0..self.slots.len() {
            let (start, members_known) = self.start_of(at);
            let held = !self.record.whole && !self.is_executor(at) && self.controller.holds(SlotId(at as u16));
            let members = Arc::clone(&self.members[at]);
            let rules = self.rules;
            let mut d = Drive {
                now,
                rules,
                run,
                fence,
                members: &members,
                members_known,
                start,
                held,
                accounted,
                peers: &mut *peers,
                epochs: &mut *epochs,
            };
            let slot = &mut self.slots[at];
            slot.drive(&mut d);
            if at + 1 == self.members.len()
                && let DdlStep::Tell(peer, kind) = &step
            {
                slot.execute(*peer, kind.clone(), &mut d);
            }
        }
        self.failures(now);
    }

    fn failures(&mut self, now: Mono) {
        let failed = self.slots.iter_mut().map(|s| std::mem::take(&mut s.failed)).fold(false, bool::max);
        if failed && now >= self.wait_until {
            match self.backoff.failed(now.0 / 1_000, true) {
                BackoffStep::RetryAfterMs(ms) => self.wait_until = now.after(ms * 1_000),
                BackoffStep::GiveUp => self.failed = true,
            }
        }
    }

    fn ddl_step(&mut self, now: Mono) -> DdlStep {
        if self.record.whole {
            return DdlStep::Nothing;
        }
        let executor = self.slots.last().and_then(SlotRep::writer);
        let own = |s: &SlotStatus| self.leases() || s.epoch.owner_rev() == self.owner;
        let executor = executor.filter(|(_, s)| own(s) || !self.rules.keep(Rule::OwnEpochCounts));
        match self.ddl.next(now, executor, self.rules) {
            DdlStep::Record(record) => {
                self.records.push(record);
                DdlStep::Nothing
            }
            step => step,
        }
    }

    /// Records and progress that are to be stored now.
    pub(crate) fn store(&mut self, now: Mono, out: &mut Vec<MetaRequest>) {
        let (owner, feed, run) = (self.owner, self.id, self.record.run);
        out.extend(self.records.drain(..).map(|record| MetaRequest::PutDdl { owner, feed, run, record }));
        if self.storing.is_some_and(|at| now.since(at) <= META_TIMEOUT) {
            return;
        }
        if self.record.whole && !self.failed {
            return;
        }
        let checkpoint = self.checkpoint();
        let state = self.final_state();
        if let Some(state) = state.filter(|s| *s != self.record.state && self.rests()) {
            self.storing = Some(now);
            out.push(MetaRequest::PutState { owner, feed, run, state, checkpoint });
        } else if checkpoint > self.stored && now.since(self.stored_at) >= STATUS_EVERY {
            self.storing = Some(now);
            out.push(MetaRequest::PutStatus { owner, feed, run, checkpoint });
        }
    }

    /// The state it is to end in.
    fn final_state(&self) -> Option<FeedState> {
        match (self.finished, self.failed, self.record.wanted) {
            (true, _, _) => Some(FeedState::Finished),
            (_, true, _) => Some(FeedState::Failed),
            (_, _, false) => Some(FeedState::Stopped),
            _ => None,
        }
    }

    pub(crate) fn stored(&mut self, now: Mono, checkpoint: Position) {
        self.stored = self.stored.max(checkpoint);
        self.storing = None;
        self.stored_at = now;
    }

    pub(crate) fn recorded(&mut self, record: &DdlRecord) {
        if let Some((ts, seq)) = self.ddl.recorded(record) {
            self.step(Event::DdlDone { ts, seq });
        }
    }

    /// How far the slots that a capture writes may go.
    pub(crate) fn caps(&self, peer: Peer, caps: &mut Vec<SlotCap>) {
        for (at, slot) in self.slots.iter().enumerate() {
            if let Some((_, status)) = slot.writer().filter(|(p, _)| *p == peer)
                && self.start_of(at).1
            {
                let whole = Position::rows(Ts::MAX);
                let cap = if self.record.whole { whole } else { self.controller.cap(SlotId(at as u16)) };
                caps.push(SlotCap { key: status.key, epoch: status.epoch, cap, members: self.members[at].digest() });
            }
        }
    }

    /// Whether writers of it depend on leases.
    pub(crate) fn leases(&self) -> bool {
        matches!(self.record.fence, Fence::Lease { .. })
    }
}
