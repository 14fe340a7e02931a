//! The capture's side: which slots it holds and in which phase each is.

mod replica;

use crate::digest::{Digest, Members};
use crate::id::{Epoch, FeedId, SlotKey};
use crate::message::{CommandKind, Phase, SlotCap, SlotCommand, SlotStatus};
use crate::rules::{Rule, Rules};
use replica::Replica;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{Position, Ts};

/// Most slots a capture holds; a Prepare beyond it is ignored, and the owner looks for another place.
pub const SLOTS_MAX: usize = 4_096;

/// Names one life of a slot in this process; events of an earlier life are dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tenure(pub u64);

/// What the holder of slots is to do. Orders of one capture are carried out in order.
#[derive(Clone, PartialEq, Debug)]
pub enum SlotOrder {
    /// Subscribe and sort the tables, each from the later of `start` and its own; write nothing.
    Prepare {
        /// Everything up to here is durable.
        start: Position,
        /// The tables.
        members: Arc<Members>,
    },
    /// Raise the downstream's token to the epoch and read what is durable; answer [`HolderEvent::Opened`]. When a higher token
    /// is there, or one other than `after`, answer [`HolderEvent::Lost`]. Writes of an epoch before are finished first.
    Open {
        /// The token.
        epoch: Epoch,
        /// Where to begin unless more is durable.
        start: Position,
        /// The epoch it has written under until now: the token must still be this one.
        after: Option<Epoch>,
        /// Whether the token is to be raised, and obeyed: always, but for mutations.
        raise: bool,
    },
    /// Have exactly these tables.
    SetMembers(Arc<Members>),
    /// Rows may be written up to here, by the tables last set.
    Cap(Position),
    /// Admit nothing more; when every write has a known outcome, answer [`HolderEvent::Drained`].
    Drain,
    /// End subscriptions and connections, forget the slot.
    Drop,
    /// Run a DDL or syncpoint; answer [`HolderEvent::Executed`].
    Execute {
        /// Commit-ts.
        ts: Ts,
        /// Place within the job.
        seq: u32,
        /// It may have been run already.
        maybe_done: bool,
    },
}

/// What the holder of slots tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HolderEvent {
    /// How far the slot is.
    Progress {
        /// Minimum over the tables.
        resolved: Ts,
        /// Everything up to here is durable.
        checkpoint: Position,
        /// The tables: those last set, once each is subscribed.
        members: Digest,
    },
    /// The token is raised; this is what the downstream holds, if it keeps it.
    Opened(Option<Position>),
    /// Every write has a known outcome.
    Drained(Position),
    /// The downstream knows a higher token, or the slot failed: nothing of it is written any more.
    Lost,
    /// The DDL or syncpoint is done.
    Executed(Ts, u32),
    /// Bytes per second it takes in.
    Load(u64),
}

/// All slots of a capture.
#[derive(Debug)]
pub(crate) struct Agent {
    rules: Rules,
    replicas: BTreeMap<SlotKey, Replica>,
    emits: BTreeMap<FeedId, Ts>,
    tenures: u64,
    /// A phase changed since the last report.
    pub(crate) news: bool,
}

pub(crate) type Orders = Vec<(SlotKey, Tenure, SlotOrder)>;

impl Agent {
    pub(crate) const fn new(rules: Rules) -> Self {
        Self { rules, replicas: BTreeMap::new(), emits: BTreeMap::new(), tenures: 0, news: false }
    }

    pub(crate) fn statuses(&self) -> Vec<SlotStatus> {
        self.replicas.iter().map(|(k, r)| r.status(*k)).collect()
    }

    pub(crate) fn holds(&self, key: SlotKey) -> Option<Phase> {
        self.replicas.get(&key).map(|r| r.phase)
    }

    /// The registration is gone, or the process ends: nothing is held any more.
    pub(crate) fn drop_all(&mut self, orders: &mut Orders) {
        orders.extend(self.replicas.iter().map(|(k, r)| (*k, r.tenure, SlotOrder::Drop)));
        self.replicas.clear();
        self.news = true;
    }

    pub(crate) fn emits(&mut self, emits: &[(FeedId, Ts)]) {
        for (feed, ts) in emits {
            let known = self.emits.entry(*feed).or_insert(Ts::ZERO);
            *known = (*known).max(*ts);
        }
        self.prepared();
    }

    pub(crate) fn cap(&mut self, cap: &SlotCap, orders: &mut Orders) {
        let rules = self.rules;
        if let Some(r) = self.replicas.get_mut(&cap.key)
            && r.may_cap(cap, rules)
        {
            r.cap = cap.cap;
            orders.push((cap.key, r.tenure, SlotOrder::Cap(cap.cap)));
        }
    }

    pub(crate) fn command(&mut self, command: &SlotCommand, orders: &mut Orders) {
        let SlotCommand { key, run, epoch, kind } = command;
        let room = self.replicas.len() < SLOTS_MAX;
        let stale = |r: &Replica| self.rules.keep(Rule::EpochsRise) && (*run, *epoch) < (r.run, r.epoch);
        match (self.replicas.get_mut(key), kind) {
            (Some(r), _) if stale(r) => {}
            (None, CommandKind::Prepare { start, members }) if room => {
                self.tenures += 1;
                let tenure = Tenure(self.tenures);
                self.replicas.insert(*key, Replica::new(tenure, *run, *epoch, *start, Arc::clone(members)));
                orders.push((*key, tenure, SlotOrder::Prepare { start: *start, members: Arc::clone(members) }));
                self.news = true;
            }
            (None, _) => self.news = true,
            (Some(r), CommandKind::Drop) => {
                if !r.phase.may_write() {
                    orders.push((*key, r.tenure, SlotOrder::Drop));
                    self.replicas.remove(key);
                }
                self.news = true;
            }
            (Some(r), CommandKind::Prepare { start, members }) => {
                if !r.phase.may_write() {
                    self.tenures += 1;
                    r.prepare_again(Tenure(self.tenures), *run, *epoch, *start, members, *key, orders);
                }
                self.news = true;
            }
            (Some(r), kind) => {
                // A slot of another run can be stopped and dropped, nothing else.
                if *run == r.run || *kind == CommandKind::Stop {
                    r.command(*key, *epoch, kind, self.rules, orders);
                }
                self.news = true;
            }
        }
        self.prepared();
    }

    pub(crate) fn event(&mut self, key: SlotKey, tenure: Tenure, event: &HolderEvent) {
        let Some(r) = self.replicas.get_mut(&key).filter(|r| r.tenure == tenure) else { return };
        self.news |= r.event(event, self.rules);
        self.prepared();
    }

    /// Whoever has caught up with its changefeed is prepared.
    fn prepared(&mut self) {
        for (key, r) in &mut self.replicas {
            let emit = self.emits.get(&key.feed).copied().unwrap_or(Ts::ZERO);
            if r.phase == Phase::Preparing && r.caught_up(emit) {
                r.phase = Phase::Prepared;
                self.news = true;
            }
        }
    }
}
