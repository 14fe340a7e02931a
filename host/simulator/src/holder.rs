//! The holder of slots of one process: subscriptions, one write at a time per slot, DDLs. It does as the orders say.

use crate::downstream::{Statement, Write};
use crate::rng::Rng;
use crate::scenario::MS;
use crate::upstream::Upstream;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_cluster::{Digest, Epoch, Fence, HolderEvent, Members, SlotKey, SlotOrder, Tenure};
use tg_model::{Position, TableId, Ts};

/// That a slot is resolved a little further is told this often.
const TELL_EVERY: u64 = 15 * MS;

/// What goes to a sink. The answer comes back with the number.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Open { epoch: Epoch, after: Option<Epoch>, raise: bool },
    Write(Write),
    Statement(Statement),
}

/// A request that was sent and not answered.
#[derive(Debug)]
struct Waiting {
    id: u64,
    sent: u64,
    request: Request,
}

#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) tenure: Tenure,
    members: Arc<Members>,
    /// When the scan of a table ends; until then it is resolved to its start.
    subscribed: BTreeMap<TableId, (u64, Ts)>,
    epoch: Option<Epoch>,
    /// With an epoch to be raised: the one before.
    after: Option<Epoch>,
    guarded: bool,
    writing: bool,
    draining: bool,
    cap: Position,
    done: Position,
    waiting: Option<Waiting>,
    ddl: Option<(Ts, u32, bool)>,
    told: Option<(Ts, Position, Digest)>,
    told_at: u64,
}

/// All slots of a process.
#[derive(Debug, Default)]
pub(crate) struct Holder {
    pub(crate) slots: BTreeMap<SlotKey, Held>,
    requests: u64,
}

/// What the holder does.
pub(crate) enum Act {
    Tell(SlotKey, Tenure, HolderEvent),
    Ask(SlotKey, Tenure, u64, Request),
}

impl Holder {
    pub(crate) fn order(&mut self, now: u64, key: SlotKey, tenure: Tenure, order: SlotOrder, rng: &mut Rng) {
        if let SlotOrder::Prepare { start, members } = order {
            let held = Held {
                tenure,
                members: Arc::default(),
                subscribed: BTreeMap::new(),
                epoch: None,
                after: None,
                guarded: true,
                writing: false,
                draining: false,
                cap: start,
                done: start,
                waiting: None,
                ddl: None,
                told: None,
                told_at: now,
            };
            self.slots.insert(key, held);
            if let Some(held) = self.slots.get_mut(&key) {
                held.set_members(now, members, rng);
            }
            return;
        }
        let Some(held) = self.slots.get_mut(&key).filter(|h| h.tenure == tenure) else { return };
        match order {
            SlotOrder::Open { epoch, start, after, raise } => {
                held.done = held.done.max(start);
                held.writing = false;
                held.after = after;
                held.epoch = Some(epoch);
                held.guarded = raise;
            }
            SlotOrder::SetMembers(members) => held.set_members(now, members, rng),
            SlotOrder::Cap(cap) => held.cap = held.cap.max(cap),
            SlotOrder::Drain => held.draining = true,
            SlotOrder::Execute { ts, seq, maybe_done } => held.ddl = Some((ts, seq, maybe_done)),
            SlotOrder::Drop => {
                self.slots.remove(&key);
            }
            SlotOrder::Prepare { .. } => {}
        }
    }

    /// Sends what may be sent, and tells what is new. `admitted`: a lease, where one is needed, is good now.
    pub(crate) fn pump(
        &mut self,
        now: u64,
        up: &Upstream,
        fence: impl Fn(SlotKey) -> Fence,
        admitted: bool,
        acts: &mut Vec<Act>,
    ) {
        for (key, held) in &mut self.slots {
            let fence = fence(*key);
            let may = admitted || fence == Fence::Token;
            if let Some(request) = held.request(now, up, fence, may, *key) {
                self.requests += 1;
                held.waiting = Some(Waiting { id: self.requests, sent: now, request: request.clone() });
                acts.push(Act::Ask(*key, held.tenure, self.requests, request));
            }
            held.tell(now, up, *key, acts);
        }
    }

    /// A sink's answer: the position or `None` when it refused.
    pub(crate) fn answer(
        &mut self,
        key: SlotKey,
        tenure: Tenure,
        id: u64,
        answer: Option<Option<Position>>,
    ) -> Vec<Act> {
        let Some(held) = self.slots.get_mut(&key).filter(|h| h.tenure == tenure) else { return Vec::new() };
        let Some(waiting) = held.waiting.take_if(|w| w.id == id) else { return Vec::new() };
        let event = match (answer, waiting.request) {
            (None, _) => {
                held.writing = false;
                held.epoch = None;
                Some(HolderEvent::Lost)
            }
            (Some(durable), Request::Open { .. }) => {
                held.writing = true;
                held.done = held.done.max(durable.unwrap_or(Position::ZERO));
                held.cap = held.cap.max(held.done);
                Some(HolderEvent::Opened(durable))
            }
            (Some(_), Request::Write(w)) => {
                held.done = held.done.max(w.to);
                None
            }
            (Some(_), Request::Statement(s)) => {
                held.ddl = None;
                Some(HolderEvent::Executed(s.ts, s.seq))
            }
        };
        event.map(|e| Act::Tell(key, tenure, e)).into_iter().collect()
    }
}

impl Held {
    pub(crate) fn tables(&self) -> usize {
        self.members.iter().len()
    }

    fn set_members(&mut self, now: u64, members: Arc<Members>, rng: &mut Rng) {
        self.subscribed.retain(|t, _| members.contains(*t));
        for (table, start) in members.iter() {
            let from = start.max(self.done.checkpoint_ts());
            self.subscribed.entry(table).or_insert_with(|| (now + rng.between(5, 200) * MS, from));
        }
        self.members = members;
    }

    fn resolved(&self, now: u64, up: &Upstream) -> Ts {
        let one = |(t, (ready, start)): (&TableId, &(u64, Ts))| {
            if now < *ready { *start } else { up.resolved(*t, now).max(*start) }
        };
        self.subscribed.iter().map(one).min().unwrap_or(Ts::MAX)
    }

    /// How long an answer may be missing before the request is repeated. With a token a late double is refused or harmless;
    /// without one it must have landed or died.
    const fn patience(fence: Fence) -> u64 {
        match fence {
            Fence::Token => 300 * MS,
            Fence::Lease { inflight } => inflight + MS,
        }
    }

    fn request(&mut self, now: u64, up: &Upstream, fence: Fence, admitted: bool, key: SlotKey) -> Option<Request> {
        if let Some(waiting) = &self.waiting {
            if self.draining && now - waiting.sent >= Self::patience(fence) {
                // Whether it landed is not known; that nothing of it lands any more unfenced is.
                self.waiting = None;
                return None;
            }
            if now - waiting.sent < Self::patience(fence) || !admitted {
                return None;
            }
            // The outcome is unknown: the same again. Where the sink can tell that it has it, it does.
            return Some(match waiting.request.clone() {
                Request::Statement(s) => Request::Statement(Statement { maybe_done: true, ..s }),
                same => same,
            });
        }
        let epoch = self.epoch.filter(|_| admitted)?;
        if !self.writing {
            let raise = self.guarded;
            return (!self.draining).then_some(Request::Open { epoch, after: self.after, raise });
        }
        if let Some((ts, seq, maybe_done)) = self.ddl.filter(|_| !self.draining) {
            let guarded = self.guarded && fence == Fence::Token;
            return Some(Request::Statement(Statement { slot: key.slot, epoch, ts, seq, maybe_done, guarded }));
        }
        let to = self.cap.min(Position::rows(self.resolved(now, up)));
        if self.draining || to <= self.done {
            return None;
        }
        let mut rows = Vec::new();
        for (table, _) in self.members.iter() {
            let Some(t) = up.tables.get(&table) else { continue };
            let (from, end) = (t.rows_at(self.done), t.rows_at(to));
            if from < end {
                rows.push((table, from, end));
            }
        }
        if rows.is_empty() {
            self.done = to;
            return None;
        }
        let guarded = self.guarded && fence == Fence::Token;
        Some(Request::Write(Write { slot: key.slot, epoch, to, rows, guarded }))
    }

    fn tell(&mut self, now: u64, up: &Upstream, key: SlotKey, acts: &mut Vec<Act>) {
        let progress = (self.resolved(now, up), self.done, self.members.digest());
        let same = self.told.is_some_and(|(_, done, members)| (done, members) == (progress.1, progress.2));
        let soon = same && now - self.told_at < TELL_EVERY;
        if self.told != Some(progress) && !soon {
            self.told = Some(progress);
            self.told_at = now;
            let (resolved, checkpoint, members) = progress;
            acts.push(Act::Tell(key, self.tenure, HolderEvent::Progress { resolved, checkpoint, members }));
        }
        if self.draining && self.waiting.is_none() {
            (self.epoch, self.draining) = (None, false);
            acts.push(Act::Tell(key, self.tenure, HolderEvent::Drained(self.done)));
        }
    }
}
